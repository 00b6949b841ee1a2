package phone

import (
	"crypto/rand"
	"sync"
)

// outlet hands events to a function, in order and one at a time, without a
// goroutine of its own: who finds it idle delivers. So the function may cause
// further events; they follow after it returned.
type outlet struct {
	to func(Event)

	mu    sync.Mutex // guards the fields below; not held while calling to
	queue []Event
	busy  bool
}

// add queues an event for the next deliver. It calls nobody, so locks may be held.
func (o *outlet) add(ev Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = append(o.queue, ev)
}

// deliver hands over what is queued, unless somebody else does so already.
func (o *outlet) deliver() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.busy {
		return
	}
	o.busy = true
	for len(o.queue) > 0 {
		next := o.queue[0]
		o.queue = o.queue[1:]
		o.mu.Unlock()
		o.to(next)
		o.mu.Lock()
	}
	o.busy = false
}

// newID returns a short random word that names a call or a registration.
func newID() string { return rand.Text()[:12] }
