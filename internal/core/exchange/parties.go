package exchange

import (
	"slices"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// pickup lets by talk with the caller for whom l rings.
func (x *Exchange) pickup(by, l *leg) error {
	c := l.call
	switch {
	case !l.live() || c.hunt == nil || !c.hunt.Ringing(l.Leg) || c.added:
		return refuse(core.Conflict, l, "the leg does not ring for a caller")
	case !x.free(by) || by.call == c:
		return refuse(core.Conflict, by, "the leg is in a call")
	}
	ringing := c.hunt.Stop()
	x.stopHunt(c)
	x.endAll(ringing, core.CauseElsewhere, core.ReasonElsewhere)
	x.attach(by, c)
	x.talk(c, c.caller, by)
	x.transferred(c)
	return nil
}

// merge makes one call of two conversations, that of l.
func (x *Exchange) merge(l, with *leg) error {
	c, from := l.call, with.call
	if c == from || !c.talking() || !from.talking() || !l.joined || !with.joined {
		return refuse(core.Conflict, l, "only two conversations can be merged")
	}
	second := l.contact != "" && l.contact == with.contact
	for _, o := range slices.Clone(from.legs) {
		if o.live() && (o != with || !second) {
			x.move(o, c)
		}
	}
	if second {
		x.end(with, core.CauseNormal, core.ReasonNone, 0)
	}
	x.hear(c)
	for _, o := range c.talkers() {
		if o != l {
			x.publishBridged(o, l)
		}
	}
	return nil
}

// addParty rings somebody who joins the conversation that l is in. The
// conversation goes on meanwhile, and also when nobody comes.
func (x *Exchange) addParty(l *leg, to string) error {
	c := l.call
	if !l.joined || !c.talking() {
		return refuse(core.Conflict, l, "the leg is in no conversation")
	}
	plan := x.plan(l.self(), to)
	if plan.Dial == nil {
		return refuse(kindFor(plan.Refusal.Code), l, "not to be reached from here: "+to)
	}
	c.added = true
	x.connect(c, flow.Connect{Dial: plan.Dial, Dialled: plan.To.Number})
	if !c.added {
		return refuse(core.Unavailable, l, "nobody is there: "+to)
	}
	return nil
}

// supervise lets l hear a call without being its party.
func (x *Exchange) supervise(l, target *leg, mode core.SuperviseMode) error {
	switch {
	case mode < core.Monitor || mode > core.Barge:
		return refuse(core.Invalid, l, "no such mode")
	case !target.joined || target == l:
		return refuse(core.Conflict, target, "the leg is in no conversation")
	case l.watches && l.call == target.call:
	case !x.free(l):
		return refuse(core.Conflict, l, "the leg is in a call")
	default:
		x.attach(l, target.call)
		x.part(l)
		l.watches = true
	}
	target.call.matrix.Supervise(l.Leg, target.Leg, mode)
	x.hear(target.call)
	x.answer(l)
	return nil
}
