package engine

import (
	"sync"

	"github.com/offhook/offhook/internal/core"
)

// inbox is an unbounded queue with a cap per leg, so that one leg gone wild
// harms its own call only. put never blocks.
type inbox struct {
	wake chan struct{} // holds a token while there may be events
	cap  int           // most events of one leg that may wait

	mu      sync.Mutex // guards all below
	events  []core.Event
	spare   []core.Event // the batch taken before the last, for reuse
	waiting map[core.LegID]int
	shut    bool
}

// manyLegs is how many legs post between two takes on a very busy node.
const manyLegs = 1024

func newInbox(perLeg int) *inbox {
	return &inbox{wake: make(chan struct{}, 1), cap: perLeg, waiting: make(map[core.LegID]int)}
}

// verdict is what became of an event put into the inbox.
type verdict uint8

const (
	taken   verdict = iota
	dropped         // the leg is over its cap; its call is being released
	refused         // the inbox is shut
)

// put appends ev. The first event of a leg over its cap becomes Broken, which
// releases the leg's call; later ones are dropped, except LegGone, the last of
// a leg, which is never many.
func (b *inbox) put(ev core.Event) verdict {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shut {
		return refused
	}
	result := taken
	if le, ok := ev.(core.LegEvent); ok {
		leg := le.LegID()
		b.waiting[leg]++
		if _, gone := ev.(core.LegGone); b.waiting[leg] > b.cap && !gone {
			if b.waiting[leg] > b.cap+1 {
				return dropped
			}
			ev, result = core.Broken{Leg: leg}, dropped
		}
	}
	b.events = append(b.events, ev)
	select {
	case b.wake <- struct{}{}:
	default:
	}
	return result
}

// take returns all waiting events. The slice is valid until the next take.
func (b *inbox) take() []core.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	batch := b.events
	clear(b.spare) // let go of what the events point to
	b.events, b.spare = b.spare[:0], batch
	if len(b.waiting) > manyLegs {
		b.waiting = make(map[core.LegID]int) // a map never shrinks, and clearing takes its full size
	} else {
		clear(b.waiting)
	}
	return batch
}

// shutIfEmpty shuts the inbox, unless events wait.
func (b *inbox) shutIfEmpty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shut = len(b.events) == 0
	return b.shut
}
