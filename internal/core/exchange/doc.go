// Package exchange holds everything of one node that must change in one step:
// calls, legs, running hunts, trunk queues and registrations. Apply takes one
// event and returns the commands it causes; it does no I/O, reads no clock and
// takes no lock.
//
// What it guarantees, under any order, loss and repetition of events:
//   - every leg is in exactly one call until it ended;
//   - every leg has exactly one ChangeBegan, first, and one ChangeEnded, last;
//   - no command is given for a leg that ended, and only End once;
//   - of one hunt at most one leg wins;
//   - every timer that runs belongs to a live leg or to a trunk with waiting calls.
package exchange
