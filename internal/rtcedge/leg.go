package rtcedge

import (
	"time"

	"github.com/offhook/offhook/internal/core"
)

// legState is how far a leg is; the words are the protocol's.
type legState string

const (
	stateCalling    legState = "calling"    // outgoing: nothing heard yet
	stateRinging    legState = "ringing"    // somebody is alerted
	stateConnecting legState = "connecting" // accepted or answered, path not up
	stateActive     legState = "active"     // core knows LegUp
)

// leg is one leg of a device; the device's lock guards it. Directions are the
// client's: an incoming call is an outbound leg to the exchange.
type leg struct {
	id       core.LegID
	as       core.LegID  // what applications call it, "" for id
	call     core.CallID // incoming only
	incoming bool
	request  string // outgoing only: id of the request that made it
	from, to core.Party
	state    legState
	upAt     time.Time // when state became active
	alerted  bool      // incoming: the client confirmed that it rings
	early    bool      // outgoing: we send audio before the answer
	muted    bool
	path     *path // nil until one is named
	// joined is the path that the media server has for the leg. It stays until
	// another one is up in its place, so that a change is not heard, and so that
	// the media server keeps what the leg hears.
	joined *path
}

// taken reports whether the leg was accepted or answered.
func (l *leg) taken() bool { return l.state == stateConnecting || l.state == stateActive }

// audible reports whether sound may pass. A leg that still rings here is silent
// both ways: nobody agreed to be heard yet.
func (l *leg) audible() bool { return !l.incoming || l.taken() }

func (l *leg) wire() call {
	c := call{
		Leg: l.id, As: l.as, Call: l.call, Direction: "outgoing", Request: l.request, State: string(l.state),
		From: partyOf(l.from), To: partyOf(l.to), Early: l.early, Muted: l.muted,
	}
	if l.incoming {
		c.Direction = "incoming"
	}
	if l.path != nil {
		c.Path = l.path.id
	}
	if l.state == stateActive {
		c.Active = int(time.Since(l.upAt).Seconds())
	}
	return c
}

// addLocked makes l a live leg of the device.
func (d *device) addLocked(l *leg) {
	d.legs[l.id] = l
	d.order = append(d.order, l)
	d.edge.index(l.id, d)
}

// settleLocked does what a change of l's state or path made possible: it joins
// the path to the leg, and reports the leg up.
func (d *device) settleLocked(l *leg) {
	if l.path == nil || !l.path.up || !l.audible() {
		return
	}
	l.joined = l.path
	d.edge.Media.Attach(l.id, l.path.media) // the same once more is no news to it
	if l.state == stateConnecting {
		l.state, l.upAt = stateActive, time.Now()
		if l.as != "" {
			d.edge.name(l.as, l.id)
		}
		d.edge.post(core.LegUp{Leg: l.id})
		d.sendLocked(legEvent{Type: "up", Leg: l.id})
	}
}

// goneLocked is the only end of a leg: one LegGone, one terminal message. Its
// path stays with the device.
func (d *device) goneLocked(l *leg, cause core.Cause, reason core.Reason) {
	delete(d.legs, l.id)
	for i, other := range d.order {
		if other == l {
			d.order = append(d.order[:i], d.order[i+1:]...)
			break
		}
	}
	d.edge.unindex(l.id)
	if l.as != "" {
		d.edge.unname(l.as, l.id)
	}
	if l.joined != nil {
		d.edge.Media.Detach(l.id)
	}
	d.partLocked(l)
	d.edge.post(core.LegGone{Leg: l.id, Cause: cause})
	ev := legEvent{Type: "ended", Leg: l.id, Request: l.request, Cause: cause, Reason: reason.String()}
	if l.incoming && reason == core.ReasonElsewhere {
		ev.Type = "handled"
	}
	d.tellEndLocked(ev)
}
