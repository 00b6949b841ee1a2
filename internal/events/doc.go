// Package events carries every change of a leg from the loop to the event log,
// the call detail records and subscribers.
//
// Publish only queues and never waits: the loop calls it. One goroutine writes
// what has gathered within 4 ms to the log and then hands it to the subscribers,
// so that nobody is told what a crash could make us forget. Order is kept for all
// legs. While the log fails, entries wait and the write is tried again;
// subscribers are told after the first try. When the queue is full, changes in
// the middle of a leg's life are dropped and counted before its begin, answer and
// end are.
//
// The log of a node is a Journal, a file in its data folder, with the database
// behind it: that gets entries within another half second, in larger transactions.
package events
