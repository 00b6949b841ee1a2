package dtmf

import (
	"encoding/binary"
	"strings"
)

const (
	// pressTime and pauseTime are how long a key is sent and what follows it, in ms:
	// what every receiver takes (ITU-T Q.24 asks for 40 each).
	pressTime, pauseTime = 100, 60
	// ends is how often the end of a press is said, because packets get lost
	// (RFC 4733 section 2.5.1.4).
	ends = 3
	// volume is the level of the tone that an event stands for, in -dBm0.
	volume = 10
	// maxKeys is how many keys wait: nobody dials longer numbers at once.
	maxKeys = 64
)

// Event is one telephone-event packet.
type Event struct {
	Payload   [4]byte
	Timestamp uint32 // of the beginning of the press; the same for all its packets
	Marker    bool   // the first packet of a press
	End       bool
}

// Sender sends keys as telephone-events, for keys that came in another form. Ask
// it for a packet every 20 ms; while it gives one, it stands in place of audio. It
// is not safe for concurrent use.
type Sender struct {
	clock uint32 // of the events, in Hz
	keys  []byte // that wait
	event byte   // code of the key that is sent
	at    uint32 // timestamp of its beginning
	steps int    // packets of it that were asked for, 0 if none is sent
}

// NewSender returns a Sender for events at clock Hz, 8000 or 48000.
func NewSender(clock uint32) *Sender {
	return &Sender{clock: clock, keys: make([]byte, 0, maxKeys)}
}

// Press sends key, one of Keys, behind those that were pressed before. Anything
// else, and more than 64 that wait, is refused.
func (s *Sender) Press(key byte) bool {
	if strings.IndexByte(Keys, key) < 0 || len(s.keys) == maxKeys {
		return false
	}
	s.keys = append(s.keys, key)
	return true
}

// Busy reports whether Next has something to send.
func (s *Sender) Busy() bool { return s.steps > 0 || len(s.keys) > 0 }

// Next returns the packet of the 20 ms that begin at timestamp, and whether there
// is one. There is none in the pause behind a press.
func (s *Sender) Next(timestamp uint32) (e Event, ok bool) {
	const step = 20
	const pressed, paused = pressTime / step, (pressTime + pauseTime) / step
	if s.steps == paused {
		s.steps = 0
	}
	if s.steps == 0 {
		if len(s.keys) == 0 {
			return Event{}, false
		}
		s.event, s.at = byte(strings.IndexByte(Keys, s.keys[0])), timestamp
		s.keys = s.keys[:copy(s.keys, s.keys[1:])]
	}
	s.steps++
	if s.steps >= pressed+ends {
		return Event{}, false
	}
	e = Event{Timestamp: s.at, Marker: s.steps == 1, End: s.steps >= pressed}
	e.Payload[0], e.Payload[1] = s.event, volume
	if e.End {
		e.Payload[1] |= 0x80
	}
	binary.BigEndian.PutUint16(e.Payload[2:], uint16(uint32(min(s.steps, pressed))*step*s.clock/1000))
	return e, true
}
