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

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/offhook/offhook/internal/store"
)

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
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(NORMAL)", "wal_autocheckpoint(4000)"},
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("sqlite.Open: %w", err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections) // opening one costs more than a query
	return store.New(ctx, db, key)
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
