package demo

import (
	"math"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/phone"
)

// handset is one simulated telephone. The loop owns it.
type handset struct {
	id, kind, name, via string
	number              string // own number or user; of the visitor's mobile "" while idle
	visitor             bool
	line                *phone.Phone // desk phones have their own, mobiles share the carrier
	hz                  float64      // its tone

	status   status
	call     *phone.Call // nil while idle
	peer     peer
	since    time.Time
	last     string
	sound    sound
	speaker  *page // whose microphone it has, with sound voice
	dialler  *page // who placed its call, nil if it was called
	received uint64
}

// show returns the handset as page p sees it, in memory of its own: another goroutine
// writes it to the page's socket.
func (h *handset) show(p *page) phoneState {
	s := phoneState{
		ID: h.id, Kind: h.kind, Name: h.name, Number: h.number, Via: h.via, Visitor: h.visitor,
		State: h.status, Last: h.last, Sound: h.sound, Yours: h.sound == voice && h.speaker == p,
	}
	if h.call != nil {
		with := h.peer
		s.Peer, s.Since = &with, h.since.UnixMilli()
	}
	return s
}

// begin gives the handset a call.
func (h *handset) begin(call *phone.Call, s status, with peer) {
	h.call, h.peer, h.last, h.received = call, with, "", 0
	h.turn(s)
	h.speak()
}

func (h *handset) turn(s status) { h.status, h.since = s, time.Now() }

// end takes the call away.
func (h *handset) end(last string) {
	h.call, h.peer, h.dialler, h.last = nil, peer{}, nil, last
	h.turn(idle)
	if h.visitor {
		h.number = ""
	}
	if !h.line.Registered() && h.kind == "desk" {
		h.status = offline
	}
}

// speak makes the call sound as h.sound says.
func (h *handset) speak() {
	if h.call == nil {
		return
	}
	var source phone.Source
	var sink phone.Sink
	switch h.sound {
	case tone:
		source = phone.Tone(h.hz)
	case voice:
		if h.speaker != nil {
			source, sink = h.speaker.mic.fill, h.speaker.ear()
		}
	case silence:
	}
	h.call.Say(source)
	h.call.Listen(sink)
}

// level returns what the handset heard since it was asked last, in dB below full
// scale.
func (h *handset) level() int {
	received := h.call.Stats().PacketsReceived
	news := received != h.received
	h.received = received
	if !news {
		return meter.Silence
	}
	return int(math.Round(meter.Level(h.call.Heard(levelTime))))
}

// phoneEvent takes what the phone of that line reports; "" is the carrier's.
func (d *Demo) phoneEvent(line string, ev phone.Event) {
	d.dirty = true
	switch ev.Kind {
	case phone.Registered, phone.Unregistered:
		if h := d.find(line); h != nil && h.call == nil {
			h.end(h.last)
		}
	case phone.Incoming:
		d.rang(line, ev)
	case phone.Answered:
		if h := d.inCall(ev.Call); h != nil {
			h.turn(talking)
		}
	case phone.Ended:
		if h := d.inCall(ev.Call); h != nil {
			h.end(ev.Reason)
		}
	case phone.Ringing, phone.Early, phone.Held, phone.Resumed, phone.Digit, phone.Referred:
		// The ladder shows them.
	}
}

// rang makes a handset ring, unless it is in a call or does not exist.
func (d *Demo) rang(line string, ev phone.Event) {
	h := d.reached(line, ev.To)
	if h == nil {
		if call := d.carrier.Call(ev.Call); call != nil {
			call.Decline(404)
		}
		return
	}
	call := h.line.Call(ev.Call)
	switch {
	case call == nil: // gone again
	case h.call != nil:
		call.Decline(486)
	default:
		if h.visitor {
			h.number = strings.TrimPrefix(ev.To, "+")
		}
		call.Ring()
		h.begin(call, ringing, peer{strings.TrimPrefix(ev.Peer.Number, "+"), d.nameOf(ev.Peer)})
	}
}

// inCall returns the handset that has this call, nil if none does.
func (d *Demo) inCall(id string) *handset {
	for _, h := range d.handsets {
		if h.call != nil && h.call.ID() == id {
			return h
		}
	}
	return nil
}
