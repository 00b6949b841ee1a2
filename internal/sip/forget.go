package sip

import (
	"sync"
	"time"
)

// forgetter runs functions 64*T1 after they were given, or up to forgetSlack
// later. A call leaves half a dozen transactions and dialogs behind that only wait
// to be forgotten; a timer for each would wake an idle node hundreds of times a
// second.
type forgetter struct {
	mu     sync.Mutex // guards the fields below
	queue  []forgotten
	timer  *time.Timer // runs while there is a queue
	closed bool
}

// forgotten is something that is over.
type forgotten struct {
	end  time.Time
	drop func()
}

const forgetSlack = 500 * time.Millisecond

// later lets drop run on a goroutine of its own, unless the stack closes before.
func (f *forgetter) later(drop func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.queue = append(f.queue, forgotten{time.Now().Add(giveUp), drop})
	if f.timer == nil {
		f.timer = time.AfterFunc(giveUp+forgetSlack, f.run)
	}
}

func (f *forgetter) run() {
	for _, old := range f.due(time.Now()) {
		old.drop()
	}
}

// due takes what is over off the queue, and comes back for the rest.
func (f *forgetter) due(now time.Time) []forgotten {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	n := 0
	for n < len(f.queue) && !f.queue[n].end.After(now) {
		n++
	}
	due := f.queue[:n]
	if f.queue = append([]forgotten(nil), f.queue[n:]...); len(f.queue) == 0 {
		f.timer = nil
		return due
	}
	f.timer.Reset(f.queue[0].end.Sub(now) + forgetSlack)
	return due
}

func (f *forgetter) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed, f.queue = true, nil
	if f.timer != nil {
		f.timer.Stop()
	}
}
