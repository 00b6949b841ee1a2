package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/offhook/offhook/internal/core/route"
)

// Resources returns everything that can be reached, of all origins, for
// route.NewDirectory. Resources of the file come first, in its order.
func (s *Store) Resources(ctx context.Context) (route.Resources, error) {
	var r route.Resources
	err := errors.Join(
		load(ctx, s, "users", &r.Users),
		load(ctx, s, "trunks", &r.Trunks),
		load(ctx, s, "ring_groups", &r.Groups),
		load(ctx, s, "numbers", &r.Numbers),
	)
	if err != nil {
		return route.Resources{}, fmt.Errorf("store.Resources: %w", err)
	}
	return r, nil
}

// load decodes the bodies of one table into list.
func load[T any](ctx context.Context, s *Store, table string, list *[]T) error {
	//nolint:sqlclosecheck // collect closes them
	rows, err := s.db.QueryContext(ctx, `SELECT body FROM `+table+` ORDER BY CASE origin WHEN 'file' THEN 0 ELSE 1 END, position, name`)
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
