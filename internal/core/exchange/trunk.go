package exchange

import (
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/ring"
)

// trunk is the calls that wait for a trunk with a limit of calls per second.
// They leave in the order they came, whichever call they belong to.
type trunk struct {
	name    string
	pacer   ring.Pacer
	waiting []queued
	timed   bool // TimerPace runs
}

type queued struct {
	call *liveCall
	cand ring.Candidate
}

// trunkState notes whether a trunk answers.
func (x *Exchange) trunkState(ev core.TrunkState) {
	if ev.Up {
		delete(x.down, ev.Trunk)
		return
	}
	if _, known := x.dir.Trunk(ev.Trunk); known {
		x.down[ev.Trunk] = true
	}
}

// queue rings a candidate over its trunk as soon as its turn comes.
func (x *Exchange) queue(c *liveCall, cand ring.Candidate) {
	t := x.trunks[cand.Target.Trunk]
	if t == nil {
		t = &trunk{name: cand.Target.Trunk}
		x.trunks[t.name] = t
	}
	t.waiting = append(t.waiting, queued{c, cand})
	if !slices.Contains(c.queues, t) {
		c.queues = append(c.queues, t)
	}
	x.drainTrunk(t)
}

// pace lets the next calls out when a trunk's time has come.
func (x *Exchange) pace(name string) {
	if t := x.trunks[name]; t != nil && t.timed {
		t.timed = false
		x.drainTrunk(t)
	}
}

// drainTrunk lets out what may leave now and sets the timer for the rest. While
// the timer runs nothing may leave.
func (x *Exchange) drainTrunk(t *trunk) {
	config, _ := x.dir.Trunk(t.name)
	for !t.timed && len(t.waiting) > 0 {
		if wait := t.pacer.Take(x.now, config.CallsPerSecond); wait > 0 {
			x.startPace(t, wait)
			return
		}
		first := t.waiting[0]
		t.waiting = slices.Delete(t.waiting, 0, 1)
		x.ring(first.call, first.cand)
	}
}

func (x *Exchange) startPace(t *trunk, wait time.Duration) {
	t.timed = true
	x.emit(core.StartTimer{Timer: core.TimerID{Kind: core.TimerPace, Trunk: t.name}, After: wait})
}

// unqueueAll takes a call's candidates out of all queues.
func (x *Exchange) unqueueAll(c *liveCall) {
	x.unqueueWhere(c, func(core.LegID) bool { return true })
	c.queues = nil
}

// unqueue takes some of a call's candidates out of the queues.
func (x *Exchange) unqueue(c *liveCall, legs []core.LegID) {
	if len(legs) > 0 {
		x.unqueueWhere(c, func(leg core.LegID) bool { return slices.Contains(legs, leg) })
	}
}

func (x *Exchange) unqueueWhere(c *liveCall, which func(core.LegID) bool) {
	for _, t := range c.queues {
		t.waiting = slices.DeleteFunc(t.waiting, func(q queued) bool {
			if q.call != c || !which(q.cand.Leg) {
				return false
			}
			x.meter.End(x.now, q.cand.Leg)
			return true
		})
		if len(t.waiting) == 0 && t.timed {
			t.timed = false
			x.emit(core.StopTimer{Timer: core.TimerID{Kind: core.TimerPace, Trunk: t.name}})
		}
	}
}
