package store

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one numbered step, migrations/NNNN_name.sql. A released step is
// never edited: the next one changes what it made.
type migration struct {
	version int
	name    string
	text    string
}

// migrations returns the embedded steps in order.
func migrations() ([]migration, error) {
	var steps []migration
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	for _, path := range names {
		base := strings.TrimSuffix(strings.TrimPrefix(path, "migrations/"), ".sql")
		number, name, _ := strings.Cut(base, "_")
		version, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("migration %s has no number: %w", path, err)
		}
		text, err := migrationFiles.ReadFile(path)
		if err != nil {
			return nil, err
		}
		steps = append(steps, migration{version, name, string(text)})
	}
	slices.SortFunc(steps, func(a, b migration) int { return cmp.Compare(a.version, b.version) })
	return steps, nil
}

// migrate brings the schema up to date in one transaction: all missing steps or
// none. A store that a newer program has written is refused.
func migrate(ctx context.Context, db *sql.DB, now time.Time) error {
	steps, err := migrations()
	if err != nil {
		return err
	}
	return inTx(ctx, db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (
			version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_us BIGINT NOT NULL)`); err != nil {
			return err
		}
		var current int
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM schema_migrations`).Scan(&current); err != nil {
			return err
		}
		if newest := steps[len(steps)-1].version; current > newest {
			return fmt.Errorf("the store has schema version %d, this program knows %d: it was written by a newer offhook", current, newest)
		}
		for _, step := range steps {
			if step.version <= current {
				continue
			}
			if err := step.apply(ctx, tx, now); err != nil {
				return fmt.Errorf("migration %04d_%s: %w", step.version, step.name, err)
			}
		}
		return nil
	})
}

func (m migration) apply(ctx context.Context, tx *sql.Tx, now time.Time) error {
	if _, err := tx.ExecContext(ctx, m.text); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO schema_migrations (version, name, applied_us) VALUES ($1, $2, $3)`,
		m.version, m.name, now.UnixMicro())
	return err
}
