package exchange

import (
	"slices"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/route"
)

// pickup lets by talk with the caller for whom l rings.
func (x *Exchange) pickup(by, l *leg) error {
	c := l.call
	switch {
	case !l.live() || c.hunt == nil || !c.hunt.Ringing(l.Leg) || c.added || c.programmed():
		return refuse(core.Conflict, l, "the leg does not ring for a caller")
	case !x.free(by) || by.call == c || by.app != nil:
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
	if c == from || c.programmed() || from.programmed() || !c.talking() || !from.talking() || !l.joined || !with.joined {
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

// coaching is how an added party supervises a conversation instead of joining it,
// zero if it does not.
type coaching struct {
	mode   core.SuperviseMode
	target *leg
}

// addParty rings somebody who joins the conversation that l is in, or supervises
// it. The conversation goes on meanwhile, and also when nobody comes.
func (x *Exchange) addParty(l *leg, to string, mode core.SuperviseMode) error {
	c := l.call
	switch {
	case mode > core.Barge:
		return refuse(core.Invalid, l, "no such mode")
	case mode == 0 && c.programmed():
		return refuse(core.Conflict, l, "the call is an application's")
	case !l.joined || !c.talking():
		return refuse(core.Conflict, l, "the leg is in no conversation, or somebody is being added already")
	}
	plan := x.plan(l.self(), to)
	if c.programmed() {
		plan = x.supervisorPlan(l, to)
	}
	if plan.Dial == nil {
		return refuse(kindOf(plan), l, "not to be reached from here: "+to)
	}
	c.added, c.coach = true, coaching{mode: mode, target: l}
	x.connect(c, flow.Connect{Dial: plan.Dial, Dialled: plan.To.Number})
	if !c.added {
		return refuse(core.Unavailable, l, "nobody is there: "+to)
	}
	return nil
}

// supervisorPlan rings who is to supervise a call of an application.
func (x *Exchange) supervisorPlan(l *leg, to string) route.Plan {
	req, timeout := x.request(l.self(), to), route.DefaultRingTimeout
	b := x.dir.AppBranch(req, l.app.app, x.dir.AppEndpoint(to), timeout)
	if b.Refusal != nil {
		return route.Plan{Refusal: b.Refusal}
	}
	b.Waits = false
	return route.Plan{Dial: route.AppDial(l.app.app, []route.Branch{b}, timeout)}
}

// comes lets a party that was rung for a conversation into it.
func (x *Exchange) comes(c *liveCall, l *leg) {
	coach := c.coach
	c.added, c.coach = false, coaching{}
	switch {
	case coach.mode == 0:
		x.join(c, l)
		x.publishBridged(l, c.caller)
	case coach.target.call == c && coach.target.joined:
		x.watch(l, coach.target, coach.mode)
	default: // whom it was to coach has left
		x.end(l, core.CauseNormal, core.ReasonNone, 0)
	}
	x.settle(c)
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
	}
	x.watch(l, target, mode)
	x.answer(l)
	return nil
}

// superviseCall finds whom to supervise and does it.
func (x *Exchange) superviseCall(req core.SuperviseCall, reply *core.Reply) (l *leg, err error) {
	if req.Mode < core.Monitor || req.Mode > core.Barge {
		return nil, refuse(core.Invalid, nil, "no such mode")
	}
	target := req.Target
	if target == "" {
		if err := x.inCall(req.Call, func(c *liveCall) (err error) {
			target, err = c.agent(req.Mode)
			return err
		}); err != nil {
			return nil, err
		}
	}
	if req.Leg == "" {
		return x.do(core.Within{Call: req.Call, Do: core.AddParty{Leg: target, To: req.To, Mode: req.Mode}}, reply)
	}
	return x.do(core.Within{Call: req.Call, Do: core.Supervise{Leg: req.Leg, Target: target, Mode: req.Mode}}, reply)
}

// agent returns whom a supervisor means who names nobody: the one user of the
// house who talks. Who whispers to nobody may mean anybody.
func (c *liveCall) agent(mode core.SuperviseMode) (core.LegID, error) {
	talkers := c.talkers()
	users := slices.DeleteFunc(slices.Clone(talkers), func(l *leg) bool { return l.self().User.IsZero() })
	switch {
	case len(users) == 1:
		return users[0].Leg, nil
	case len(talkers) == 0:
		return "", refuse(core.Conflict, c.caller, "nobody talks in the call")
	case mode == core.Whisper:
		return "", refuse(core.Conflict, c.caller, "the call has not exactly one user: a target is needed")
	}
	return talkers[0].Leg, nil
}

// dismiss ends a supervisor.
func (x *Exchange) dismiss(l *leg) error {
	if !l.watches {
		return refuse(core.Conflict, l, "the leg does not supervise")
	}
	x.hangup(l, core.CauseNormal)
	return nil
}

// watch makes l, which is in the call of target already, its supervisor.
func (x *Exchange) watch(l, target *leg, mode core.SuperviseMode) {
	l.watches = true
	target.call.matrix.Supervise(l.Leg, target.Leg, mode)
	x.hear(target.call)
}

// setHear lets legs of a call hear each other or not.
func (x *Exchange) setHear(c *liveCall, pairs []core.HearPair) error {
	for _, p := range pairs {
		for _, id := range []core.LegID{p.From, p.To} {
			l := x.leg(id)
			switch {
			case l == nil || l.call != c || !l.live():
				return refuse(core.NotFound, nil, "no such leg in the call: "+string(id))
			case !l.joined && !l.watches:
				return refuse(core.Conflict, l, "the leg neither talks nor supervises: "+string(id))
			case x.leg(p.From) == x.leg(p.To):
				return refuse(core.Invalid, l, "no leg hears itself: "+string(id))
			}
		}
	}
	for _, p := range pairs {
		c.matrix.Set(x.leg(p.To).Leg, x.leg(p.From).Leg, p.Hears)
	}
	x.hear(c)
	return nil
}
