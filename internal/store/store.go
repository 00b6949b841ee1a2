package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// Store is an open database with an up-to-date schema.
type Store struct {
	db  *sql.DB
	key Key
	log *logStatements

	changing sync.Mutex       // one change of resources, with its check, at a time
	known    *route.Directory // guarded by changing: the resources that are kept; nil if they have to be read

	status func(core.LegChange) string // see SetStatus
}

// SetStatus says in which words applications know how far their legs came: word is
// asked for every change of such a leg, and "" is no news. AppLegs finds legs by the
// last word. It is called once, before the first Append.
func (s *Store) SetStatus(word func(core.LegChange) string) { s.status = word }

// New brings the schema of db up to date and checks that key is the one the
// store was made with. The Store owns db from then on, also if New fails. The
// drivers' packages call it; programs call theirs.
func New(ctx context.Context, db *sql.DB, key Key) (*Store, error) {
	s := &Store{db: db, key: key}
	err := migrate(ctx, db, time.Now())
	if err == nil {
		err = s.checkKey(ctx)
	}
	if err == nil {
		s.log, err = prepareLog(ctx, db)
	}
	if err != nil {
		return nil, fmt.Errorf("store.New: %w", errors.Join(err, db.Close()))
	}
	return s, nil
}

// checkKey leaves a sealed word in a new store and opens it in an old one, so
// that a lost key file is found at start and not at the first login.
func (s *Store) checkKey(ctx context.Context) error {
	const row = "meta/key_check"
	if _, err := s.db.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ('key_check', $1) ON CONFLICT (name) DO NOTHING`,
		s.key.seal(row, "offhook")); err != nil {
		return err
	}
	var sealed string
	if err := s.db.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'key_check'`).Scan(&sealed); err != nil {
		return err
	}
	if _, err := s.key.open(row, sealed); err != nil {
		return errors.New("the store was made with another node key: put the old key file back, or start with an empty store")
	}
	return nil
}

// Ping returns nil if the store answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.db.QueryRowContext(ctx, `SELECT 1`).Scan(&one)
}

// Close waits for running statements and closes the database.
func (s *Store) Close() error { return errors.Join(s.log.close(), s.db.Close()) }

// inTx runs do in a transaction, which is committed only if do returns nil.
func inTx(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, rollback(tx))
	}
	return tx.Commit()
}

// rollback is silent about a transaction that its context has ended already.
func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

// notFound gives sql.ErrNoRows its kind and leaves other errors alone.
func notFound(op, what string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return &core.Error{Op: op, Kind: core.NotFound, Err: fmt.Errorf("%s is unknown", what)}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

// collect reads all rows with scan and closes them.
func collect[T any](rows *sql.Rows, scan func() (T, error)) ([]T, error) {
	var all []T
	for rows.Next() {
		item, err := scan()
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		all = append(all, item)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}
