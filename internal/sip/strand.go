package sip

import (
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// Timers of RFC 3261 section 17 (table 4) and section 13.
const (
	t1 = 500 * time.Millisecond // estimate of the round trip
	t2 = 4 * time.Second        // longest interval between repeats
	t4 = 5 * time.Second        // how long a message may stay in the network
	// giveUp is 64*T1: timers B, F, H, L, M and every other "no more hope".
	giveUp = 64 * t1
)

// strand runs functions one at a time in the order they were given, on the
// goroutine of whoever gives one while none runs. So the state of a dialog needs
// no lock, callbacks are never concurrent, and nobody waits: a function given
// from inside another one runs after it.
type strand struct {
	log *slog.Logger

	mu    sync.Mutex // guards the fields below; never held while a function runs
	queue []func()
	busy  bool
}

func (s *strand) do(fn func()) {
	s.mu.Lock()
	if s.busy {
		s.queue = append(s.queue, fn)
		s.mu.Unlock()
		return
	}
	s.busy = true
	s.mu.Unlock()
	for fn != nil {
		guard(s.log, fn)
		fn = s.next()
	}
}

// next returns the next function, or nil and marks the strand idle.
func (s *strand) next() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		s.queue, s.busy = nil, false
		return nil
	}
	fn := s.queue[0]
	s.queue = s.queue[1:]
	return fn
}

// after runs fn on the strand when d has passed.
func (s *strand) after(d time.Duration, fn func()) *time.Timer {
	return time.AfterFunc(d, func() { s.do(fn) })
}

// guard runs fn and turns a panic into a log entry: one message must not take
// the node down.
func guard(log *slog.Logger, fn func()) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("sip: panic", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	fn()
}
