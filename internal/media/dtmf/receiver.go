package dtmf

// Keys are the keys of the event codes 0 to 15.
const Keys = "0123456789*#ABCD"

// Receiver finds the presses in one stream of telephone-events: one key for each
// press, whatever is lost, repeated or late. The zero value is ready. It is not
// safe for concurrent use.
type Receiver struct {
	begun bool
	last  uint32 // timestamp of the newest press
}

// Key returns the key of a packet that begins a press. All packets of a press
// have one timestamp, the one of its beginning (RFC 4733 section 2.5.1.1).
func (r *Receiver) Key(payload []byte, timestamp uint32) (byte, bool) {
	if len(payload) < 4 || int(payload[0]) >= len(Keys) {
		return 0, false
	}
	if r.begun && int32(timestamp-r.last) <= 0 {
		return 0, false
	}
	r.begun, r.last = true, timestamp
	return Keys[payload[0]], true
}
