package exchange

import (
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/ring"
	"github.com/offhook/offhook/internal/core/route"
)

// maxDiverts bounds how often one call falls through to the next destination.
const maxDiverts = 8

// connect rings whom a Connect names for the caller of c.
func (x *Exchange) connect(c *liveCall, verb flow.Connect) {
	c.connect, c.alerted, c.heard, c.due = verb, false, false, time.Time{}
	c.hunt = ring.Start(x.now, verb.Dial, &x.memory, x.dice.IntN)
	x.advance(c)
}

// huntDue goes on with a hunt when its timer fired.
func (x *Exchange) huntDue(c *liveCall) {
	if c.hunt == nil {
		return
	}
	if c.due.After(x.now) {
		x.now = c.due // a timer is right, whatever the clock says
	}
	x.advance(c)
}

// advance does what is due in a hunt, until there is nothing to do but wait, or
// nobody left to wait for.
func (x *Exchange) advance(c *liveCall) {
	for again := true; again; {
		work := c.hunt.Advance(x.now)
		x.endAll(work.Stop, core.CauseNoAnswer, core.ReasonTimeout)
		x.endAll(work.Slow, core.CauseNoResponse, core.ReasonTimeout)
		x.unqueue(c, work.Drop)
		for _, node := range work.Try {
			x.try(c, node)
		}
		again = len(work.Try) > 0
	}
	x.endEndpoints(c)
	if c.hunt.Over() {
		x.hunted(c)
		return
	}
	x.rearm(c)
	x.ringback(c)
}

// advanceHunt does what is due in a hunt, if there is one.
func (x *Exchange) advanceHunt(c *liveCall) {
	if c.hunt != nil {
		x.advance(c)
	}
}

// rearm sets the timer of a hunt to what is due next.
func (x *Exchange) rearm(c *liveCall) {
	due := c.hunt.Due()
	if due.Equal(c.due) && c.caller.timers.running(core.TimerRing) {
		return
	}
	c.due = due
	if due.IsZero() {
		x.stopTimer(c.caller, core.TimerRing)
		return
	}
	x.startTimer(c.caller, core.TimerRing, max(0, due.Sub(x.now)))
}

// maxHops is how many numbers of ours may lead to each other in a row: an application
// that rings the number that it answers would ring for ever.
const maxHops = 3

// try rings one endpoint, or passes it over.
func (x *Exchange) try(c *liveCall, node *ring.Node) {
	target := node.Target()
	x.virtualFor(c, node)
	switch {
	case node.Branch.Refusal != nil:
		c.hunt.Skip(node, node.Branch.Refusal.Cause, node.Branch.Refusal.Code)
		return
	case !target.Socket.IsZero():
		x.candidate(c, node, core.EdgeSocket, target)
		return
	case target.Own && c.caller.hops >= maxHops:
		c.hunt.Skip(node, core.CauseNoRoute, 0)
		return
	case target.Own:
		x.candidate(c, node, core.EdgeLoop, target)
		return
	case target.User.IsZero():
		x.candidate(c, node, core.EdgeSIP, target)
		return
	}
	if node.SkipsBusy() && x.lines[target.User] > 0 {
		c.hunt.Skip(node, core.CauseBusy, 486)
		return
	}
	x.candidateContacts(c, node, target.User)
}

// candidateContacts rings those registrations of a user whose turn it is.
func (x *Exchange) candidateContacts(c *liveCall, node *ring.Node, user core.UserID) {
	for _, contact := range node.Turn(x.contacts.of(user)) {
		x.candidateContact(c, node, contact)
	}
}

// candidateContact rings one registration of a user, but never the one that calls.
func (x *Exchange) candidateContact(c *liveCall, node *ring.Node, contact core.Contact) {
	if contact.ID != c.caller.contact {
		x.candidate(c, node, contact.Edge, core.Target{Contact: contact.ID, User: contact.User})
	}
}

// candidate adds one leg to the running hunt, and rings it as soon as its trunk allows.
func (x *Exchange) candidate(c *liveCall, node *ring.Node, edge core.Edge, target core.Target) {
	user, _ := x.dir.User(target.User)
	cand := ring.Candidate{
		Leg: core.LegID(x.newID()), Edge: edge, Target: target, DeclineAll: user.DeclineAll,
		CallerID: node.Branch.CallerID,
	}
	if f := x.virtualFor(c, node); f != nil {
		cand.As = f.Leg
	}
	if target.Trunk != "" {
		x.candidateTrunk(c, node, cand)
		return
	}
	if c.hunt.Add(node, cand) {
		x.ring(c, cand)
	}
}

// candidateTrunk adds a leg that uses a trunk, within the limits of who causes
// it. It counts from now on, also while it waits for the trunk's pace.
func (x *Exchange) candidateTrunk(c *liveCall, node *ring.Node, cand ring.Candidate) {
	by := c.connect.Dial.By
	if r := x.meter.Admit(x.now, x.dir, by, cand.Target.Trunk); r != nil {
		c.hunt.Skip(node, r.Cause, r.Code)
		return
	}
	if c.hunt.Add(node, cand) {
		x.meter.Begin(x.now, cand.Leg, by, cand.Target.Trunk)
		x.queue(c, cand)
	}
}

// ring orders a candidate's leg. The time of its step runs from now: a call that
// waited for its trunk still gets its full time.
func (x *Exchange) ring(c *liveCall, cand ring.Candidate) {
	c.hunt.Launch(cand.Leg, x.now)
	l := &leg{
		LegRef:    core.LegRef{Leg: cand.Leg, Edge: cand.Edge},
		direction: core.Outbound, contact: cand.Target.Contact,
		from: c.caller.self(),
		to:   x.dir.Callee(cand.Target, c.connect.Dialled),
	}
	order := core.Ring{LegRef: l.LegRef, Call: c.id, Target: cand.Target, To: l.to, Caller: c.caller.LegRef}
	if f := x.legs[cand.As]; f != nil {
		l.face, l.from = f, f.from
		order.Headers, order.As = f.app.headers, cand.As
	}
	if cand.Target.Own {
		order.Hops = c.caller.hops + 1
	}
	if c.caller.virtual {
		order.Caller = core.LegRef{} // nobody waits
	}
	l.from = x.dir.Caller(l.from, cand.Target, cand.CallerID)
	order.From = l.from
	x.begin(l, c)
	x.emit(order)
	x.rearm(c)
}

// legRinging lets the caller hear ringback when the first callee is alerted,
// unless it hears the callee's own early media already.
func (x *Exchange) legRinging(l *leg) {
	c := l.call
	if l.direction != core.Outbound || l.state != setup || c.hunt == nil {
		return
	}
	if l.early {
		x.rangLate(l)
	}
	if l.rang {
		return
	}
	l.rang = true
	x.publish(l, core.ChangeRinging)
	x.ringsFor(l)
	if c.hunt.Alert(l.Leg) {
		x.alert(c)
		x.ringback(c)
	}
	x.rearm(c)
}

// rangLate passes on, once, that a callee is alerted whose early media the caller
// hears already (180 after 183 with SDP). The early media goes on.
func (x *Exchange) rangLate(l *leg) {
	c := l.call
	if l.late || c.caller.state != setup || !c.matrix.Overhears(c.caller.Leg) {
		return
	}
	l.late = true
	x.emit(core.Progress{LegRef: c.caller.LegRef, Peers: c.peers(c.caller)})
}

// ringback lets a caller who waits hear that it rings, unless it hears a callee
// itself. It is repeated when a leg ends whose early media it may have heard.
func (x *Exchange) ringback(c *liveCall) {
	if c.alerted && !c.added && c.caller != c.winner && !c.matrix.Overhears(c.caller.Leg) {
		c.matrix.Play(c.caller.Leg, c.connect.Dial.Hears)
	}
	x.hear(c)
}

// legEarly passes a single callee's early media to the caller. A group's is
// never passed: one voicemail greeting would speak for ten phones.
func (x *Exchange) legEarly(l *leg) {
	c := l.call
	if l.direction != core.Outbound || l.state != setup {
		return
	}
	l.early = true
	if c.hunt == nil {
		return
	}
	x.ringsFor(l)
	if c.added || c.connect.Dial.NoEarly || c.connect.Dial.Group != "" || !c.hunt.Single() {
		return
	}
	c.hunt.Alert(l.Leg)
	x.alert(c)
	c.heard = true
	c.matrix.Overhear(c.caller.Leg, l.Leg)
	x.hear(c)
}

// alert tells the caller, and who sent it on, that somebody is being alerted.
func (x *Exchange) alert(c *liveCall) {
	if !c.alerted {
		c.alerted = true
		x.transferring(c, 180, false)
	}
	if c.added {
		return
	}
	x.progress(c)
	if !c.caller.rang {
		c.caller.rang = true
		x.publish(c.caller, core.ChangeRinging)
	}
}

// candidateGone notes that a leg which rang has ended by itself.
func (x *Exchange) candidateGone(c *liveCall, l *leg) {
	if c.hunt == nil {
		return
	}
	cause, code := l.cause, l.code
	if l.state == accepted || l.state == talking {
		cause, code = core.CauseNoAnswer, 480 // hung up instead of pressing the key
	}
	declined := c.hunt.Gone(l.Leg, cause, code)
	x.endAll(declined, core.CauseRejected, core.ReasonDeclinedElsewhere)
	x.advance(c)
}

// hunted goes on when nobody took the call: with the conversation that went on
// anyway, with who sent the caller on, or with the caller's flow.
func (x *Exchange) hunted(c *liveCall) {
	cause, code := c.hunt.Outcome()
	// Early media before a time-out was no more than a ringback tone.
	late := c.hunt.TimedOut()
	o := flow.Outcome{Heard: c.heard && !late, TimedOut: late, Cause: cause, Code: code}
	x.stopHunt(c)
	x.failed(c, o)
}

// failed goes on after a Connect that led to nobody.
func (x *Exchange) failed(c *liveCall, o flow.Outcome) {
	switch {
	case c.added:
		c.added, c.coach = false, coaching{}
		x.settle(c)
	case c.programmed():
		x.callFailed(c, o)
	case c.referrer != nil:
		x.returned(c, o)
	default:
		x.fallThrough(c, o)
	}
}

// fallThrough sends the caller where its group says, or on in its flow.
func (x *Exchange) fallThrough(c *liveCall, o flow.Outcome) {
	to := destination(c.connect.Dial, o.Cause)
	if to == nil || c.diverts >= maxDiverts {
		x.next(c, o)
		return
	}
	c.diverts++
	plan := x.dir.Divert(x.request(c.caller.self(), c.connect.Dialled), to)
	if plan.App != "" && !x.draining {
		x.handOverTo(plan.App, c)
		return
	}
	x.run(c, c.flow.Divert(o, x.verbs(plan)...))
}

// destination returns where a group sends callers whom nobody answered, by why.
func destination(d *route.Dial, cause core.Cause) *route.Destination {
	switch cause {
	case core.CauseNoAnswer:
		return d.NoAnswer
	case core.CauseBusy, core.CauseRejected:
		return d.Busy
	case core.CauseUnreachable, core.CauseNoResponse, core.CauseUnallocated:
		return d.Unreachable
	case core.CauseNormal, core.CauseElsewhere:
		return nil
	default:
		return d.Failed
	}
}

// stopHunt forgets a hunt that is over: its timer, and its calls that wait for a trunk.
func (x *Exchange) stopHunt(c *liveCall) {
	c.hunt = nil
	x.stopTimer(c.caller, core.TimerRing)
	x.unqueueAll(c)
}

func (x *Exchange) endAll(legs []core.LegID, cause core.Cause, reason core.Reason) {
	for _, id := range legs {
		if l := x.legs[id]; l != nil {
			x.end(l, cause, reason, 0)
		}
	}
}
