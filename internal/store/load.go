package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/offhook/offhook/internal/core/route"
)

// The names of what there is one of.
const (
	settingDialling = "dialling"
	settingLimits   = "limits"
	settingParking  = "parking"
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
		load(ctx, q, "schedules", &r.Schedules),
		load(ctx, q, "callers", &r.Callers),
		loadSetting(ctx, q, settingDialling, &r.Dialling),
		loadSetting(ctx, q, settingLimits, &r.Limits),
		loadSetting(ctx, q, settingParking, &r.Parking),
		loadSwitches(ctx, q, &r),
	)
	return r, err
}

// load decodes the bodies of one table into list.
func load[T any](ctx context.Context, q querier, table string, list *[]T) error {
	var items []Item[T]
	err := loadItems(ctx, q, table, &items)
	for _, i := range items {
		*list = append(*list, i.Value)
	}
	return err
}

// loadItems decodes one table, in the order that counts.
func loadItems[T any](ctx context.Context, q querier, table string, list *[]Item[T]) error {
	rows, err := q.QueryContext(ctx, `SELECT body, origin FROM `+table+` ORDER BY CASE origin WHEN 'file' THEN 0 ELSE 1 END, position, name`)
	if err != nil {
		return err
	}
	*list, err = collect(rows, func() (item Item[T], err error) {
		var text, origin string
		if err := rows.Scan(&text, &origin); err != nil {
			return item, err
		}
		item.File = origin == originFile
		return item, json.Unmarshal([]byte(text), &item.Value)
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
