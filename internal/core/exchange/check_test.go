package exchange

import (
	"maps"

	"github.com/offhook/offhook/internal/core"
)

// checkLeg says that a leg is in its call, does something there, and will end.
func (w *world) checkLeg(c *liveCall, l *leg) {
	if w.x.legs[l.Leg] != l || l.call != c || c.matrix.Has(l.Leg) != (l.live() && !l.virtual) {
		w.fail("leg %s is not where it should be", l.Leg)
	}
	if l.slot != "" && w.x.slots[l.slot] != l {
		w.fail("leg %s is parked in a slot that does not know it", l.Leg)
	}
	if !l.live() {
		if !l.timers.running(core.TimerDrain) || l.joined || l.line || l.slot != "" {
			w.fail("leg %s may never end, or holds something on its way", l.Leg)
		}
		return
	}
	if w.x.legs[c.caller.Leg] != c.caller || c.caller.call != c || !c.caller.live() {
		w.fail("leg %s lives on without its caller", l.Leg)
	}
	if l.app != nil {
		w.checkProgrammed(c, l)
	}
	rings := c.hunt != nil && c.hunt.Ringing(l.Leg)
	if !rings && l != c.caller && l != c.winner && l != c.referrer && !l.joined && !l.watches && !l.virtual && !l.inRoom() {
		w.fail("leg %s does nothing in its call", l.Leg)
	}
	if l.joined && (rings || l.watches || l.state != talking || l == c.referrer) {
		w.fail("leg %s talks and does something else", l.Leg)
	}
	if l.state == accepted && !l.timers.running(core.TimerMedia) {
		w.fail("leg %s may wait for its media for ever", l.Leg)
	}
	if _, limited := w.x.meter.Left(w.now, w.x.dir, l.Leg); limited && l.state != setup && !l.timers.running(core.TimerTalk) {
		w.fail("leg %s may talk for ever", l.Leg)
	}
	if rings && l.state == talking && !l.timers.running(core.TimerConfirm) {
		w.fail("leg %s may be asked to confirm for ever", l.Leg)
	}
}

// checkCall says that no caller waits for nothing, and that everybody hears what
// the call wants them to.
func (w *world) checkCall(c *liveCall) {
	caller := c.caller
	if rows := c.matrix.Rows(nil); len(rows) > 0 {
		w.fail("nobody was told that leg %s hears %v %v now", rows[0].Leg, rows[0].From, rows[0].Sound)
	}
	if c.hunt != nil && (c.hunt.Over() || c.winner != nil) {
		w.fail("hunt of %s runs without anybody who can win", caller.Leg)
	}
	if w.x.legs[caller.Leg] != caller || !caller.live() {
		return
	}
	talks := caller.joined && (len(c.talkers()) > 1 || c.added)
	waits := c.hunt != nil || c.winner != nil || caller.timers.running(core.TimerPlay) || caller.timers.running(core.TimerPark)
	if !talks && !waits && !c.programmed() {
		w.fail("caller %s waits for nothing", caller.Leg)
	}
	if c.hunt != nil && !c.hunt.Due().IsZero() && !caller.timers.running(core.TimerRing) {
		w.fail("hunt of %s forgets what is due", caller.Leg)
	}
	if c.referrer != nil && (c.hunt == nil && c.winner == nil || c.referrer.call != c) {
		w.fail("leg %s waits for a transfer that is over", c.referrer.Leg)
	}
}

// checkRefers says that who asked for a transfer hears how it ends.
func (w *world) checkRefers() {
	for id := range w.refers {
		if !w.runs(id) {
			delete(w.refers, id)
		} else if l := w.x.legs[id]; l == nil {
			delete(w.refers, id)
		} else if l.call.referrer != l || !l.call.notify {
			w.fail("leg %s never hears how its transfer went", id)
		}
	}
}

// runs reports whether a leg began and was not told to end.
func (w *world) runs(id core.LegID) bool {
	l := w.byID[id]
	return l != nil && !l.ending && !l.ended
}

// checkCounts says that what is counted is there.
func (w *world) checkCounts() {
	lines := map[core.UserID]int{}
	for _, l := range w.x.legs {
		if l.line {
			lines[l.self().User]++
		}
	}
	if !maps.Equal(lines, w.x.lines) {
		w.fail("lines in use are %v, counted %v", lines, w.x.lines)
	}
	for slot, l := range w.x.slots {
		if w.x.legs[l.Leg] != l || l.slot != slot {
			w.fail("slot %s keeps a leg that is gone", slot)
		}
	}
}

// checkTrunk says that calls in a trunk's queue are wanted, and will leave it.
func (w *world) checkTrunk(t *trunk) {
	if t.timed != (len(t.waiting) > 0) {
		w.fail("calls wait for trunk %s and nothing lets them out", t.name)
	}
	for _, q := range t.waiting {
		if q.call.hunt == nil || !q.call.hunt.Waiting(q.cand.Leg) {
			w.fail("leg %s waits for a hunt that is over", q.cand.Leg)
		}
	}
}
