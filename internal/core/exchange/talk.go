package exchange

import (
	"time"

	"github.com/offhook/offhook/internal/core"
)

// longTalk is what no conversation lasts; a limit beyond it needs no timer.
const longTalk = 24 * time.Hour

// charge begins the conversation of a leg whose party took the call, which may
// talk no longer than the limits allow.
func (x *Exchange) charge(l *leg) {
	x.takeLine(l)
	x.meter.Answered(x.now, l.Leg)
	x.boundTalk(l)
}

// silent ends the conversation of a leg. Others who talk at the same expense may
// do so for longer now.
func (x *Exchange) silent(l *leg) {
	for _, id := range x.meter.Silent(x.now, l.Leg) {
		if o := x.legs[id]; o != nil {
			x.boundTalk(o)
		}
	}
}

// boundTalk sets the timer of a leg to when its talk time may be used up.
func (x *Exchange) boundTalk(l *leg) {
	if left, limited := x.meter.Left(x.now, x.dir, l.Leg); limited && left <= longTalk {
		x.startTimer(l, core.TimerTalk, left)
	}
}

// talkDue ends the conversations that have used up their time, if it is so.
func (x *Exchange) talkDue(l *leg) {
	for _, id := range x.meter.Spent(x.now, x.dir, l.Leg) {
		if o := x.legs[id]; o != nil && o.live() {
			x.cutOff(o)
		}
	}
	if l.live() {
		x.boundTalk(l)
	}
}

// cutOff ends a leg that may not talk on, and with it whom it talks with. Of
// several the others go on.
func (x *Exchange) cutOff(l *leg) {
	if l.call.talking() && l.call.other(l) != nil && !l.call.programmed() {
		x.release(l.call, core.CauseNotAllowed, core.ReasonLimit)
		return
	}
	x.finish(l, core.CauseNotAllowed, core.ReasonLimit, 0)
}
