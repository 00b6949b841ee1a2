package media

import (
	"encoding/binary"
	"time"
)

// keyHearer is a path of a virtual leg that is told of the keys of those it hears.
type keyHearer interface {
	// HearKey is told of each key, once, when it ends, and how long it was pressed.
	// It does not block.
	HearKey(key byte, lasted time.Duration)
}

// usualPress is how long a key lasts of which nothing is known but that it was
// pressed.
const usualPress = 100 * time.Millisecond

// tell lets a virtual leg know of a key that is over.
func (p keyPress) tell(hearer *member) {
	to, ok := hearer.path.(keyHearer)
	if !ok || !hearer.virtual() {
		return
	}
	switch p.form {
	case formInfo, formOurs:
		to.HearKey(p.key, usualPress)
	case formEnded:
		to.HearKey(p.key, p.lasted)
	case formEvent, formTone: // it has just begun
	}
}

// heldKey is the key that a speaker holds down.
type heldKey struct {
	key    byte // 0 for none
	lasted time.Duration
	stamp  uint32    // of its telephone-events
	at     time.Time // the last of them came
}

// hold notes a key whose first telephone-event is p.
func (e *ear) hold(key byte, p *Packet) {
	e.letGo() // the end of the one before is lost
	e.held = heldKey{key: key, stamp: p.Timestamp}
	e.follow(p)
}

// follow notes what p says of the key that is held; it may be audio, which says
// that an end is overdue.
func (e *ear) follow(p *Packet) {
	switch {
	case e.in.RecvDTMF == 0:
		return // tones end by themselves
	case p.Type == e.in.RecvDTMF && p.Timestamp == e.held.stamp && p.Len >= eventSize:
		units := float64(binary.BigEndian.Uint16(p.Payload()[2:]))
		lasted := time.Duration(units * float64(time.Second) / float64(max(e.in.DTMFClock, 1)))
		e.held.lasted = max(e.held.lasted, lasted)
		e.held.at = time.Now()
		if p.Payload()[1]&endBit != 0 {
			e.letGo()
		}
	case time.Since(e.held.at) > pressSilence:
		e.letGo()
	}
}

// letGo ends the key that is held, if there is one.
func (e *ear) letGo() {
	if e.held.key != 0 {
		e.server.keyboard.press(e.server, keyPress{leg: e.leg, key: e.held.key, form: formEnded, lasted: e.held.lasted})
	}
	e.held = heldKey{}
}
