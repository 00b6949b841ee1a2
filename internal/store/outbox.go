package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/offhook/offhook/internal/core"
)

// Outbox returns the webhooks that were not delivered, in the order of ID.
func (s *Store) Outbox(ctx context.Context) ([]core.OutboxEntry, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, body FROM outbox ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("store.Outbox: %w", err)
	}
	entries, err := collect(rows, func() (e core.OutboxEntry, err error) { return e, rows.Scan(&e.ID, &e.Body) })
	if err != nil {
		return nil, fmt.Errorf("store.Outbox: %w", err)
	}
	return entries, nil
}

// ChangeOutbox adds webhooks and removes others, all or nothing. One that is there
// already stays as it is; one that is not need not be removed.
func (s *Store) ChangeOutbox(ctx context.Context, add []core.OutboxEntry, remove []int64) error {
	err := inTx(ctx, s.db, func(tx *sql.Tx) error {
		for _, e := range add {
			if _, err := tx.ExecContext(ctx, `INSERT INTO outbox (id, body) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, e.ID, e.Body); err != nil {
				return err
			}
		}
		for _, id := range remove {
			if _, err := tx.ExecContext(ctx, `DELETE FROM outbox WHERE id = $1`, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store.ChangeOutbox: %w", err)
	}
	return nil
}
