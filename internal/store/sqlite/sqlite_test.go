package sqlite_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	r := store.Resources{Numbers: []route.Number{{Number: "200", User: "boss"}, {Number: "100", User: "thief"}}}
	if err := s.ApplyFile(t.Context(), r, "realm"); core.KindOf(err) != core.Conflict || !strings.Contains(err.Error(), `number "100"`) {
		t.Errorf("error = %v, want a conflict about number 100", err)
	}
	r.Numbers = r.Numbers[:1]
	if err := s.ApplyFile(t.Context(), r, "realm"); err != nil {
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

func TestDamageIsExplained(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "offhook.db")
	key := store.NewKey()
	s, err := sqlite.Open(t.Context(), "sqlite:"+whole, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"another file":         func([]byte) []byte { return []byte(strings.Repeat("holiday photo ", 1000)) },
		"cut off":              func(b []byte) []byte { return b[:len(b)/2] },
		"zeroes in the middle": func(b []byte) []byte { clear(b[4096:20480]); return b },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "offhook.db")
			if err := os.WriteFile(path, damage(bytes.Clone(text)), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := sqlite.Open(t.Context(), "sqlite:"+path, key)
			if err == nil {
				_ = s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "put a copy back") {
				t.Errorf("error = %v, want the file and what to do", err)
			}
		})
	}
}

func TestDataRefusesASecondRecord(t *testing.T) {
	_, raw, _ := open(t)
	const row = `INSERT INTO cdrs (leg, call, edge, direction, from_user, from_trunk, from_number, from_name, to_user, to_trunk, to_number, to_name, begun_us)
		VALUES ('a', 'c', 'sip', 'inbound', '', '', '', '', '', '', '', '', 0)`
	mustExec(t, raw, row)
	if _, err := raw.ExecContext(t.Context(), row); err == nil {
		t.Error("a leg has two records")
	}
}

// A store of the time when each change was a row of its own.
func TestHistoryOfOldRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"0001_first", "0002_call_control"} {
		text, err := os.ReadFile("../migrations/" + step + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, raw, string(text))
	}
	for _, text := range []string{
		`CREATE TABLE schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_us BIGINT NOT NULL)`,
		`INSERT INTO schema_migrations (version, name, applied_us) VALUES (1, 'first', 0), (2, 'call_control', 0)`,
		`INSERT INTO applications (name, body, public_key, origin, position) VALUES ('app', '{"id":"app"}', 'PEM', 'file', 0)`,
		`INSERT INTO cdrs (leg, call, edge, direction, from_user, from_trunk, from_number, from_name, to_user, to_trunk, to_number, to_name, begun_us)
			VALUES ('a', 'c', 'sip', 'inbound', 'alice', '', '', '', 'bob', '', '', '', 1000000)`,
		`INSERT INTO leg_events (leg, seq, at_us, kind, body) VALUES
			('a', 2, 2000000, 'answered', '{"call":"c","edge":"sip","direction":"inbound","from":{"user":"alice"},"to":{"user":"bob"}}'),
			('a', 1, 1000000, 'began', '{"call":"c","edge":"sip","direction":"inbound","from":{"user":"alice"},"to":{"user":"bob"}}')`,
	} {
		mustExec(t, raw, text)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), "sqlite:"+path, store.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // only read
	events, err := s.LegEvents(t.Context(), "a")
	if err != nil || len(events) != 2 || events[0].Kind != core.ChangeBegan || events[1].Kind != core.ChangeAnswered ||
		events[1].Seq != 2 || events[1].To.User.Name != "bob" || !events[1].At.Equal(time.Unix(2, 0)) {
		t.Errorf("history = %+v, %v", events, err)
	}
}
