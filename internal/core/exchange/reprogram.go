package exchange

import (
	"slices"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// replaceFlow lets a leg run verbs in place of what it does; a leg that rings runs
// them when it has answered.
func (x *Exchange) replaceFlow(l *leg, verbs []flow.Verb) error {
	switch {
	case l.app == nil:
		return refuse(core.Conflict, l, "the leg is no application's")
	case l.watches:
		return refuse(core.Conflict, l, "the leg supervises")
	case l.direction == core.Inbound || l.state == talking:
	case l.app.dialled.created:
		l.app.dialled.verbs = append([]flow.Verb{}, verbs...)
		return nil
	default:
		return refuse(core.Conflict, l, "the leg rings for another")
	}
	x.reprogram(l, verbs)
	return nil
}

// reprogram stops what a leg does and hears, takes it out of its call and lets it run
// verbs. A leg that goes on in the conversation it is in stays there.
func (x *Exchange) reprogram(l *leg, verbs []flow.Verb) {
	x.halt(l)
	for slot := range core.InjectSlots {
		l.call.matrix.Inject(l.Leg, slot, core.Sound{})
	}
	x.hear(l.call)
	x.answer(l)
	if !x.stays(l, verbs) {
		x.takeOut(l)
	}
	l.app.verbs = verbs
	x.step(l)
}

// stays reports whether the first of verbs leads to where the leg is.
func (x *Exchange) stays(l *leg, verbs []flow.Verb) bool {
	if !l.inRoom() || len(verbs) == 0 {
		return false
	}
	v, ok := verbs[0].(flow.Converse)
	return ok && x.rooms[roomName{l.app.app, v.Name}] == l.call
}

// takeOut gives a leg a call of its own, unless it is alone. The others stay.
func (x *Exchange) takeOut(l *leg) {
	from := l.call
	alone := !slices.ContainsFunc(from.legs, func(o *leg) bool { return o != l && o.live() })
	if alone && from.room == nil {
		x.part(l) // whom it talked with may have been taken out before
		return
	}
	for _, kind := range []core.TimerKind{core.TimerRing, core.TimerAnswer, core.TimerSilence} {
		x.stopTimer(l, kind)
	}
	if from.winner == l {
		from.winner = nil
	}
	l.app.room = nil
	x.part(l)
	c, led := x.openCall(l, flow.Talk{}), from.caller == l
	x.relocate(l, c)
	x.speaks(l)
	x.publishMoved(l, core.ChangeLeft, from)
	x.hear(c)
	x.leftBehind(from, led)
}

// leftBehind goes on with a call that a leg was taken out of; led says that it was
// the one for whom the call was.
func (x *Exchange) leftBehind(c *liveCall, led bool) {
	rest := slices.DeleteFunc(slices.Clone(c.legs), func(o *leg) bool { return !o.live() || o.watches })
	switch {
	case c.room != nil:
		x.roomLeft(c, led)
	case len(rest) == 0:
		x.unwatch(c)
	case led:
		x.handOver(c, rest[0])
	default:
		x.hear(c)
		x.calleeGone(c)
	}
}

// calleeGone goes on with the flow of who called, when the callee is gone that talked
// or was to be joined.
func (x *Exchange) calleeGone(c *liveCall) {
	if l := c.caller; !l.joined && c.hunt == nil && c.winner == nil {
		x.stopTimer(l, core.TimerAnswer)
		x.callFailed(c, flow.Outcome{Cause: core.CauseNormal})
		return
	}
	x.calleeLeft(c)
}

// mute drops the voice of a leg or lets it be heard again, whatever its conversation
// wanted.
func (x *Exchange) mute(l *leg, muted bool) {
	if p := l.app; p != nil {
		p.muted = muted
		if p.room != nil {
			p.room.Mute = false
		}
	}
	l.call.matrix.Mute(l.Leg, muted)
	x.hear(l.call)
}

func (x *Exchange) earmuff(l *leg, on bool) {
	if l.app != nil {
		l.app.deaf = on
	}
	l.call.matrix.Earmuff(l.Leg, on)
	x.hear(l.call)
}

// showSilenced lets a browser show what a request did to it; phones have no way to.
func (x *Exchange) showSilenced(l *leg, deaf, on bool) {
	if l.Edge == core.EdgeBrowser && !l.virtual && l.live() {
		x.emit(core.Silenced{LegRef: l.LegRef, Deaf: deaf, On: on})
	}
}

// inject plays a sound to a leg over all that it hears, before the answer too.
func (x *Exchange) inject(l *leg, req core.Inject) error {
	switch {
	case req.Slot >= core.InjectSlots:
		return refuse(core.Invalid, l, "no such slot")
	case !l.virtual && (l.direction == core.Inbound || l.state == talking):
	case req.Sound.IsZero():
		return nil // nothing plays that could be stopped
	default:
		return refuse(core.Conflict, l, "the leg hears nothing yet")
	}
	sound := req.Sound
	if !sound.IsZero() {
		sound = x.again(sound)
		x.bringUp(l)
	}
	l.call.matrix.Inject(l.Leg, req.Slot, sound)
	x.hear(l.call)
	return nil
}

func (x *Exchange) sendKeys(l *leg, digits string) error {
	if l.virtual || l.state != talking {
		return refuse(core.Conflict, l, "the leg is not answered")
	}
	x.emit(core.SendDigits{Leg: l.Leg, Digits: digits})
	return nil
}

func (x *Exchange) watchKeys(l *leg, req core.WatchKeys) error {
	if l.app == nil {
		return refuse(core.Conflict, l, "the leg is no application's")
	}
	l.app.watch = nil
	if req.On {
		l.app.watch = &req.Hook
	}
	return nil
}
