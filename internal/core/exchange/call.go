package exchange

import (
	"slices"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/call"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/ring"
	"github.com/offhook/offhook/internal/core/route"
)

// liveCall is one call: its legs, who hears whom, and the flow of its caller.
type liveCall struct {
	id      core.CallID
	seq     uint64 // order of beginning on this node
	matrix  call.Call
	legs    []*leg // in order of beginning
	caller  *leg
	flow    *flow.Flow
	hunt    *ring.Hunt // of a running Connect, until somebody accepts; else nil
	winner  *leg       // who accepted; nil when it is gone again
	bridged bool       // caller and winner talk
	heard   bool       // the caller hears, or heard, the callee's early media
	queues  []*trunk   // where candidates wait, or waited
}

// offered takes in a new incoming leg, in a call of its own.
func (x *Exchange) offered(ev core.Offered) {
	if ev.Leg == "" || x.legs[ev.Leg] != nil {
		return // two legs never have one name; an edge that repeats itself changes nothing
	}
	plan := x.dir.Plan(route.Request{Now: x.now, From: ev.From, Dialled: ev.To, Random: x.random})
	x.begun++
	c := &liveCall{id: core.CallID(x.newID()), seq: x.begun}
	x.calls[c.id] = c
	c.caller = &leg{
		LegRef:    core.LegRef{Leg: ev.Leg, Edge: ev.Edge},
		direction: core.Inbound, contact: ev.Contact,
		from: x.dir.Caller(ev.From, core.Target{}, ""), to: plan.To,
	}
	x.begin(c.caller, c)
	c.flow = flow.New(x.verbs(plan)...)
	x.run(c, c.flow.Current())
}

// run starts a verb of the caller's flow.
func (x *Exchange) run(c *liveCall, verb flow.Verb) {
	switch verb.Needs() {
	case flow.NeedEarly:
		x.progress(c)
	case flow.NeedAnswer:
		x.answer(c.caller)
	case flow.NeedNothing:
	}
	switch verb := verb.(type) {
	case flow.Connect:
		x.connect(c, verb)
	case flow.Announce:
		c.matrix.Play(c.caller.Leg, verb.Sound)
		x.hear(c)
		x.startTimer(c.caller, core.TimerPlay, playTime)
	case flow.Hangup:
		x.end(c.caller, verb.Cause, core.ReasonNone, verb.Code)
	}
}

// next ends the running verb and starts the one that follows.
func (x *Exchange) next(c *liveCall, o flow.Outcome) {
	x.run(c, c.flow.Next(o))
}

// lost says what the end of a leg from its own side means for its call.
func (x *Exchange) lost(c *liveCall, l *leg) {
	switch l {
	case c.caller:
		x.abandoned(c)
	case c.winner:
		x.winnerGone(c, l)
	default:
		x.candidateGone(c, l)
	}
}

// abandoned ends what a caller leaves behind: a conversation, or everything
// that rings for it.
func (x *Exchange) abandoned(c *liveCall) {
	reason := core.ReasonCallerGone
	if c.bridged {
		reason = core.ReasonNone
	}
	x.release(c, core.CauseNormal, reason)
}

// release ends all legs of a call and its hunt. It relies on nothing but the
// list of legs, so that it is safe in every state, also in a broken one.
func (x *Exchange) release(c *liveCall, cause core.Cause, reason core.Reason) {
	if c.hunt != nil {
		c.hunt.Stop()
		x.stopHunt(c)
	}
	for _, l := range slices.Clone(c.legs) {
		x.end(l, cause, reason, 0)
	}
}

// answer answers an incoming leg, once.
func (x *Exchange) answer(l *leg) {
	x.stopTimer(l, core.TimerAnswer)
	if l.state != setup || l.direction != core.Inbound {
		return
	}
	l.state = talking
	x.emit(core.Answer{LegRef: l.LegRef, Peers: l.call.peers()})
	x.publish(l, core.ChangeAnswered)
}

// progress lets the caller hear us before the answer, once.
func (x *Exchange) progress(c *liveCall) {
	l := c.caller
	if l.state != setup || l.early {
		return
	}
	l.early = true
	x.emit(core.Progress{LegRef: l.LegRef, Early: true, Peers: c.peers()})
}

// peers counts whom the caller's codec shall suit.
func (c *liveCall) peers() core.Peers {
	switch {
	case c.winner != nil:
		return peersOf(c.winner)
	case c.hunt != nil:
		return c.hunt.Peers()
	}
	return core.Peers{}
}

func peersOf(l *leg) core.Peers {
	switch {
	case l.to.Trunk != "":
		return core.Peers{Trunks: 1}
	case l.Edge == core.EdgeBrowser:
		return core.Peers{Browsers: 1}
	}
	return core.Peers{Phones: 1}
}

// legHeld notes a hold by a leg's own phone.
func (x *Exchange) legHeld(l *leg, held bool) {
	if !l.call.matrix.Hold(l.Leg, held) {
		return
	}
	kind := core.ChangeResumed
	if held {
		kind = core.ChangeHeld
	}
	x.publish(l, kind)
	x.hear(l.call)
}

// played notes that a sound came to its end.
func (x *Exchange) played(l *leg, sound core.Sound) {
	if verb, ok := l.call.flow.Current().(flow.Announce); ok && l == l.call.caller && verb.Sound == sound {
		x.announced(l)
	}
}

// announced ends the announcement that the caller heard.
func (x *Exchange) announced(l *leg) {
	x.stopTimer(l, core.TimerPlay)
	l.call.matrix.Play(l.Leg, core.Sound{})
	x.next(l.call, flow.Outcome{})
}

// hear orders the rows of the call that changed.
func (x *Exchange) hear(c *liveCall) {
	for _, row := range c.matrix.Rows() {
		x.emit(row)
	}
}
