package events

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// Who asks for a leg that began a moment ago finds it in the log behind the journal.
func TestFlushBringsAllToTheLogBehind(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		j := openJournal(t, folder, m)
		b := New(j, slog.New(slog.DiscardHandler))
		start := time.Now()
		for round := range 3 {
			b.Publish(time.Now(), change("a", core.ChangeHeld))
			if err := b.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if entries, _ := m.all(); len(entries) != round+1 {
				t.Errorf("round %d: %d entries behind the journal", round, len(entries))
			}
		}
		if err := b.Flush(t.Context()); err != nil { // nothing to do
			t.Error(err)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %v", waited)
		}
		if err := errors.Join(b.Close(t.Context()), j.Close(), b.Flush(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

func TestFlushGivesUp(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		m.setFail(errors.New("disk full"))
		j := openJournal(t, folder, m)
		b := New(j, slog.New(slog.DiscardHandler))
		b.Publish(time.Now(), change("a", core.ChangeHeld))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := b.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush = %v", err)
		}
		m.setFail(nil)
		if err := errors.Join(b.Close(t.Context()), j.Close()); err != nil {
			t.Error(err)
		}
	})
}
