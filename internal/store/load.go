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

// Directory returns the same, checked. It is read from the database once, so no other
// program may change resources meanwhile: see Lock.
func (s *Store) Directory(ctx context.Context) (*route.Directory, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	if err := s.know(ctx); err != nil {
		return nil, fmt.Errorf("store.Directory: %w", err)
	}
	return s.known, nil
}

// know reads the resources unless they are known. s.changing is held.
func (s *Store) know(ctx context.Context) error {
	if s.known != nil {
		return nil
	}
	r, err := resources(ctx, s.db)
	if err != nil {
		return err
	}
	s.known, err = route.NewDirectory(r)
	return err
}

// forget lets the resources be read again: they were changed in a way of their own.
func (s *Store) forget() {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.known = nil
}

func resources(ctx context.Context, q querier) (route.Resources, error) {
	var r route.Resources
	err := reload(ctx, q, &r, route.KindUsers, route.KindTrunks, route.KindGroups, route.KindNumbers, route.KindSchedules,
		route.KindCallers, route.KindSettings, route.KindAccounts, route.KindApplications)
	return r, err
}

// reload reads the resources of some kinds into r, in place of what it has of them.
func reload(ctx context.Context, q querier, r *route.Resources, kinds ...route.Kind) error {
	for _, kind := range kinds {
		var err error
		switch table := tables()[kind].name; kind {
		case route.KindUsers:
			err = errors.Join(load(ctx, q, table, &r.Users), loadUserSwitches(ctx, q, r.Users))
		case route.KindTrunks:
			err = load(ctx, q, table, &r.Trunks)
		case route.KindGroups:
			err = load(ctx, q, table, &r.Groups)
		case route.KindNumbers:
			err = load(ctx, q, table, &r.Numbers)
		case route.KindAccounts:
			err = load(ctx, q, table, &r.Accounts)
		case route.KindApplications:
			err = load(ctx, q, table, &r.Applications)
		case route.KindSchedules:
			err = errors.Join(load(ctx, q, table, &r.Schedules), loadOverrides(ctx, q, &r.Overrides))
		case route.KindCallers:
			err = load(ctx, q, table, &r.Callers)
		case route.KindSettings:
			r.Dialling, r.Limits, r.Parking = route.Dialling{}, route.Limits{}, route.Parking{}
			err = errors.Join(
				loadSetting(ctx, q, route.SettingDialling, &r.Dialling),
				loadSetting(ctx, q, route.SettingLimits, &r.Limits),
				loadSetting(ctx, q, route.SettingParking, &r.Parking))
		}
		if err != nil {
			return err
		}
	}
	return nil
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
