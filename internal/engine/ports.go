package engine

import (
	"time"

	"github.com/offhook/offhook/internal/core"
)

// Exchange is what the loop drives: *exchange.Exchange. Only whose turn it is calls
// it, after Run was called.
type Exchange interface {
	Apply(now time.Time, ev core.Event) []core.Command
	Drained() bool
	// Size returns how many legs, calls and registrations live.
	Size() (legs, calls, contacts int)
}

// LegDriver carries out commands for the legs of one edge. Do returns at once
// and reports by Loop.Post.
type LegDriver interface {
	Do(core.LegCommand)
}

// MediaDriver carries out who hears whom, and what is recorded and listened for. Do
// returns at once.
type MediaDriver interface {
	Do(core.MediaCommand)
}

// AppDriver speaks with applications. Do returns at once; commands of one
// application come in order. Changed gets every change of a leg that belongs to an
// application, between the commands, in order.
type AppDriver interface {
	Do(now time.Time, cmd core.AppCommand)
	Changed(now time.Time, change core.LegChange)
}

// Publisher takes the history of legs, in order, with the time of the event
// that made it. Publish returns at once.
type Publisher interface {
	Publish(now time.Time, change core.LegChange)
}
