package exchange

import (
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// legSilent notes why nothing is heard of a leg. When nothing is heard of anybody in
// a conversation it ends after a while: phones that lost their network send no BYE.
func (x *Exchange) legSilent(l *leg, ev core.LegSilent) {
	l.silence, l.diagnosis = ev.Silence, ev.Diagnosis
	change := l.change(core.ChangeSilent)
	change.Silence, change.Diagnosis = ev.Silence, ev.Diagnosis
	x.emit(core.Publish{Change: change})
	x.boundSilence(l.call, l)
}

// boundSilence begins the time after which a dead call ends, with a timer of l,
// unless a timer runs already.
func (x *Exchange) boundSilence(c *liveCall, l *leg) {
	runs := func(l *leg) bool { return l.timers.running(core.TimerSilence) }
	if c.dead() && !slices.ContainsFunc(c.legs, runs) {
		x.startTimer(l, core.TimerSilence, time.Duration(x.dir.Silence()))
	}
}

// legHeard ends the silence of a leg.
func (x *Exchange) legHeard(l *leg) {
	if l.silence == core.SilenceNone {
		return
	}
	l.silence, l.diagnosis = core.SilenceNone, ""
	x.publish(l, core.ChangeHeard)
	for _, o := range l.call.legs {
		x.stopTimer(o, core.TimerSilence)
	}
}

// silenceDue ends a call that is still dead.
func (x *Exchange) silenceDue(c *liveCall) {
	if c.dead() {
		x.release(c, core.CauseRecoveryOnTimer, core.ReasonNoMedia)
	}
}

// dead reports whether the call is a conversation in which nothing is heard of
// anybody, and nobody is on hold.
func (c *liveCall) dead() bool {
	if !c.talking() {
		return false
	}
	for _, l := range c.legs {
		if l.live() && !l.watches && (l.silence == core.SilenceNone || c.matrix.Look(l.Leg).Held) {
			return false
		}
	}
	return true
}
