package rtcedge

import "github.com/offhook/offhook/internal/core"

// Do carries out one command for a browser leg and returns at once. A command
// for a leg that has ended meanwhile means nothing.
func (e *Edge) Do(cmd core.LegCommand) {
	if ring, ok := cmd.(core.Ring); ok {
		e.ring(ring)
		return
	}
	d := e.owner(cmd.LegID())
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.legs[cmd.LegID()]
	if l == nil {
		return
	}
	switch cmd := cmd.(type) {
	case core.Progress:
		d.progressLocked(l, cmd)
	case core.Answer:
		d.answerLocked(l)
	case core.End:
		d.goneLocked(l, cmd.Cause, cmd.Reason)
	case core.Silenced:
		d.sendLocked(silenced{Type: "silenced", Leg: l.id, Deaf: cmd.Deaf, On: cmd.On})
	}
}

// Moved tells the party of a leg, by the name that applications know, that it is in
// another call now. It returns at once.
func (e *Edge) Moved(leg core.LegID, to core.CallID) {
	leg = e.named(leg)
	d := e.owner(leg)
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.legs[leg]; l != nil && l.call != to {
		l.call = to
		d.sendLocked(moved{Type: "moved", Leg: l.id, Call: to})
	}
}

// ring proposes a leg to a device. One that is not connected, or has its hands
// full, refuses at once so that a hunt need not wait for it.
func (e *Edge) ring(cmd core.Ring) {
	d := e.device(cmd.Target.Contact)
	if d == nil {
		e.post(core.LegGone{Leg: cmd.Leg, Cause: core.CauseUnreachable})
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.legs[cmd.Leg] != nil: // ordered twice: it rings already
	case d.socket == nil || d.ended:
		e.post(core.LegGone{Leg: cmd.Leg, Cause: core.CauseUnreachable})
	case len(d.order) >= e.Limits.Legs:
		e.post(core.LegGone{Leg: cmd.Leg, Cause: core.CauseBusy})
	default:
		l := &leg{
			id: cmd.Leg, as: cmd.As, call: cmd.Call, incoming: true, state: stateRinging,
			from: cmd.From, to: cmd.To,
		}
		d.addLocked(l)
		d.sendLocked(incoming{Type: "incoming", Call: l.wire()})
	}
}

// progressLocked tells the caller that somebody is alerted, once for each news.
func (d *device) progressLocked(l *leg, cmd core.Progress) {
	if l.incoming || l.taken() || l.state == stateRinging && (l.early || !cmd.Early) {
		return
	}
	l.state = stateRinging
	l.early = cmd.Early
	early := cmd.Early
	d.sendLocked(legEvent{Type: "ringing", Leg: l.id, Early: &early})
}

// answerLocked tells the caller that the far end took the call.
func (d *device) answerLocked(l *leg) {
	if l.incoming || l.taken() {
		return
	}
	l.state = stateConnecting
	d.sendLocked(legEvent{Type: "answered", Leg: l.id})
	d.settleLocked(l)
}
