package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/store"
	"github.com/offhook/offhook/internal/store/sqlite"
)

// open returns a new store and a second way into its database.
func open(t *testing.T) (s *store.Store, raw *sql.DB, again func() error) {
	t.Helper()
	path, key := filepath.Join(t.TempDir(), "offhook.db"), store.NewKey()
	s, err := sqlite.Open(t.Context(), "sqlite:"+path, key)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err = sql.Open("sqlite", path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := raw.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, raw, func() error {
		s, err := sqlite.Open(t.Context(), "sqlite:"+path, key)
		if err == nil {
			err = s.Close()
		}
		return err
	}
}

func mustExec(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

func TestFileDoesNotTakeOverWhatTheAPIMade(t *testing.T) {
	s, raw, _ := open(t)
	mustExec(t, raw, `INSERT INTO numbers (name, body, origin, position) VALUES ('100', '{"number":"100","user":"boss"}', 'api', 0)`)
	hash := func(core.Secret) (string, error) { return "hash", nil }
	r := store.Resources{Numbers: []route.Number{{Number: "200", User: "boss"}, {Number: "100", User: "thief"}}}
	if err := s.ApplyFile(t.Context(), r, "realm", hash); core.KindOf(err) != core.Conflict || !strings.Contains(err.Error(), `number "100"`) {
		t.Errorf("error = %v, want a conflict about number 100", err)
	}
	r.Numbers = r.Numbers[:1]
	if err := s.ApplyFile(t.Context(), r, "realm", hash); err != nil {
		t.Fatal(err)
	}
	got, err := s.Resources(t.Context())
	if err != nil || len(got.Numbers) != 2 || got.Numbers[0].Number != "200" || got.Numbers[1].User != "boss" {
		t.Errorf("numbers = %+v, %v", got.Numbers, err)
	}
}

func TestNewerStoreIsRefused(t *testing.T) {
	_, raw, again := open(t)
	if err := again(); err != nil {
		t.Fatal(err)
	}
	mustExec(t, raw, `INSERT INTO schema_migrations (version, name, applied_us) VALUES (9999, 'future', 0)`)
	if err := again(); err == nil || !strings.Contains(err.Error(), "written by a newer offhook") {
		t.Errorf("error = %v", err)
	}
}

func TestDataRefusesASecondEnd(t *testing.T) {
	_, raw, _ := open(t)
	const row = `INSERT INTO leg_events (leg, seq, at_us, kind, body) VALUES ('a', `
	mustExec(t, raw, row+`1, 0, 'ended', '{}')`)
	if _, err := raw.ExecContext(t.Context(), row+`2, 0, 'ended', '{}')`); err == nil {
		t.Error("a leg has two ends")
	}
}
