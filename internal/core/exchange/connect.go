package exchange

import (
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

const (
	// answerTime is how long a caller waits for the winner's media before it is
	// answered anyway: its phone would think that nobody took the call.
	answerTime = 2 * time.Second
	// mediaTime is how long an accepted leg may take to bring its media up.
	mediaTime = 5 * time.Second
	// playTime bounds an announcement whose end is never reported.
	playTime = 10 * time.Second
	// confirmTime is how long who answered may take to press the key. It lets the
	// prompt be heard twice.
	confirmTime = 15 * time.Second
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
// for good; everybody else stops ringing. A party that must confirm is asked to
// when it can hear us.
func (x *Exchange) legAccepted(l *leg) {
	c := l.call
	if l.direction != core.Outbound || l.state != setup || c.hunt == nil {
		return
	}
	if !c.hunt.Answered(l.Leg) {
		x.win(c, l)
		return
	}
	l.state = accepted
	x.takeLine(l)
	x.publish(l, core.ChangeConfirming)
	x.startTimer(l, core.TimerMedia, mediaTime)
	x.rearm(c)
}

// win gives the call to a leg, if it is still to be had.
func (x *Exchange) win(c *liveCall, l *leg) {
	losers, ok := c.hunt.Accept(l.Leg, x.now)
	if !ok {
		return
	}
	x.takeLine(l)
	x.publish(l, core.ChangeAnswered)
	x.stopHunt(c)
	x.endAll(losers, core.CauseElsewhere, core.ReasonElsewhere)
	x.stopTimer(l, core.TimerConfirm)
	if l.state == talking { // it has confirmed
		x.bridge(c, l)
		return
	}
	l.state, c.winner = accepted, l
	x.ringback(c)
	if !l.timers.running(core.TimerMedia) {
		x.startTimer(l, core.TimerMedia, mediaTime)
	}
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
	l.state = talking
	x.stopTimer(l, core.TimerMedia)
	if l.call.winner == l {
		x.bridge(l.call, l)
		return
	}
	x.startTimer(l, core.TimerConfirm, confirmTime)
	x.askToConfirm(l)
}

// bridge lets who took the call talk with the caller.
func (x *Exchange) bridge(c *liveCall, l *leg) {
	c.winner = nil
	if c.added {
		c.added = false
		x.join(c, l)
		x.publishBridged(l, c.caller)
		x.settle(c)
		return
	}
	x.join(c, c.caller, l)
	x.publishBridged(c.caller, l)
	x.publishBridged(l, c.caller)
	x.transferred(c)
}

func (x *Exchange) publishBridged(l, peer *leg) {
	change := l.change(core.ChangeBridged)
	change.Peer = peer.Leg
	x.emit(core.Publish{Change: change})
}

// askToConfirm plays the prompt to who answered, from its beginning.
func (x *Exchange) askToConfirm(l *leg) {
	c := l.call
	c.matrix.Play(l.Leg, core.Sound{})
	x.hear(c)
	c.matrix.Play(l.Leg, c.hunt.Confirms(l.Leg).Prompt)
	x.hear(c)
}

// legDigit gives the call to who presses the key that takes it.
func (x *Exchange) legDigit(l *leg, key byte) {
	c := l.call
	if c.hunt != nil && key != 0 && c.hunt.Confirms(l.Leg).Key == key {
		x.win(c, l)
	}
}

// confirmTimedOut ends a leg whose party answered and pressed no key.
func (x *Exchange) confirmTimedOut(l *leg) {
	x.end(l, core.CauseNoAnswer, core.ReasonTimeout, 0)
	x.dropCandidate(l.call, l)
}

// dropCandidate notes that a leg which answered without winning was ended by us.
func (x *Exchange) dropCandidate(c *liveCall, l *leg) {
	if c.hunt != nil {
		c.hunt.Gone(l.Leg, core.CauseNoAnswer, 480)
		x.advance(c, x.now)
	}
}

// winnerGone goes on with the caller's flow when the leg that took the call is
// gone before they talked.
func (x *Exchange) winnerGone(c *liveCall, l *leg) {
	c.winner = nil
	x.stopTimer(c.caller, core.TimerAnswer)
	x.failed(c, flow.Outcome{Cause: l.cause})
}

// mediaTimedOut ends a leg that accepted and has no media; the hunt or the
// caller's flow goes on.
func (x *Exchange) mediaTimedOut(l *leg) {
	if l.state != accepted {
		return
	}
	c := l.call
	x.end(l, core.CauseRecoveryOnTimer, core.ReasonNoMedia, 0)
	if c.winner == l {
		x.winnerGone(c, l)
		return
	}
	x.dropCandidate(c, l)
}
