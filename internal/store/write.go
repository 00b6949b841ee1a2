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

// KeptByFile reports whether the configuration file keeps a resource.
func (s *Store) KeptByFile(ctx context.Context, kind route.Kind, name string) (bool, error) {
	t := tables()[kind]
	var n int
	err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+t.name+` WHERE name = $1 AND origin = 'file'`+t.house(), name).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("store.KeptByFile: %w", err)
	}
	return n > 0, nil
}

// Create adds a resource. A name that is taken is a Conflict; resources that do
// not fit each other afterwards are Invalid, with all mistakes joined, and then
// nothing is changed.
func (s *Store) Create(ctx context.Context, kind route.Kind, name string, body any) error {
	return s.change(ctx, changed{"store.Create", core.Invalid, []route.Kind{kind}, userOf(kind, body)}, func(tx *sql.Tx) error {
		return create(ctx, tx, route.Edit{Kind: kind, Name: name, Body: body})
	})
}

// Replace changes a resource. One that the file keeps is a Conflict, an unknown
// one is NotFound, and Invalid is as with Create.
func (s *Store) Replace(ctx context.Context, kind route.Kind, name string, body any) error {
	return s.change(ctx, changed{"store.Replace", core.Invalid, []route.Kind{kind}, userOf(kind, body)}, func(tx *sql.Tx) error {
		return replace(ctx, tx, route.Edit{Kind: kind, Name: name, Body: body})
	})
}

// Delete removes a resource. One that the file keeps, or that others refer to, is
// a Conflict, an unknown one is NotFound.
func (s *Store) Delete(ctx context.Context, kind route.Kind, name string) error {
	t := tables()[kind]
	return s.change(ctx, changed{"store.Delete", core.Conflict, []route.Kind{kind}, nil}, func(tx *sql.Tx) error {
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

// create inserts a resource.
func create(ctx context.Context, tx *sql.Tx, e route.Edit) error {
	t := tables()[e.Kind]
	text, err := json.Marshal(e.Body)
	if err != nil {
		return err
	}
	var position int
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(position), -1) + 1 FROM `+t.name+` WHERE origin = 'api'`).Scan(&position); err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, t.insert, append([]any{e.Name, string(text), position, originAPI}, t.own...)...)
	return expectOne(result, err, &core.Error{Op: "store.Create", Kind: core.Conflict, Err: fmt.Errorf("%s %q exists already", t.word, e.Name)})
}

// replace updates a resource.
func replace(ctx context.Context, tx *sql.Tx, e route.Edit) error {
	t := tables()[e.Kind]
	if err := t.writable(ctx, tx, e.Name); err != nil {
		return err
	}
	text, err := json.Marshal(e.Body)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE `+t.name+` SET body = $2 WHERE name = $1`+t.house(), e.Name, string(text))
	if err == nil && e.Kind == route.KindUsers { // what was switched by hand is said anew
		_, err = tx.ExecContext(ctx, `DELETE FROM switches WHERE kind = $1 AND name = $2`, switchUser, e.Name)
	}
	return err
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

// changed says what a change is about.
type changed struct {
	op     string
	misfit core.Kind    // of the error if resources would not fit each other
	kinds  []route.Kind // the tables that it writes
	user   *route.User  // if it creates or replaces this one and does nothing else
}

// userOf returns the body of a user of the house, nil of another kind.
func userOf(kind route.Kind, body any) *route.User {
	if u, ok := body.(route.User); ok && kind == route.KindUsers && u.App == "" {
		return &u
	}
	return nil
}

// change runs do in a transaction that is committed only if all resources fit
// each other afterwards. What did not change is not read again, and one user is
// checked alone, so that the ten thousandth costs what the first did.
func (s *Store) change(ctx context.Context, what changed, do func(*sql.Tx) error) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if err := s.know(ctx); err != nil {
		return fmt.Errorf("%s: %w", what.op, err)
	}
	next := s.known
	err := inTx(ctx, s.db, func(tx *sql.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		var misfits []route.MisfitError
		if what.user != nil {
			next, misfits = s.known.WithUser(*what.user)
		} else {
			r := s.known.Resources()
			if err := reload(ctx, tx, &r, what.kinds...); err != nil {
				return fmt.Errorf("%s: %w", what.op, err)
			}
			var err error
			next, err = route.NewDirectory(r)
			misfits = route.Misfits(r, err)
		}
		if len(misfits) > 0 {
			return &core.Error{Op: what.op, Kind: what.misfit, Err: errors.Join(asErrors(misfits)...)}
		}
		return nil
	})
	switch {
	case err == nil:
		s.known = next
	case core.KindOf(err) == core.Internal: // the database failed, and may have kept the change
		s.known = nil
	}
	return err
}

func asErrors(misfits []route.MisfitError) (all []error) {
	for _, m := range misfits {
		all = append(all, m)
	}
	return all
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
