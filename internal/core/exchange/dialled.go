package exchange

import (
	"cmp"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/route"
)

const (
	// detectTime bounds the wait for who answered.
	detectTime = 10 * time.Second
	// reasonNoGroup tells an application that it named a group that is not there.
	reasonNoGroup = "Unknown group."
)

// dialled is how an application rang a leg, and what it wants with it.
type dialled struct {
	endpoint  flow.Endpoint
	detect    *flow.Detection
	limit     time.Duration
	detecting bool          // the flow, or who called, waits for who answered
	known     core.Answerer // what is known of that

	// Of a leg that is in nobody's flow.
	created bool
	verbs   []flow.Verb // nil: ask
	answer  core.Hook
}

// call rings whom a Call names.
func (x *Exchange) call(l *leg, v flow.Call) (waits bool) {
	c := l.call
	if l == c.winner {
		x.complain(l, core.ReasonSyntax) // a callee is to be joined with who called
		return false
	}
	if !x.mayBegin(l.app.app) {
		x.complain(l, core.ReasonCapacity)
		return false
	}
	dial := x.dialFor(l, v)
	if dial == nil {
		x.complain(l, reasonNoGroup)
		return false
	}
	if !v.Music.IsZero() {
		dial.Hears, dial.NoEarly = v.Music, true
		x.bringUp(l)
		c.matrix.Play(l.Leg, v.Music)
		x.hear(c)
	}
	x.connect(c, flow.Connect{Dial: dial})
	return true
}

// dialFor makes the hunt of a Call, nil if there is no such group.
func (x *Exchange) dialFor(l *leg, v flow.Call) *route.Dial {
	req := x.request(l.self(), "")
	if v.Group != "" {
		dial := x.dir.GroupDial(req, v.Group)
		if dial != nil {
			dial.Change(v.Ring.Strategy, v.Ring.Confirm, v.Ring.Hears, v.Timeout)
		}
		return dial
	}
	timeout := cmp.Or(v.Timeout, route.DefaultAppRingTimeout)
	branches := make([]route.Branch, len(v.Endpoints))
	for i, e := range v.Endpoints {
		branches[i] = x.dir.AppBranch(req, l.app.app, e.Target(), timeout)
	}
	dial := route.AppDial(l.app.app, branches, timeout)
	dial.Change(v.Ring.Strategy, v.Ring.Confirm, v.Ring.Hears, 0)
	return dial
}

// shown is who calls, as an endpoint of an application shall see it: a number of
// the application's, else nobody. Who is called inside sees who it is.
func (x *Exchange) shown(caller *leg, from string, to flow.Endpoint) core.Party {
	if number := x.dir.Shown(caller.app.app, from); number != "" {
		return core.Party{Number: number}
	}
	if from == "" && to.Inside() {
		return caller.self()
	}
	return core.Party{}
}

// cameUp goes on with a leg that the application rang and that can hear us now.
func (x *Exchange) cameUp(l *leg) {
	c, d := l.call, l.app.dialled
	if d == nil {
		return
	}
	if !d.created {
		c.winner = l // until it is joined
	}
	if d.limit > 0 {
		x.startTimer(l, core.TimerLimit, d.limit)
	}
	if d.endpoint.Digits != "" {
		x.emit(core.SendDigits{Leg: l.Leg, Digits: d.endpoint.Digits})
	}
	if d.detect != nil {
		x.detect(l, *d.detect)
	}
	if !d.detecting {
		x.ready(l)
	} else if !d.created {
		x.coverEarly(c)
	}
}

// coverEarly lets who called hear that it rings on, in place of the callee, until they
// are joined.
func (x *Exchange) coverEarly(c *liveCall) {
	c.matrix.Play(c.caller.Leg, c.connect.Dial.Hears)
	x.hear(c)
}

// ready runs the flow of a leg that the application rang, or joins it with who called.
func (x *Exchange) ready(l *leg) {
	c, d := l.call, l.app.dialled
	d.detecting = false
	switch {
	case d.created && d.verbs != nil:
		l.app.verbs = d.verbs
		x.step(l)
	case d.created:
		x.consult(l, core.Consult{Kind: core.ConsultAnswer, Hook: d.answer})
	case d.endpoint.OnAnswer != nil:
		if !d.endpoint.Music.IsZero() {
			c.connect.Dial.Hears = d.endpoint.Music
		}
		x.coverEarly(c)
		x.consult(l, core.Consult{Kind: core.ConsultOnAnswer, Hook: *d.endpoint.OnAnswer})
	default:
		x.meet(l)
	}
}

// meet joins a callee with who called.
func (x *Exchange) meet(l *leg) {
	c := l.call
	c.winner = nil
	x.hush(l)
	x.join(c, c.caller, l)
	x.publishBridged(c.caller, l)
	x.publishBridged(l, c.caller)
}

// calleeLeft goes on with the flow of who called, when they talked and the callee is
// gone.
func (x *Exchange) calleeLeft(c *liveCall) {
	if c.room != nil {
		return
	}
	l := c.caller
	if _, calls := l.app.verb.(flow.Call); calls && l.live() && l.joined && len(c.talkers()) < 2 {
		x.stopCalling(c) // who was to supervise them
		x.part(l)
		x.hear(c)
		x.verbOver(l)
	}
}

// callFailed goes on when nobody answered: with the flow of who called, or with the
// end of a leg that was in nobody's.
func (x *Exchange) callFailed(c *liveCall, o flow.Outcome) {
	l := c.caller
	switch {
	case !l.live():
	case l.virtual:
		x.endUnanswered(l, o.Cause, o.Code, o.TimedOut)
	case l.app.verb != nil:
		c.matrix.Play(l.Leg, core.Sound{})
		x.hear(c)
		x.verbOver(l)
	}
}

// stopCalling ends whatever rings for the caller of a call, and who answered and is
// not joined yet.
func (x *Exchange) stopCalling(c *liveCall) {
	x.stopTimer(c.caller, core.TimerAnswer)
	if c.hunt != nil {
		ringing := c.hunt.Stop()
		x.stopHunt(c)
		x.endAll(ringing, core.CauseNormal, core.ReasonCallerGone)
		x.endVirtual(c, core.CauseNormal, core.ReasonCallerGone)
	}
	if l := c.winner; l != nil {
		c.winner = nil
		x.end(l, core.CauseNormal, core.ReasonCallerGone, 0)
	}
	c.added, c.coach = false, coaching{}
	c.matrix.Play(c.caller.Leg, core.Sound{})
	x.hear(c)
}

// detect finds out who answered.
func (x *Exchange) detect(l *leg, how flow.Detection) {
	beep := how.Mode == flow.DetectBeep || how.BeepTimeout > 0
	x.emit(core.Detect{Leg: l.Leg, Beep: beep, BeepTimeout: how.BeepTimeout})
	if how.Mode != flow.DetectAside {
		l.app.dialled.detecting = true
		x.startTimer(l, core.TimerVerb, detectTime)
	}
}

// answererKnown takes what is known of who answered.
func (x *Exchange) answererKnown(l *leg, who core.Answerer) {
	d := l.app.dialled
	if d == nil || d.detect == nil || l.state != talking {
		return
	}
	first := who == core.Human || who == core.Machine
	if first != (d.known == 0) || !first && d.known != core.Machine {
		return // told already, or a beep of nothing
	}
	d.known = who
	change := l.change(changeFor(who))
	if d.detect.Mode == flow.DetectAside {
		change.Turn = x.askAside(l)
	}
	x.emit(core.Publish{Change: change})
	switch {
	case who == core.Machine && d.detect.Hangup:
		x.finish(l, core.CauseNormal, core.ReasonNone, 0)
	case !d.detecting:
	case who == core.Machine && d.detect.Mode == flow.DetectBeep:
		x.startTimer(l, core.TimerVerb, d.detect.BeepTimeout+detectTime)
	default:
		x.stopTimer(l, core.TimerVerb)
		x.ready(l)
	}
}

// changeFor is the change of a leg whose answerer is known.
func changeFor(who core.Answerer) core.ChangeKind {
	switch who {
	case core.Human:
		return core.ChangeHuman
	case core.Machine:
		return core.ChangeMachine
	case core.Beep:
		return core.ChangeBeep
	case core.NoBeep:
	}
	return core.ChangeNoBeep
}

// detectDue goes on without knowing who answered.
func (x *Exchange) detectDue(l *leg) {
	if d := l.app.dialled; d != nil && d.detecting {
		x.ready(l)
	}
}

// askAside names a question that no flow waits for, to the leg whose flow the answer
// may replace: a created leg's own, or that of who called.
func (x *Exchange) askAside(l *leg) core.Turn {
	to := l
	if !l.app.dialled.created {
		to = l.call.caller
		if v, calls := to.app.verb.(flow.Call); !calls || !v.Sync {
			return core.Turn{}
		}
	}
	to.app.turn++
	to.app.aside = to.app.turn
	return core.Turn{Leg: to.app.name, No: to.app.turn}
}

// advised takes the answer to a question that no flow waits for.
func (x *Exchange) advised(l *leg, ev flow.Instructed) {
	l.app.aside = 0
	switch ev.Kind {
	case flow.Failed:
		x.complain(l, ev.Reason)
	case flow.Run:
		x.dropCallee(l)
		x.reprogram(l, ev.Verbs)
	case flow.Go, flow.Idle:
	}
}

// dropCallee ends whom a leg talks with because of its Call.
func (x *Exchange) dropCallee(l *leg) {
	if _, calls := l.app.verb.(flow.Call); !calls {
		return
	}
	if callee := l.call.other(l); callee != nil {
		x.end(callee, core.CauseNormal, core.ReasonNone, 0)
		x.part(l)
		x.hear(l.call)
	}
}

// closed notes that the far end of a WebSocket closed it. LegGone follows; the answer
// of the application may replace what who called would do then.
func (x *Exchange) closed(l *leg) {
	change := l.change(core.ChangeClosed)
	if d, caller := l.app.dialled, l.call.caller; d != nil && !d.created && caller != l && caller.app != nil && caller.app.asked == 0 {
		if _, calls := caller.app.verb.(flow.Call); calls {
			change.Turn = x.await(caller, core.ConsultNotify)
		}
	}
	x.emit(core.Publish{Change: change})
}
