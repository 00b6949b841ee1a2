package sipedge

import (
	"slices"
	"sync"
)

// serial runs functions one after the other in the order they were given. Giving
// one never blocks.
type serial struct {
	crew    *crew
	slow    bool             // its functions may wait; never changed
	broke   func(reason any) // is told of a panic, which costs this strand's leg alone; nil lets it through
	mu      sync.Mutex       // guards queue and running
	queue   []func()
	running bool
}

// post lets f run on another goroutine.
func (s *serial) post(f func()) {
	if s.enter(f) {
		s.crew.run(s)
	}
}

// later lets f run when the exchange has made its turn: on the goroutine that made
// it, if that is to be (crew.begin), or on another.
func (s *serial) later(f func()) {
	if s.enter(f) {
		s.crew.remember(s)
	}
}

// do runs f at once on the caller's goroutine if nothing runs or waits, else like
// post. It is for what the wire brings and what does not block: waking up another
// goroutine costs more than most of that takes.
func (s *serial) do(f func()) {
	if s.enter(f) {
		defer s.leave() // also after a panic, which the read loop survives
		s.run(s.next())
	}
}

func (s *serial) run(f func()) {
	defer func() {
		if s.broke == nil {
			return
		}
		if reason := recover(); reason != nil {
			s.broke(reason)
		}
	}()
	f()
}

// enter queues f and reports whether the caller has to see that it is run.
func (s *serial) enter(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, f)
	first := !s.running
	s.running = true
	return first
}

// next takes the first function off the queue; nil if there is none, and then
// nothing runs any more.
func (s *serial) next() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		s.queue, s.running = nil, false
		return nil
	}
	f := s.queue[0]
	s.queue[0], s.queue = nil, s.queue[1:]
	return f
}

// leave hands what came meanwhile to the crew.
func (s *serial) leave() {
	s.mu.Lock()
	s.running = len(s.queue) > 0
	rest := s.running
	s.mu.Unlock()
	if rest {
		s.crew.run(s)
	}
}

// drain runs what waits, until nothing does.
func (s *serial) drain() {
	for f := s.next(); f != nil; f = s.next() {
		s.run(f)
	}
}

// crew is the goroutines that run strands. There is always one for a strand that
// has work, as some of it waits: for the answer of a name server, or for a path
// to close. One without work stays while there is work for so many: starting
// another and growing its stack costs more than most of what a strand does.
type crew struct {
	mu      sync.Mutex     // guards the fields below
	workers int            // goroutines; a WaitGroup would not let timers start one while close waits
	turned  []*serial      // have work since the exchange's turn began
	idle    []chan *serial // the one that worked last is last
	spare   int            // how many have been idle since thin was called
	closed  bool
	gone    chan struct{} // closed when there are no workers; nil unless close waits
}

// maxIdle is how many goroutines of a crew wait for work: a ring group's worth.
const maxIdle = 16

// run lets a goroutine drain s.
func (c *crew) run(s *serial) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last := len(c.idle) - 1; last >= 0 { // the one that worked last: its stack is warm
		c.idle[last] <- s // has room for one
		c.idle = c.idle[:last]
		c.spare = min(c.spare, last)
		return
	}
	c.workers++
	go c.work(s)
}

// remember keeps s until begin.
func (c *crew) remember(s *serial) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turned = append(c.turned, s)
}

// fewStrands is how many strands one goroutine runs one after the other because waking
// up another one costs more. The phones of a ring group shall not wait for one another,
// and its caller not for them.
const fewStrands = 2

// begin sees that remembered strands are run: on the caller's goroutine if here, which
// must not hold anything then.
func (c *crew) begin(here bool) {
	c.mu.Lock()
	turned := c.turned
	c.turned = nil
	c.mu.Unlock()
	for _, s := range turned {
		if here && !s.slow && len(turned) <= fewStrands {
			s.drain()
		} else {
			c.run(s)
		}
	}
}

func (c *crew) work(s *serial) {
	defer c.left()
	inbox := make(chan *serial, 1)
	for s != nil {
		s.drain()
		if !c.rest(inbox) {
			return
		}
		s = <-inbox // nil when closed
	}
}

// left notes that a goroutine ends.
func (c *crew) left() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.workers--; c.workers == 0 && c.gone != nil {
		close(c.gone)
		c.gone = nil
	}
}

// rest offers to take another strand, unless enough others do.
func (c *crew) rest(inbox chan *serial) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.idle) == maxIdle {
		return false
	}
	c.idle = append(c.idle, inbox)
	return true
}

// thin sends those away that nobody needed since the last call.
func (c *crew) thin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, inbox := range c.idle[:c.spare] {
		close(inbox)
	}
	c.idle = slices.Delete(c.idle, 0, c.spare)
	c.spare = len(c.idle)
}

// close waits until all strands have run dry. Strands may still be given work, by a
// timer that fires just now: goroutines are started for it, and end.
func (c *crew) close() {
	c.mu.Lock()
	c.closed = true
	for _, inbox := range c.idle {
		close(inbox)
	}
	c.idle, c.spare = nil, 0
	if c.workers == 0 {
		c.mu.Unlock()
		return
	}
	gone := make(chan struct{})
	c.gone = gone
	c.mu.Unlock()
	<-gone
}
