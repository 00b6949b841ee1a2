package events

import (
	"sync"
	"sync/atomic"

	"github.com/offhook/offhook/internal/core"
)

// Subscription gets every change from the moment it was made.
type Subscription struct {
	all *subscribers
	c   chan core.LegEntry
}

// Subscribe returns a Subscription that may lag behind by buffer entries (at
// least 1). One that lags further is closed: the bus waits for nobody.
func (b *Bus) Subscribe(buffer int) *Subscription {
	s := &Subscription{all: &b.subs, c: make(chan core.LegEntry, max(buffer, 1))}
	b.subs.add(s)
	return s
}

// C is where the entries arrive. It is closed after Close, after the bus was
// closed, and when the subscriber was too slow; a client that needs the rest
// reads the log and subscribes again.
func (s *Subscription) C() <-chan core.LegEntry { return s.c }

// Close ends the subscription. It may be called again.
func (s *Subscription) Close() { s.all.remove(s) }

// subscribers is the set of living subscriptions. A channel is closed by whoever
// takes it out of the set, under the lock, so it is closed once and never sent to
// afterwards.
type subscribers struct {
	mu   sync.Mutex // guards set, done and sends
	set  map[*Subscription]struct{}
	done bool
	slow atomic.Uint64
}

func (l *subscribers) add(s *Subscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		close(s.c)
		return
	}
	if l.set == nil {
		l.set = make(map[*Subscription]struct{})
	}
	l.set[s] = struct{}{}
}

func (l *subscribers) remove(s *Subscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.removeLocked(s)
}

func (l *subscribers) removeLocked(s *Subscription) {
	if _, ok := l.set[s]; ok {
		delete(l.set, s)
		close(s.c)
	}
}

// send gives entries to everybody who has room for them.
func (l *subscribers) send(entries []core.LegEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.set {
		for _, e := range entries {
			select {
			case s.c <- e:
				continue
			default:
			}
			l.slow.Add(1)
			l.removeLocked(s)
			break
		}
	}
}

func (l *subscribers) closeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = true
	for s := range l.set {
		l.removeLocked(s)
	}
}
