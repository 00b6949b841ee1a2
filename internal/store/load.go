package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/offhook/offhook/internal/core/route"
)

// querier is a database or a transaction of it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Resources returns everything that can be reached, of all origins, with what
// was changed by hand, for route.NewDirectory. Resources of the file come first,
// in its order.
func (s *Store) Resources(ctx context.Context) (route.Resources, error) {
	r, err := resources(ctx, s.db)
	if err != nil {
		return route.Resources{}, fmt.Errorf("store.Resources: %w", err)
	}
	return r, nil
}

func resources(ctx context.Context, q querier) (route.Resources, error) {
	var r route.Resources
	err := errors.Join(
		load(ctx, q, "users", &r.Users),
		load(ctx, q, "trunks", &r.Trunks),
		load(ctx, q, "ring_groups", &r.Groups),
		load(ctx, q, "numbers", &r.Numbers),
		load(ctx, q, "accounts", &r.Accounts),
		load(ctx, q, "applications", &r.Applications),
		load(ctx, q, "schedules", &r.Schedules),
		load(ctx, q, "callers", &r.Callers),
		loadSetting(ctx, q, route.SettingDialling, &r.Dialling),
		loadSetting(ctx, q, route.SettingLimits, &r.Limits),
		loadSetting(ctx, q, route.SettingParking, &r.Parking),
		loadSwitches(ctx, q, &r),
	)
	return r, err
}

// load decodes the bodies of one table into list, in the order that counts.
func load[T any](ctx context.Context, q querier, table string, list *[]T) error {
	//nolint:sqlclosecheck // collect closes them
	rows, err := q.QueryContext(ctx, `SELECT body FROM `+table+` ORDER BY CASE origin WHEN 'file' THEN 0 ELSE 1 END, position, name`)
	if err != nil {
		return err
	}
	*list, err = collect(rows, func() (item T, err error) {
		var text string
		if err := rows.Scan(&text); err != nil {
			return item, err
		}
		return item, json.Unmarshal([]byte(text), &item)
	})
	return err
}

// loadSetting decodes the body of what there is one of; without one it stays zero.
func loadSetting[T any](ctx context.Context, q querier, name string, into *T) error {
	var text string
	err := q.QueryRowContext(ctx, `SELECT body FROM settings WHERE name = $1`, name).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), into)
}
