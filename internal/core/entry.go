package core

import "time"

// LegEntry is a LegChange as the event log keeps it and subscribers read it.
type LegEntry struct {
	// At is when the exchange made the change.
	At time.Time
	// Seq counts the entries of a leg from 1 without gaps, except for entries
	// that were dropped because the log could not keep up.
	Seq int
	LegChange
}
