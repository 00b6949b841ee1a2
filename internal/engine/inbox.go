package engine

import (
	"sync"

	"github.com/offhook/offhook/internal/core"
)

// turn is who may take events out of an inbox and apply them. It is passed on under
// the inbox's mutex, so that each sees all that the one before has done.
type turn uint8

const (
	turnNobody turn = iota
	turnPoster      // a goroutine that posted
	turnRun         // that of Loop.Run, which is awake or has a token
)

// inbox is an unbounded queue with a cap per leg, so that one leg gone wild
// harms its own call only. put never blocks.
type inbox struct {
	wake chan struct{} // holds a token when it is Run's turn and there may be events
	cap  int           // most events of one leg that may wait

	mu      sync.Mutex // guards all below
	turn    turn
	kept    bool // the turn stays with Run
	events  []core.Event
	spare   []core.Event // the batch taken before the last, for reuse
	waiting map[core.LegID]int
	shut    bool
}

// manyLegs is how many legs post between two takes on a very busy node.
const manyLegs = 1024

func newInbox(perLeg int) *inbox {
	return &inbox{wake: make(chan struct{}, 1), cap: perLeg, turn: turnRun, waiting: make(map[core.LegID]int)}
}

// verdict is what became of an event put into the inbox.
type verdict uint8

const (
	taken   verdict = iota
	dropped         // the leg is over its cap; its call is being released
	refused         // the inbox is shut
)

// put appends ev and sees that somebody takes it. A caller who may do so itself says
// so by here; if mine is true it has the turn, and must take and leave. The first event
// of a leg over its cap becomes Broken, which releases the leg's call; later ones are
// dropped, except LegGone, the last of a leg, which is never many.
func (b *inbox) put(ev core.Event, here bool) (result verdict, mine bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shut {
		return refused, false
	}
	if le, ok := ev.(core.LegEvent); ok {
		leg := le.LegID()
		b.waiting[leg]++
		if _, gone := ev.(core.LegGone); b.waiting[leg] > b.cap && !gone {
			if b.waiting[leg] > b.cap+1 {
				return dropped, false
			}
			ev, result = core.Broken{Leg: leg}, dropped
		}
	}
	b.events = append(b.events, ev)
	if _, carried := ev.(core.LegCarried); carried && b.turn == turnNobody {
		return result, false // taken together with the leg's end, which follows
	}
	switch {
	case b.turn == turnPoster: // that one sees it before it leaves
	case b.turn == turnNobody && here:
		b.turn = turnPoster
		return result, true
	default:
		b.handLocked()
	}
	return result, false
}

// handLocked gives the turn to Run.
func (b *inbox) handLocked() {
	b.turn = turnRun
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// leave ends a poster's turn. Run goes on with what came meanwhile: its goroutine has
// nothing else to do.
func (b *inbox) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept || len(b.events) > 0 {
		b.handLocked()
		return
	}
	b.turn = turnNobody
}

// enter reports whether it is Run's turn.
func (b *inbox) enter() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.turn == turnRun
}

// rest ends the turn of Run if no event waits. Else there is a token.
func (b *inbox) rest() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.events) == 0 && !b.kept {
		b.turn = turnNobody
	}
}

// keep makes it Run's turn for ever. If it returns false a poster still has it, and
// there will be a token.
func (b *inbox) keep() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = true
	if b.turn == turnPoster {
		return false
	}
	b.turn = turnRun
	return true
}

// take returns all waiting events, to whose turn it is. The slice is valid until the
// next take.
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
