// Package exchange holds everything of one node that must change in one step:
// calls, legs, flows, conversations, running hunts, park slots, trunk queues, limits
// and registrations. Apply takes one event and returns the commands it causes; it does
// no I/O, reads no clock and takes no lock.
//
// What it guarantees, under any order, loss and repetition of events:
//   - every leg is in exactly one call until it ended;
//   - every leg has exactly one ChangeBegan, first, and one ChangeEnded, last, but for
//     the legs that ring for one of an application: to it all of them are one leg;
//   - no command is given for a leg that ended, and only End once;
//   - of one hunt at most one leg wins;
//   - a leg moves between calls in one step and never hears who is in another;
//   - who is asked a question gets one reply, and who asks for a transfer hears
//     how it ended while its leg lives;
//   - an application's answer counts once, for the question that its leg waits for, and
//     no leg waits for ever for one that does not come;
//   - of an application that has no leg nothing is left: no conversation, no recording,
//     nobody who listens for it;
//   - every timer that runs belongs to a live leg or to a trunk with waiting calls.
//
// The tests hold it to that: tables, FuzzEventOrders, TestRandomRun with edges that
// say anything at any time, and TestSimulator with people and networks that behave.
package exchange
