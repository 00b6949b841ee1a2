package testkit

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// Log collects what a test's subject logs and prints it if the test fails.
type Log struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

// NewLog returns a Log and the logger that writes to it, at debug level.
func NewLog(t testing.TB) (*Log, *slog.Logger) {
	t.Helper()
	l := &Log{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", l)
		}
	})
	return l, slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns everything logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Lines returns the lines logged so far that contain all of words.
func (l *Log) Lines(words ...string) []string {
	var found []string
next:
	for line := range strings.Lines(l.String()) {
		for _, w := range words {
			if !strings.Contains(line, w) {
				continue next
			}
		}
		found = append(found, strings.TrimSuffix(line, "\n"))
	}
	return found
}
