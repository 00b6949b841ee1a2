package testkit

import (
	"testing"
	"time"
)

// poll is how often Eventually looks.
const poll = 5 * time.Millisecond

// slack is how long is waited for what should come within that time on a machine
// with nothing else to do: one that runs many tests at once may stand still for
// seconds. Who gets what it waits for does not wait longer.
func slack(within time.Duration) time.Duration {
	return max(within, min(10*within, 30*time.Second))
}

// Eventually waits until done returns true and fails the test, naming what it
// waited for, if that takes longer than within, and much longer.
func Eventually(t testing.TB, within time.Duration, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(slack(within))
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", slack(within), what)
		}
		time.Sleep(poll)
	}
}

// Receive returns the next value of ch and fails the test, naming what it
// waited for, if none comes within that time, and much longer, or ch is closed.
func Receive[T any](t testing.TB, ch <-chan T, within time.Duration, what string) T {
	t.Helper()
	timer := time.NewTimer(slack(within))
	defer timer.Stop()
	select {
	case v, ok := <-ch:
		if !ok {
			t.Fatalf("closed while waiting for %s", what)
		}
		return v
	case <-timer.C:
		t.Fatalf("not within %v: %s", slack(within), what)
	}
	panic("unreachable")
}
