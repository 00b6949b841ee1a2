package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// table is where resources of a kind are kept.
type table struct {
	name   string
	word   string // for messages
	insert string
	own    []any // the values of the columns behind origin, which other kinds do not have
}

// tables returns the table of each kind. Passwords and secrets are set apart, by
// SetPassword, SetTrunkPassword and SetAccountSecrets.
func tables() map[route.Kind]table {
	return map[route.Kind]table{
		route.KindUsers:     {"users", "user", insertUser, []any{"", "", "", ""}},
		route.KindTrunks:    {"trunks", "trunk", insertTrunk, []any{""}},
		route.KindGroups:    {"ring_groups", "group", insertPlain("ring_groups"), nil},
		route.KindNumbers:   {"numbers", "number", insertPlain("numbers"), nil},
		route.KindSchedules: {"schedules", "schedule", insertPlain("schedules"), nil},
		route.KindCallers:   {"callers", "caller rule", insertPlain("callers"), nil},
		route.KindSettings:  {"settings", "setting", insertPlain("settings"), nil},

		route.KindAccounts:     {"accounts", "account", insertAccount, []any{"", "", ""}},
		route.KindApplications: {"applications", "application", insertPlain("applications"), nil},
	}
}

// FromFile returns the names of the resources of a kind that the configuration
// file keeps, so that they cannot be written here.
func (s *Store) FromFile(ctx context.Context, kind route.Kind) ([]string, error) {
	//nolint:sqlclosecheck // collect closes them
	rows, err := s.db.QueryContext(ctx, `SELECT name FROM `+tables()[kind].name+` WHERE origin = 'file' ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("store.FromFile: %w", err)
	}
	names, err := collect(rows, func() (name string, err error) { return name, rows.Scan(&name) })
	if err != nil {
		return nil, fmt.Errorf("store.FromFile: %w", err)
	}
	return names, nil
}

// Create adds a resource. A name that is taken is a Conflict; resources that do
// not fit each other afterwards are Invalid, with all mistakes joined, and then
// nothing is changed.
func (s *Store) Create(ctx context.Context, kind route.Kind, name string, body any) error {
	t := tables()[kind]
	return s.change(ctx, "store.Create", core.Invalid, func(tx *sql.Tx) error {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		var position int
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(position), -1) + 1 FROM `+t.name+` WHERE origin = 'api'`).Scan(&position); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, t.insert, append([]any{name, string(text), position, originAPI}, t.own...)...)
		return expectOne(result, err, &core.Error{Op: "store.Create", Kind: core.Conflict, Err: fmt.Errorf("%s %q exists already", t.word, name)})
	})
}

// Replace changes a resource. One that the file keeps is a Conflict, an unknown
// one is NotFound, and Invalid is as with Create.
func (s *Store) Replace(ctx context.Context, kind route.Kind, name string, body any) error {
	t := tables()[kind]
	return s.change(ctx, "store.Replace", core.Invalid, func(tx *sql.Tx) error {
		if err := t.writable(ctx, tx, name); err != nil {
			return err
		}
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE `+t.name+` SET body = $2 WHERE name = $1`+t.house(), name, string(text))
		if err == nil && kind == route.KindUsers { // what was switched by hand is said anew
			_, err = tx.ExecContext(ctx, `DELETE FROM switches WHERE kind = $1 AND name = $2`, switchUser, name)
		}
		return err
	})
}

// Delete removes a resource. One that the file keeps, or that others refer to, is
// a Conflict, an unknown one is NotFound.
func (s *Store) Delete(ctx context.Context, kind route.Kind, name string) error {
	t := tables()[kind]
	return s.change(ctx, "store.Delete", core.Conflict, func(tx *sql.Tx) error {
		if err := t.writable(ctx, tx, name); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM `+t.name+` WHERE name = $1`+t.house(), name)
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM switches WHERE kind = $1 AND name = $2`, t.word, name)
		}
		return err
	})
}

// house limits a statement about users to those of the house.
func (t table) house() string {
	if t.name == "users" {
		return ` AND app = ''`
	}
	return ""
}

// writable returns why a resource cannot be written.
func (t table) writable(ctx context.Context, q querier, name string) error {
	var origin string
	err := q.QueryRowContext(ctx, `SELECT origin FROM `+t.name+` WHERE name = $1`+t.house(), name).Scan(&origin)
	if err != nil {
		return notFound("store", fmt.Sprintf("%s %q", t.word, name), err)
	}
	if origin != originAPI {
		return &core.Error{Op: "store", Kind: core.Conflict, Err: fmt.Errorf("%s %q is kept in the configuration file: change it there", t.word, name)}
	}
	return nil
}

// change runs do in a transaction that is committed only if all resources fit
// each other afterwards; what does not is an error of kind misfit.
func (s *Store) change(ctx context.Context, op string, misfit core.Kind, do func(*sql.Tx) error) error {
	return inTx(ctx, s.db, func(tx *sql.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		r, err := resources(ctx, tx)
		if err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
		if _, err := route.NewDirectory(r); err != nil {
			var all []error
			for _, m := range route.Misfits(r, err) {
				all = append(all, m)
			}
			return &core.Error{Op: op, Kind: misfit, Err: errors.Join(all...)}
		}
		return nil
	})
}

// expectOne returns otherwise if a statement changed nothing.
func expectOne(result sql.Result, err, otherwise error) error {
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return otherwise
}
