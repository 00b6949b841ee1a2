package rtc

// digits finds the presses in a stream of telephone-events.
type digits struct {
	begun bool
	last  uint32 // timestamp of the event seen last
}

// key returns the key of a packet that begins a press. All packets of a press
// have one timestamp (RFC 4733 section 2.5.1.1), and some of them may be lost or
// come late.
func (d *digits) key(payload []byte, timestamp uint32) (byte, bool) {
	const keys = "0123456789*#ABCD"
	if len(payload) < 4 || int(payload[0]) >= len(keys) {
		return 0, false
	}
	if d.begun && int32(timestamp-d.last) <= 0 {
		return 0, false
	}
	d.begun, d.last = true, timestamp
	return keys[payload[0]], true
}
