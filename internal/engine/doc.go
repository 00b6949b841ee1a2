// Package engine runs the exchange: one goroutine applies one event at a time
// and hands the resulting commands to the edges, to media, to the timers and to
// the event log.
//
// Order: events of one caller of Post are applied in the order posted; commands
// are given to the drivers in the order the exchange made them. Blocking: Post
// never blocks and may be called from any callback, also from inside a driver's
// Do. Drivers must return at once; slow work belongs on their own goroutines.
package engine
