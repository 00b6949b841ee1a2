package exchange

import (
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/ring"
	"github.com/offhook/offhook/internal/core/route"
)

const (
	// answerTime is how long a caller waits for the winner's media before it is
	// answered anyway: its phone would think that nobody took the call.
	answerTime = 2 * time.Second
	// mediaTime is how long an accepted leg may take to bring its media up.
	mediaTime = 5 * time.Second
	// playTime bounds an announcement whose end is never reported.
	playTime = 10 * time.Second
)

// verbs turns a plan into the caller's flow.
func (x *Exchange) verbs(plan route.Plan) []flow.Verb {
	switch {
	case x.draining:
		return []flow.Verb{flow.Hangup{Cause: core.CauseTempFailure, Code: 503}}
	case plan.Dial != nil:
		verb := flow.Connect{
			Dialled: plan.To.Number, Group: plan.Dial.Group != "", Timeout: plan.Dial.Timeout, Ringback: plan.Dial.Hears.Name,
		}
		for _, b := range plan.Dial.Branches {
			verb.Targets = append(verb.Targets, b.Target)
		}
		return []flow.Verb{verb}
	}
	hangup := flow.Hangup{Cause: plan.Refusal.Cause, Code: plan.Refusal.Code}
	if plan.Refusal.Sound.IsZero() {
		return []flow.Verb{hangup}
	}
	return []flow.Verb{flow.Announce{Sound: plan.Refusal.Sound}, hangup}
}

// connect rings everybody a Connect names.
func (x *Exchange) connect(c *liveCall, verb flow.Connect) {
	c.hunt = &ring.Hunt{}
	for _, target := range verb.Targets {
		if target.User.IsZero() {
			x.candidate(c, core.EdgeSIP, target)
			continue
		}
		for _, contact := range x.contacts.of(target.User) {
			x.candidateContact(c, contact)
		}
	}
	x.checkHunt(c)
}

// candidateContact rings one registration of a user, but never the one that calls.
func (x *Exchange) candidateContact(c *liveCall, contact core.Contact) {
	if contact.ID != c.caller.contact {
		x.candidate(c, contact.Edge, core.Target{Contact: contact.ID, User: contact.User})
	}
}

// candidate adds one leg to the running hunt, and rings it as soon as its trunk allows.
func (x *Exchange) candidate(c *liveCall, edge core.Edge, target core.Target) {
	user, _ := x.dir.User(target.User)
	cand := ring.Candidate{
		Leg: core.LegID(x.newID()), Edge: edge, Target: target, DeclineAll: user.DeclineAll,
	}
	if !c.hunt.Add(cand) {
		return
	}
	if target.Trunk != "" {
		x.queue(c, cand)
		return
	}
	x.ring(c, cand)
}

// ring orders a candidate's leg. The ring time-out runs from the first of them:
// a call that waited for its trunk still gets its full time.
func (x *Exchange) ring(c *liveCall, cand ring.Candidate) {
	verb, ok := c.flow.Current().(flow.Connect)
	if !ok {
		return
	}
	c.hunt.Launch(cand.Leg)
	l := &leg{
		LegRef:    core.LegRef{Leg: cand.Leg, Edge: cand.Edge},
		direction: core.Outbound, contact: cand.Target.Contact,
		from: x.dir.Caller(c.caller.from, cand.Target, ""), to: x.dir.Callee(cand.Target, verb.Dialled),
	}
	x.begin(l, c)
	x.emit(core.Ring{LegRef: l.LegRef, Call: c.id, Target: cand.Target, From: l.from, To: l.to, Caller: c.caller.LegRef})
	if !c.caller.timers.running(core.TimerRing) {
		x.startTimer(c.caller, core.TimerRing, verb.Timeout)
	}
}

// legRinging lets the caller hear ringback when the first callee is alerted,
// unless it hears the callee's own early media already.
func (x *Exchange) legRinging(l *leg) {
	c := l.call
	if l.direction != core.Outbound || l.state != setup || l.rang || c.hunt == nil {
		return
	}
	l.rang = true
	x.publish(l, core.ChangeRinging)
	if c.hunt.Alert(l.Leg) {
		x.alert(c)
		x.ringback(c)
	}
}

// ringback lets a caller who was told so hear that it rings, unless it hears a
// callee itself. It is repeated when a leg ends whose early media it may have heard.
func (x *Exchange) ringback(c *liveCall) {
	verb, ok := c.flow.Current().(flow.Connect)
	if ok && c.caller.rang && !c.matrix.Overhears(c.caller.Leg) {
		c.matrix.Play(c.caller.Leg, core.Sound{Kind: core.SoundRingback, Name: verb.Ringback})
	}
	x.hear(c)
}

// legEarly passes a single callee's early media to the caller. A group's is
// never passed: one voicemail greeting would speak for ten phones.
func (x *Exchange) legEarly(l *leg) {
	c := l.call
	verb, ok := c.flow.Current().(flow.Connect)
	if l.direction != core.Outbound || l.state != setup || c.hunt == nil || !ok || verb.Group || !c.hunt.Single() {
		return
	}
	x.alert(c)
	c.heard = true
	c.matrix.Overhear(c.caller.Leg, l.Leg)
	x.hear(c)
}

// alert tells the caller that somebody is being alerted.
func (x *Exchange) alert(c *liveCall) {
	x.progress(c)
	if !c.caller.rang {
		c.caller.rang = true
		x.publish(c.caller, core.ChangeRinging)
	}
}

// legAccepted gives the call to the first leg whose party takes it, at once and
// for good; everybody else stops ringing.
func (x *Exchange) legAccepted(l *leg) {
	c := l.call
	if l.direction != core.Outbound || l.state != setup || c.hunt == nil {
		return
	}
	losers, ok := c.hunt.Accept(l.Leg)
	if !ok {
		return
	}
	l.state, c.winner = accepted, l
	x.publish(l, core.ChangeAnswered)
	x.stopHunt(c)
	x.endAll(losers, core.CauseElsewhere, core.ReasonElsewhere)
	x.ringback(c)
	x.startTimer(l, core.TimerMedia, mediaTime)
	if c.caller.state == setup {
		x.startTimer(c.caller, core.TimerAnswer, answerTime)
	}
}

// legUp connects the winner with the caller. A callee whose media is up without
// having accepted has accepted.
func (x *Exchange) legUp(l *leg) {
	x.legAccepted(l)
	if l.state != accepted {
		return // a caller's path is ready; its row waits there already
	}
	c := l.call
	l.state, c.bridged = talking, true
	x.stopTimer(l, core.TimerMedia)
	c.matrix.Join(c.caller.Leg)
	c.matrix.Join(l.Leg)
	x.hear(c) // before the answer, so that no word is lost
	x.answer(c.caller)
	x.publishBridged(c.caller, l)
	x.publishBridged(l, c.caller)
}

func (x *Exchange) publishBridged(l, peer *leg) {
	change := l.change(core.ChangeBridged)
	change.Peer = peer.Leg
	x.emit(core.Publish{Change: change})
}

// winnerGone goes on with the caller's flow when the leg that took the call is gone.
func (x *Exchange) winnerGone(c *liveCall, l *leg) {
	o := flow.Outcome{Connected: c.bridged, Cause: l.cause}
	if c.bridged {
		o.Cause = core.CauseNormal
	}
	c.winner, c.bridged = nil, false
	x.stopTimer(c.caller, core.TimerAnswer)
	x.next(c, o)
}

// mediaTimedOut ends a winner without media; the caller's flow goes on.
func (x *Exchange) mediaTimedOut(l *leg) {
	if l.state != accepted {
		return
	}
	x.end(l, core.CauseRecoveryOnTimer, core.ReasonNoMedia, 0)
	x.winnerGone(l.call, l)
}

// candidateGone notes that a leg which rang has ended by itself.
func (x *Exchange) candidateGone(c *liveCall, l *leg) {
	if c.hunt == nil {
		return
	}
	declined := c.hunt.Gone(l.Leg, l.cause, l.code)
	x.endAll(declined, core.CauseRejected, core.ReasonDeclinedElsewhere)
	x.checkHunt(c)
}

// checkHunt rings on while somebody may answer, else the caller's flow goes on.
func (x *Exchange) checkHunt(c *liveCall) {
	if !c.hunt.Over() {
		x.ringback(c)
		return
	}
	cause, code := c.hunt.Outcome()
	x.stopHunt(c)
	x.next(c, flow.Outcome{Heard: c.heard, Cause: cause, Code: code})
}

// ringTimedOut ends a hunt that nobody answered in time. Early media was no
// more than a ringback tone then, so the announcement is due all the same. When
// not even a phone rang, a trunk is dead or a registration stale: the caller is
// told that, and a carrier's switch may try another way (RFC 3398 section 7.2.4.1).
func (x *Exchange) ringTimedOut(c *liveCall) {
	if c.hunt == nil {
		return
	}
	outcome := flow.Outcome{Cause: core.CauseNoAnswer, Code: 480}
	if !c.hunt.Alerted() && !c.heard {
		outcome = flow.Outcome{Cause: core.CauseNoResponse, Code: 408}
	}
	x.endAll(c.hunt.Stop(), core.CauseNoAnswer, core.ReasonTimeout)
	x.stopHunt(c)
	x.next(c, outcome)
}

// stopHunt forgets a hunt that is over: its timer, and its calls that wait for a trunk.
func (x *Exchange) stopHunt(c *liveCall) {
	c.hunt = nil
	x.stopTimer(c.caller, core.TimerRing)
	x.unqueue(c)
}

func (x *Exchange) endAll(legs []core.LegID, cause core.Cause, reason core.Reason) {
	for _, id := range legs {
		if l := x.legs[id]; l != nil {
			x.end(l, cause, reason, 0)
		}
	}
}
