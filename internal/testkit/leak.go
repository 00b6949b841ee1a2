package testkit

import (
	"testing"

	"go.uber.org/goleak"
)

// CheckLeaks fails the test if goroutines that it started still run when all
// cleanups registered after this call are done. Call it first.
func CheckLeaks(t testing.TB) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		if t.Failed() {
			return // what failed has left things running; that is no news
		}
		if err := goleak.Find(before); err != nil {
			t.Error(err)
		}
	})
}
