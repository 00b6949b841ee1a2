package store_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/store"
	"github.com/offhook/offhook/internal/store/sqlite"
)

// A database that is copied while it is written, with its write-ahead log, is
// what a kill -9 leaves behind.
func TestSQLiteAfterKill(t *testing.T) {
	folder, key := t.TempDir(), store.NewKey()
	path := filepath.Join(folder, "offhook.db")
	s, err := sqlite.Open(t.Context(), "sqlite:"+path, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ApplyFile(t.Context(), sample(), realm); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), []core.LegEntry{entry("a", 1, core.ChangeBegan, 0), entry("a", 2, core.ChangeAnswered, 1)}); err != nil {
		t.Fatal(err)
	}
	killed := filepath.Join(folder, "killed.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if suffix == "-wal" && len(data) == 0 {
			t.Fatal("the write-ahead log is empty: this test shows nothing")
		}
		if err := os.WriteFile(killed+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	again := mustOpen(t, func(key store.Key) (*store.Store, error) { return sqlite.Open(t.Context(), "sqlite:"+killed, key) }, key)
	if closed, err := again.CloseUnfinished(t.Context(), at(100)); err != nil || len(closed) != 1 {
		t.Errorf("CloseUnfinished = %+v, %v, want the one living leg", closed, err)
	}
	if r, err := again.Resources(t.Context()); err != nil || len(r.Users) != 3 {
		t.Errorf("Resources = %+v, %v", r, err)
	}
}

// Rows that somebody or something has damaged keep no exchange from starting: the
// other legs are closed, and so is one of which only the history cannot be read.
func TestCloseUnfinishedWithDamagedRows(t *testing.T) {
	path, key := filepath.Join(t.TempDir(), "offhook.db"), store.NewKey()
	open := func() *store.Store {
		return mustOpen(t, func(key store.Key) (*store.Store, error) { return sqlite.Open(t.Context(), "sqlite:"+path, key) }, key)
	}
	s := open()
	var legs []core.LegEntry
	for _, leg := range []core.LegID{"whole", "history", "number", "headers"} {
		legs = append(legs, entry(leg, 1, core.ChangeBegan, 0))
	}
	if _, err := s.Append(t.Context(), legs); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []string{
		`UPDATE cdrs SET history = '{"seq": 1, "at"' WHERE leg = 'history'`, `UPDATE cdrs SET seq = 'one' WHERE leg = 'number'`,
		`UPDATE cdrs SET headers = '{' WHERE leg = 'headers'`,
	} {
		if _, err := db.ExecContext(t.Context(), damage); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	closed, err := open().CloseUnfinished(t.Context(), at(100))
	bad, _ := errors.AsType[store.UnreadableErrors](err)
	if len(bad) != 3 {
		t.Errorf("unreadable: %v", err)
	}
	var got []string
	for _, r := range closed {
		if got = append(got, string(r.Leg)); !r.Ended.Equal(at(100)) || !r.Interrupted {
			t.Errorf("%+v", r)
		}
	}
	if slices.Sort(got); !slices.Equal(got, []string{"history", "whole"}) {
		t.Errorf("closed %v", got)
	}
}

func TestSQLiteFilesAreThePersonsOwn(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new")
	path := filepath.Join(folder, "offhook.db")
	s := mustOpen(t, func(key store.Key) (*store.Store, error) { return sqlite.Open(t.Context(), "sqlite:"+path, key) }, store.NewKey())
	if err := s.ApplyFile(t.Context(), sample(), realm); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{folder: 0o700, path: 0o600, path + "-wal": 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v, want %o", name, info.Mode().Perm(), err, want)
		}
	}
	wal, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	md5Hex, _ := store.HA1("sales", realm, "correct horse")
	for _, secret := range []string{"trunk secret", md5Hex} {
		if strings.Contains(string(wal), secret) {
			t.Errorf("the database contains %q in the clear", secret)
		}
	}
}

func TestSQLiteRefusesOtherURLs(t *testing.T) {
	for _, url := range []string{"", "sqlite:", "sqlite::memory:", "postgres://x", "/tmp/x.db"} {
		if _, err := sqlite.Open(t.Context(), url, store.NewKey()); err == nil {
			t.Errorf("%q accepted", url)
		}
	}
}
