package testkit

import (
	"testing"
	"time"
)

// poll is how often Eventually looks.
const poll = 5 * time.Millisecond

// Eventually waits until done returns true and fails the test, naming what it
// waited for, if that takes longer than within.
func Eventually(t testing.TB, within time.Duration, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(poll)
	}
}

// Receive returns the next value of ch and fails the test, naming what it
// waited for, if none comes within that time or ch is closed.
func Receive[T any](t testing.TB, ch <-chan T, within time.Duration, what string) T {
	t.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case v, ok := <-ch:
		if !ok {
			t.Fatalf("closed while waiting for %s", what)
		}
		return v
	case <-timer.C:
		t.Fatalf("not within %v: %s", within, what)
	}
	panic("unreachable")
}
