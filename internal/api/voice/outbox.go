package voice

import (
	"slices"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/webhook"
)

// outbox takes what shall be told to applications from the loop, which never
// waits, and hands it on from a goroutine of its own, in order.
type outbox struct {
	mu     sync.Mutex // guards all below
	queue  []outgoing
	busy   bool // something taken off the queue is not handed on yet
	closed bool

	wake chan struct{} // has one slot
	done chan struct{} // closed when run has ended
}

// outgoing is one thing to tell, or to do in its turn.
type outgoing struct {
	leg core.LegID
	do  what
	job func() []webhook.Job // with tell; runs on the outbox's goroutine
	at  chan<- struct{}      // with mark: closed when its turn comes
}

type what uint8

const (
	tell    what = iota + 1
	hold         // keep what is told of the leg
	release      // and hand it on
	forget       // or drop it
	mark         // report that all before it was handed on
)

// holdTime is how long what is told of a leg may be kept back: as long as a
// client may take to read a response.
const holdTime = 2 * time.Second

func newOutbox() *outbox {
	return &outbox{wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// put appends to the queue.
func (o *outbox) put(out outgoing) {
	o.mu.Lock()
	if !o.closed {
		o.queue = append(o.queue, out)
	}
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// hold keeps back what is told of a leg until the function it returns is called,
// with whether it may be told at all, or for holdTime.
func (o *outbox) hold(leg core.LegID) func(tellIt bool) {
	o.put(outgoing{leg: leg, do: hold})
	limit := time.AfterFunc(holdTime, func() { o.put(outgoing{leg: leg, do: release}) })
	return func(tellIt bool) {
		limit.Stop()
		if tellIt {
			o.put(outgoing{leg: leg, do: release})
		} else {
			o.put(outgoing{leg: leg, do: forget})
		}
	}
}

// run hands on until close.
func (o *outbox) run(send func(webhook.Job)) {
	defer close(o.done)
	held := make(map[core.LegID][]webhook.Job)
	for range o.wake {
		queue, closed := o.take()
		for _, out := range queue {
			o.handle(held, out, send)
		}
		o.handedOn()
		if closed {
			for _, jobs := range held {
				each(jobs, send)
			}
			return
		}
	}
}

func (o *outbox) handle(held map[core.LegID][]webhook.Job, out outgoing, send func(webhook.Job)) {
	switch out.do {
	case hold:
		held[out.leg] = []webhook.Job{}
	case release:
		each(held[out.leg], send)
		delete(held, out.leg)
	case forget:
		delete(held, out.leg)
	case mark:
		close(out.at)
	case tell:
		jobs := out.job()
		if kept, ok := held[out.leg]; ok {
			held[out.leg] = slices.Concat(kept, jobs)
			return
		}
		each(jobs, send)
	}
}

func each(jobs []webhook.Job, send func(webhook.Job)) {
	for _, job := range jobs {
		send(job)
	}
}

func (o *outbox) take() (queue []outgoing, closed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	queue, o.queue = o.queue, nil
	o.busy = len(queue) > 0
	return queue, o.closed
}

func (o *outbox) handedOn() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.busy = false
}

// idle reports whether all that was put was handed on.
func (o *outbox) idle() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.queue) == 0 && !o.busy
}

// flush waits until what was put before is handed on, but for what is held, and at
// most for d.
func (o *outbox) flush(d time.Duration) {
	if o.idle() { // nobody is woken up for nothing: it is asked for each few changes of any leg
		return
	}
	at := make(chan struct{})
	o.put(outgoing{do: mark, at: at})
	limit := time.NewTimer(d)
	defer limit.Stop()
	select {
	case <-at:
	case <-limit.C:
	case <-o.done:
	}
}

// close hands on what is queued and waits for that.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
	<-o.done
}
