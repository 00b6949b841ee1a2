// Package core holds the words of the project that every other package shares:
// identifiers, causes, kinds of error, the events that the outside reports and
// the commands that the exchange gives. It imports the standard library only,
// does no I/O, reads no clock and starts no goroutine.
package core
