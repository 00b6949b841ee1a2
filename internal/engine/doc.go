// Package engine runs the exchange: one event at a time is applied, and the
// resulting commands are handed to the edges, to media, to the timers and to the
// event log. Whose turn it is does that: the goroutine of Run, or one that posts by
// PostHere while nobody else does. Nobody waits for a turn.
//
// Order: events of one caller of Post and PostHere are applied in the order posted;
// commands are given to the drivers in the order the exchange made them. Blocking:
// Post never blocks and may be called from any callback, also from inside a driver's
// Do. PostHere does not block either, but its caller may find itself doing the work
// of others, so it must hold no lock. Drivers must return at once; slow work belongs
// on their own goroutines.
package engine
