package outage_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/outage"
)

// TestSaidOnce fails a hundred times, works, and fails again.
func TestSaidOnce(t *testing.T) {
	var log bytes.Buffer
	w := outage.New(slog.New(slog.NewTextHandler(&log, nil)), "leg events are not written")
	full := errors.New("disk full")
	w.Report(nil)
	if w.Err() != nil || log.Len() > 0 {
		t.Fatalf("at the beginning: %v, %s", w.Err(), log.String())
	}
	for range 100 {
		w.Report(full)
	}
	if err := w.Err(); !errors.Is(err, full) || err.Error() != "leg events are not written: disk full" {
		t.Errorf("during the outage: %v", err)
	}
	for range 100 {
		w.Report(nil)
	}
	if err := w.Err(); err != nil {
		t.Errorf("after it: %v", err)
	}
	w.Report(full)
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], "level=ERROR") || !strings.Contains(lines[1], "tries=100") || !strings.Contains(lines[2], "level=ERROR") {
		t.Errorf("log:\n%s", log.String())
	}
}
