package media

import (
	"encoding/binary"
	"time"
)

// eventSize is the length of a telephone-event payload (RFC 4733 section 2.3).
const eventSize = 4

// endBit marks the end of an event in the second byte of its payload.
const endBit = 0x80

// pressSilence is how long nothing may come of a press before it counts as ended:
// packets of one are 20 to 50 ms apart.
const pressSilence = 100 * time.Millisecond

// press is the key that a speaker presses, as the listener is told of it.
type press struct {
	begun     bool
	open      bool   // its end was not sent
	theirs    uint32 // timestamp of the press, which all its packets have
	timestamp uint32 // ours
	last      [eventSize]byte
	at        time.Time // last came
}

// translate makes to the telephone-event of from in the listener's format, over
// buf; now is the listener's timestamp of t, the present. It is false if from is
// none or the listener takes none.
func (k *press) translate(to, from *Packet, in, out Format, buf []byte, now uint32, t time.Time) bool {
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
	copy(k.last[:], payload)
	k.open, k.at = payload[1]&endBit == 0, t
	return true
}

// overdue reports whether the end of the press is lost: nothing came of it for too
// long, or next, an event or nil, is of another one. A far end that is not told may
// play the key for ever.
func (k *press) overdue(t time.Time, next *Packet) bool {
	return k.open && (t.Sub(k.at) > pressSilence || next != nil && next.Timestamp != k.theirs)
}

// end makes to the end of the press, over buf.
func (k *press) end(to *Packet, out Format, buf []byte) {
	k.open = false
	to.Type, to.Timestamp, to.Marker, to.Buf, to.Len = out.SendDTMF, k.timestamp, false, buf, eventSize
	copy(to.Payload(), k.last[:])
	to.Payload()[1] |= endBit
}
