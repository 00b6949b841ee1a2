package dtmf

import (
	"encoding/binary"
	"strings"
)

const (
	// pressTime and pauseTime are how long a key is sent and what follows it, in ms:
	// what every receiver takes (ITU-T Q.24 asks for 40 each).
	pressTime, pauseTime = 100, 60
	// maxPress is the longest that a key is sent, in ms: its duration has 16 bits.
	maxPress = 1300
	// step is the time of one packet in ms.
	step = 20
	// maxLate is how late audio may come out of order, in ms: 60 packets of 60 ms.
	maxLate = 3600
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
// it for a packet whenever one of audio would be sent; while it gives one, that
// stands in place of the audio. It is not safe for concurrent use.
type Sender struct {
	clock    uint32 // of timestamps, in Hz
	duration uint32 // of durations: the clock of the telephone-event payload type
	keys     []pressed
	begun    bool // a press was sent, or is being
	sending  bool
	now      pressed
	at       uint32 // timestamp of its beginning
	lasts    uint32 // how long it was when it ended
	ended    int    // how often that was said
}

// pressed is a key; held is one that is still down.
type pressed struct {
	code byte
	held bool
}

// NewSender returns a Sender into a stream whose timestamps count clock Hz, with
// durations that count duration Hz.
func NewSender(clock, duration uint32) *Sender {
	return &Sender{clock: clock, duration: duration, keys: make([]pressed, 0, maxKeys)}
}

// Press sends key, one of Keys, behind those that were pressed before. Anything
// else, and more than 64 that wait, is refused.
func (s *Sender) Press(key byte) bool { return s.press(key, false) }

// Hold is Press for a key that stays down until Release, at most 1.3 s.
func (s *Sender) Hold(key byte) bool { return s.press(key, true) }

func (s *Sender) press(key byte, held bool) bool {
	code := strings.IndexByte(Keys, key)
	if code < 0 || len(s.keys) == maxKeys {
		return false
	}
	s.Release()
	s.keys = append(s.keys, pressed{byte(code), held})
	return true
}

// Release lets go of the key that is held.
func (s *Sender) Release() {
	s.now.held = false
	for i := range s.keys {
		s.keys[i].held = false
	}
}

// Busy reports whether Next has something to send, now or later.
func (s *Sender) Busy() bool { return s.sending || len(s.keys) > 0 }

// Next returns the packet in place of the audio at timestamp, and whether there is
// one. There is none in the pause behind a press, nor for audio that was overtaken
// on its way.
func (s *Sender) Next(timestamp uint32) (e Event, ok bool) {
	if s.overtaken(timestamp) {
		return Event{}, false
	}
	if s.sending && s.ended >= ends && timestamp-s.at >= s.lasts+s.units(pauseTime) {
		s.sending = false
	}
	if !s.sending {
		if len(s.keys) == 0 {
			return Event{}, false
		}
		s.begun, s.sending, s.now, s.at, s.ended = true, true, s.keys[0], timestamp, 0
		s.keys = s.keys[:copy(s.keys, s.keys[1:])]
	}
	first, elapsed := timestamp == s.at, timestamp-s.at+s.units(step)
	if s.ended == 0 {
		s.lasts = min(elapsed, s.units(maxPress)) // the audio's timestamps may jump
	}
	if s.ended > 0 || elapsed >= s.units(maxPress) || elapsed >= s.units(pressTime) && !s.now.held {
		s.ended++
	}
	if s.ended > ends {
		return Event{}, false
	}
	e = Event{Timestamp: s.at, Marker: first, End: s.ended > 0}
	e.Payload[0], e.Payload[1] = s.now.code, volume
	if e.End {
		e.Payload[1] |= 0x80
	}
	binary.BigEndian.PutUint16(e.Payload[2:], uint16(uint64(s.lasts)*uint64(s.duration)/uint64(s.clock)))
	return e, true
}

// overtaken reports whether audio at timestamp belongs before what was last sent: a
// press must not end by it, nor the next one begin with it.
func (s *Sender) overtaken(timestamp uint32) bool {
	from := s.at
	if !s.sending {
		from += s.lasts + s.units(pauseTime)
	}
	return s.begun && from-timestamp-1 < s.units(maxLate)
}

// units returns ms in units of timestamps.
func (s *Sender) units(ms uint32) uint32 { return ms * s.clock / 1000 }
