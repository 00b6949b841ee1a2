// Package sqlite opens the store in one SQLite file, without cgo.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite" // registers the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/offhook/offhook/internal/store"
)

// patience is how long programs on one database wait for each other.
const patience = 5 * time.Second

// connections bounds the pool. SQLite has one writer; the others read.
const connections = 4

// Open opens the store at rawURL, "sqlite:PATH", and makes file and folder,
// readable by their owner only, if they are missing. WAL with synchronous
// NORMAL keeps every commit when the program is killed; a power cut may lose the
// last ones, never the file. The write-ahead log may grow to 16 MB, so that a page
// which many calls change is copied and synced once. Transactions take the write
// lock at once, so two writers wait for each other (up to 5 s) instead of failing
// half way.
func Open(ctx context.Context, rawURL string, key store.Key) (*store.Store, error) {
	path, ok := strings.CutPrefix(rawURL, "sqlite:")
	if !ok || path == "" || strings.HasPrefix(path, ":") {
		return nil, fmt.Errorf("sqlite.Open: %q is not sqlite:PATH", rawURL)
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("sqlite.Open: %w", err)
	}
	query := url.Values{
		"_txlock": {"immediate"},
		"_pragma": {fmt.Sprintf("busy_timeout(%d)", patience.Milliseconds()), "journal_mode(WAL)", "synchronous(NORMAL)", "wal_autocheckpoint(4000)"},
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("sqlite.Open: %w", err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections) // opening one costs more than a query
	if err := connect(ctx, db); err != nil {
		return nil, fmt.Errorf("sqlite.Open: %w", errors.Join(explain(path, err), db.Close()))
	}
	s, err := store.New(ctx, db, key)
	return s, explain(path, err)
}

// explain says which file an error is about, and what an operator can do about it.
func explain(path string, err error) error {
	fault, ours := errors.AsType[*sqlite.Error](err)
	if !ours {
		return err
	}
	var advice string
	switch fault.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		advice = "it is damaged: put a copy back, with its -wal file, or move both away and start with an empty store"
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR:
		advice = "is the disk full, or broken?"
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY:
		advice = "may this user read and write it, and its folder?"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		advice = "another program holds it"
	default:
		return fmt.Errorf("%s: %w", path, err)
	}
	return fmt.Errorf("%s: %w; %s", path, err, advice)
}

// connect makes the first connection, which turns a new database to its
// write-ahead log. Two programs that do so in the same instant may each hold the
// lock that the other needs; SQLite then does not wait, but fails at once.
func connect(ctx context.Context, db *sql.DB) error {
	for end := time.Now().Add(patience); ; {
		err := db.PingContext(ctx)
		fault, ours := errors.AsType[*sqlite.Error](err)
		if !ours || fault.Code()&0xff != sqlite3.SQLITE_BUSY || time.Now().After(end) {
			return err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// create makes an empty file, which SQLite takes for an empty database: SQLite
// itself would make it readable by everybody.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator's own path
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}
