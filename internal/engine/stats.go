package engine

import "sync/atomic"

// Stats are figures of a Loop for metrics.
type Stats struct {
	Legs, Calls, Contacts int64  // live now
	Events, Commands      uint64 // since the start
	Dropped               uint64 // events of legs over their cap
	Panics                uint64 // caught while applying an event or carrying out a command
}

// counters hold Stats while the loop runs. Only the loop writes those of what lives.
type counters struct {
	legs, calls, contacts             atomic.Int64
	events, commands, dropped, panics atomic.Uint64
}

func (c *counters) observe(legs, calls, contacts int) {
	c.legs.Store(int64(legs))
	c.calls.Store(int64(calls))
	c.contacts.Store(int64(contacts))
}

// Stats returns the current figures.
func (l *Loop) Stats() Stats {
	c := &l.stats
	return Stats{
		Legs: c.legs.Load(), Calls: c.calls.Load(), Contacts: c.contacts.Load(),
		Events: c.events.Load(), Commands: c.commands.Load(), Dropped: c.dropped.Load(), Panics: c.panics.Load(),
	}
}
