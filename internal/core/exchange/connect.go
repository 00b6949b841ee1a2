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
	// fileTime is how long an announcement out of a file may last.
	fileTime = 5 * time.Minute
)

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
	x.charge(l)
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
	if l.state == setup {
		x.charge(l)
	}
	l.answered = x.now
	l.took = c.hunt.Takers(l.Leg)
	x.stopHunt(c)
	if l.face != nil {
		x.embody(l.face, l)
	}
	x.publish(l, core.ChangeAnswered)
	x.endAll(losers, core.CauseElsewhere, core.ReasonElsewhere)
	x.endVirtual(c, core.CauseElsewhere, core.ReasonElsewhere)
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
	x.startTimer(l, core.TimerConfirm, l.call.hunt.Confirms(l.Leg).Timeout)
	x.askToConfirm(l)
}

// bridge lets who took the call talk with the caller.
func (x *Exchange) bridge(c *liveCall, l *leg) {
	c.winner = nil
	switch {
	case c.added:
		x.comes(c, l)
		return
	case l.app != nil:
		x.cameUp(l)
		return
	}
	x.join(c, c.caller, l)
	x.publishBridged(c.caller, l)
	x.publishBridged(l, c.caller)
	x.transferred(c)
}

func (x *Exchange) publishBridged(l, peer *leg) {
	change := l.change(core.ChangeBridged)
	change.Peer = peer.name()
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
	} else if l.app != nil {
		x.keyed(l, key)
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
		x.advance(c)
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
