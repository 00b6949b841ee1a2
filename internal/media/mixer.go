package media

import (
	"slices"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/media/codec"
)

// mixer serves all legs that hear several speakers. It knows no conferences, only
// listeners with their rows, so that any matrix of who hears whom is one to it.
// One goroutine serves all of them while there are any: each step of 20 ms every
// speaker is decoded once, every distinct set is added once, and what several
// hear alike is encoded once.
type mixer struct {
	pool  *codec.Pool
	stage *stage

	mu      sync.Mutex // guards what follows; never held while packets are sent
	orders  []order    // not yet taken over by the goroutine
	running bool
	closed  bool
	wg      sync.WaitGroup

	// What follows belongs to the goroutine.
	taps      []*tap
	listeners []*listener
	sums      map[sumKey]*sum
	count     uint64 // steps
	changed   bool   // this step begins with a change
}

// order gives a listener, which may be new, another row. All slices are only
// read.
type order struct {
	listener *listener
	row      []*tap
	self     *tap
	sounds   []*insert
}

func newMixer(g *stage, pool *codec.Pool) *mixer {
	return &mixer{stage: g, pool: pool, sums: make(map[sumKey]*sum)}
}

// set makes l hear row from the next step on, and sounds over it; self is l's own tap,
// if anybody hears it. There is nothing to call at the end: a listener is dropped when its output
// has another owner, a tap when no row names it.
func (x *mixer) set(l *listener, row []*tap, self *tap, sounds []*insert) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return
	}
	x.orders = append(x.orders, order{l, row, self, sounds})
	if !x.running {
		x.running = true
		x.wg.Go(x.run)
	}
}

// close ends all mixes, whose outputs nobody owns any more, and waits for the
// goroutine.
func (x *mixer) close() {
	x.mu.Lock()
	x.closed = true
	x.mu.Unlock()
	x.wg.Wait()
}

// run steps until nobody listens. Its schedule is absolute, so that samples count
// the time, not timers.
func (x *mixer) run() {
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		<-timer.C
		now := time.Now()
		if late := now.Sub(next); late > maxBehind {
			skipped := int(late / mixTime)
			next = next.Add(time.Duration(skipped) * mixTime)
			for _, l := range x.listeners {
				l.skip(skipped)
			}
		}
		for ; !next.After(now); next = next.Add(mixTime) {
			if !x.beat(next, now) {
				return
			}
		}
		timer.Reset(time.Until(next))
	}
}

// join drops who is served by others now and carries out the orders; it is false
// if nobody listens any more, and then the goroutine must end.
func (x *mixer) join() bool {
	before := len(x.listeners)
	x.listeners = slices.DeleteFunc(x.listeners, func(l *listener) bool {
		if l.over() {
			x.drop(l)
			return true
		}
		return false
	})
	x.mu.Lock()
	orders := x.orders
	x.orders = nil
	x.mu.Unlock()
	if x.changed = len(orders) > 0 || len(x.listeners) < before; x.changed {
		x.obey(orders)
	}
	if len(x.listeners) == 0 {
		x.sweep()
	}
	// Whoever finds running false may start another goroutine: nothing of the mixer
	// is touched any more.
	x.mu.Lock()
	defer x.mu.Unlock()
	x.running = len(x.listeners)+len(x.orders) > 0 && !x.closed
	return x.running
}

// obey gives listeners their rows, and then the sums of them.
func (x *mixer) obey(orders []order) {
	for _, o := range orders {
		l := o.listener
		l.row, l.self = o.row, o.self
		l.give(o.sounds)
		if !l.listed {
			l.listed = true
			x.listeners = append(x.listeners, l)
		}
	}
	for _, o := range orders {
		x.regroup(o.listener)
	}
	for _, o := range orders {
		o.listener.inherit()
	}
	for _, t := range x.taps {
		t.needed = [2]bool{}
	}
	for _, l := range x.listeners {
		for _, t := range l.row {
			t.needed[place(l.rate)] = true
			if !t.listed {
				t.listed = true
				x.taps = append(x.taps, t)
			}
		}
	}
}

// regroup finds or makes the sum that l needs for its row.
func (x *mixer) regroup(l *listener) {
	taps := slices.Clone(l.row)
	if l.self != nil {
		taps = append(taps, l.self)
	}
	key := keyOf(l.rate, taps)
	s, ok := x.sums[key]
	if !ok {
		s = &sum{key: key, taps: taps}
		x.sums[key] = s
	}
	l.turn(heardSum{s, l.self})
}

// drop takes l out of the mix.
func (x *mixer) drop(l *listener) {
	l.listed = false
	l.turn(heardSum{})
	l.free(x.pool)
}

// step makes the next 20 ms of all, which are due at due.
func (x *mixer) step(due, now time.Time) {
	x.count++
	pressed := 0
	for _, t := range x.taps {
		x.hear(t, due)
		pressed += t.pressed
	}
	for _, l := range x.listeners {
		x.serve(l, pressed > 0, now)
	}
	if x.changed {
		x.sweep()
	}
}

// sweep drops the speakers and sums that a change has left without listeners. They
// live one step longer than it, to be faded out.
func (x *mixer) sweep() {
	x.taps = slices.DeleteFunc(x.taps, func(t *tap) bool {
		if t.needed != [2]bool{} {
			return false
		}
		t.free(x.pool)
		return true
	})
	for key, s := range x.sums {
		if s.users == 0 {
			s.free(x.pool)
			delete(x.sums, key)
		}
	}
}
