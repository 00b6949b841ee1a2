package media

import "encoding/binary"

// eventSize is the length of a telephone-event payload (RFC 4733 section 2.3).
const eventSize = 4

// press is the key that a speaker presses, as the listener is told of it.
type press struct {
	begun     bool
	theirs    uint32 // timestamp of the press, which all its packets have
	timestamp uint32 // ours
}

// translate makes to the telephone-event of from in the listener's format, over
// buf. now is the listener's timestamp of the present. It is false if from is
// none or the listener takes none.
func (k *press) translate(to, from *Packet, in, out Format, buf []byte, now uint32) bool {
	if from.Len < eventSize || in.DTMFClock == 0 || out.SendDTMF == 0 {
		return false
	}
	if !k.begun || k.theirs != from.Timestamp {
		*k = press{begun: true, theirs: from.Timestamp, timestamp: now}
	}
	to.Type, to.Timestamp, to.Buf, to.Len = out.SendDTMF, k.timestamp, buf, eventSize
	payload := to.Payload()
	copy(payload, from.Payload()[:eventSize])
	duration := uint64(binary.BigEndian.Uint16(payload[2:])) * uint64(out.DTMFClock) / uint64(in.DTMFClock)
	binary.BigEndian.PutUint16(payload[2:], uint16(min(duration, 0xffff)))
	return true
}
