// Package outage tells an operator once that something fails, and once that it works
// again, however often it is tried in between.
package outage

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Watch follows one thing that may fail. Make it with New; it is safe for concurrent
// use.
type Watch struct {
	what string
	log  *slog.Logger

	mu    sync.Mutex // guards the fields below
	err   error      // the last failure, nil if the last try worked
	since time.Time  // the first of these failures
	tries int        // how many there were
}

// New returns a Watch; what says what fails: "leg events are not written".
func New(log *slog.Logger, what string) *Watch { return &Watch{what: what, log: log} }

// Report notes how a try went, nil if it worked. The first failure after a success and
// the first success after a failure are logged.
func (w *Watch) Report(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil && w.err == nil:
		w.since, w.tries = time.Now(), 0
		w.log.Error("trouble", "what", w.what, "error", err)
	case err == nil && w.err != nil:
		w.log.Info("trouble is over", "what", w.what, "for", time.Since(w.since).Round(time.Millisecond), "tries", w.tries, "error", w.err)
	}
	w.err = err
	w.tries++
}

// Err returns what fails now and why, nil if all is well.
func (w *Watch) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", w.what, w.err)
}
