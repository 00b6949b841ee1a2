package events

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
)

func openJournal(t testing.TB, folder string, m *memory) *Journal {
	t.Helper()
	j, err := OpenJournal(t.Context(), folder, m, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// legEntry is change seq of a leg with every field that there is.
func legEntry(leg string, seq int, kind core.ChangeKind) core.LegEntry {
	party := core.Party{User: core.UserID{App: "app", Name: "alice"}, Trunk: "carrier", Number: "12995550100", Name: "Å \"B\" \u2028"}
	return core.LegEntry{At: time.Unix(1_800_000_000, 123_456_000).UTC(), Seq: seq, LegChange: core.LegChange{
		Kind: kind, Leg: core.LegID(leg), Call: "call", Edge: core.EdgeBrowser, Direction: core.Outbound, From: party, To: party,
		Cause: core.CauseNormal, Reason: core.ReasonCallerGone, Code: 487, Peer: "peer", Slot: "71",
	}}
}

func mustAppend(t testing.TB, j *Journal, entries ...core.LegEntry) {
	t.Helper()
	if _, err := j.Append(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
}

// killed copies what a killed process leaves in its folder.
func killed(t testing.TB, folder string) string {
	t.Helper()
	after := t.TempDir()
	if err := os.CopyFS(after, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	return after
}

func TestJournalPassesOnTogether(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		j := openJournal(t, folder, m)
		var want []core.LegEntry
		for i := range 20 {
			e := legEntry("a", i+1, core.ChangeHeld)
			mustAppend(t, j, e)
			want = append(want, e)
			time.Sleep(4 * time.Millisecond)
		}
		if entries, _ := m.all(); len(entries) != 0 {
			t.Errorf("%d entries passed on too early", len(entries))
		}
		time.Sleep(together)
		if entries, batches := m.all(); !reflect.DeepEqual(entries, want) || batches != 1 {
			t.Errorf("passed on %d entries in %d batches, want %d in 1", len(entries), batches, len(want))
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, f := range []string{"legs-1.journal", "legs-2.journal"} {
		if info, err := os.Stat(filepath.Join(folder, f)); err != nil || info.Size() != 0 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s after Close: %+v, %v", f, info, err)
		}
	}
}

func TestJournalAfterKill(t *testing.T) {
	folder := t.TempDir()
	m := &memory{}
	j := openJournal(t, folder, m)
	began, ended := legEntry("a", 1, core.ChangeBegan), legEntry("a", 2, core.ChangeEnded)
	mustAppend(t, j, began)
	mustAppend(t, j, ended)
	after := killed(t, folder)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	m = &memory{}
	j = openJournal(t, after, m)
	if entries, _ := m.all(); !reflect.DeepEqual(entries, []core.LegEntry{began, ended}) {
		t.Errorf("the next start passed on\n%+v, want\n%+v", entries, []core.LegEntry{began, ended})
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	m = &memory{}
	j = openJournal(t, after, m)
	if entries, _ := m.all(); len(entries) != 0 {
		t.Errorf("passed on again: %+v", entries)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// Killed in the middle of a write.
func TestJournalWithHalfALine(t *testing.T) {
	folder := t.TempDir()
	m := &memory{}
	j := openJournal(t, folder, m)
	mustAppend(t, j, legEntry("a", 1, core.ChangeBegan), legEntry("b", 1, core.ChangeBegan))
	after := killed(t, folder)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(after, "legs-1.journal")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text[:len(text)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	m = &memory{}
	j, err = OpenJournal(t.Context(), after, m, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if entries, _ := m.all(); len(entries) != 1 || entries[0].Leg != "a" || !strings.Contains(log.String(), "not whole") {
		t.Errorf("passed on %+v, logged %q", entries, log.String())
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// picky is a log that does not take one leg.
type picky struct {
	memory
	leg core.LegID
}

func (p *picky) Append(ctx context.Context, entries []core.LegEntry) (int, error) {
	for _, e := range entries {
		if e.Leg == p.leg {
			return 0, errors.New("constraint failed")
		}
	}
	return p.memory.Append(ctx, entries)
}

// A damaged entry, and one that the database does not take, cost themselves alone.
func TestJournalWithDamagedEntries(t *testing.T) {
	folder := t.TempDir()
	j := openJournal(t, folder, &memory{})
	for _, leg := range []string{"a", "b", "c", "d"} {
		mustAppend(t, j, legEntry(leg, 1, core.ChangeBegan))
	}
	after := killed(t, folder)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(after, "legs-1.journal")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	lines[1][20] = 0 // that of b
	if err := os.WriteFile(path, bytes.Join(lines, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	m := &picky{leg: "c"}
	j, err = OpenJournal(t.Context(), after, m, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	var got []core.LegID
	entries, _ := m.all()
	for _, e := range entries {
		got = append(got, e.Leg)
	}
	said := log.String()
	if !slices.Equal(got, []core.LegID{"a", "d"}) || !strings.Contains(said, "are damaged") || !strings.Contains(said, "entries=1") || !strings.Contains(said, "leg=c") {
		t.Errorf("passed on %v, logged\n%s", got, said)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// The database fails for a while, and is killed with both files in use.
func TestJournalWhileTheLogBehindFails(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{fail: errors.New("locked")}
		j := openJournal(t, folder, m)
		mustAppend(t, j, legEntry("a", 1, core.ChangeBegan))
		time.Sleep(2 * together)
		mustAppend(t, j, legEntry("a", 2, core.ChangeEnded)) // into the other file
		after := killed(t, folder)
		recovered := &memory{}
		if err := openJournal(t, after, recovered).Close(); err != nil {
			t.Fatal(err)
		}
		if entries, _ := recovered.all(); len(entries) != 2 || entries[0].Seq != 1 {
			t.Errorf("a start after a kill passed on %+v", entries)
		}
		m.setFail(nil)
		time.Sleep(retry + 2*together)
		if entries, _ := m.all(); len(entries) != 2 || entries[1].Kind != core.ChangeEnded {
			t.Errorf("passed on %+v", entries)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestJournalClosedWhileTheLogBehindFails(t *testing.T) {
	folder := t.TempDir()
	m := &memory{fail: errors.New("locked")}
	j := openJournal(t, folder, m)
	mustAppend(t, j, legEntry("a", 1, core.ChangeBegan))
	if err := j.Close(); err == nil || !strings.Contains(err.Error(), "1 changes wait in the journal") {
		t.Errorf("Close = %v", err)
	}
	m.setFail(nil)
	if err := openJournal(t, folder, m).Close(); err != nil {
		t.Fatal(err)
	}
	if entries, _ := m.all(); len(entries) != 1 {
		t.Errorf("the next start passed on %+v", entries)
	}
	m.setFail(errors.New("locked"))
	j = openJournal(t, folder, m)
	_, err := j.Append(t.Context(), make([]core.LegEntry, maxHeld+1))
	if !errors.Is(err, errBehind) {
		t.Errorf("Append = %v, want that it refuses what it could not keep in memory", err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

func BenchmarkJournal(b *testing.B) {
	m := &memory{}
	j := openJournal(b, b.TempDir(), m)
	entry := []core.LegEntry{legEntry("a", 1, core.ChangeHeld), legEntry("b", 1, core.ChangeHeld)}
	for b.Loop() {
		if _, err := j.Append(b.Context(), entry); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
}

func TestJournalThatCannotBeEmptiedGoesOn(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		j := openJournal(t, folder, m)
		mustAppend(t, j, legEntry("a", 1, core.ChangeBegan))
		if err := j.files[0].Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * together)
		mustAppend(t, j, legEntry("a", 2, core.ChangeEnded))
		time.Sleep(2 * together)
		if got, _ := m.all(); len(got) != 2 {
			t.Errorf("the log behind has %d entries, want 2", len(got))
		}
		_ = j.Close()
	})
}
