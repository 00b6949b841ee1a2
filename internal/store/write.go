package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// Kind is a kind of resource that the API writes.
type Kind struct {
	table, word string
	insert      string // nil columns follow the origin
	own         []any  // the values of the columns that only this kind has
}

// The kinds of resources. Passwords are set apart, by SetPassword and
// SetTrunkPassword.
var (
	Users     = Kind{"users", "user", insertUser, []any{"", "", "", "", ""}}
	Trunks    = Kind{"trunks", "trunk", insertTrunk, []any{""}}
	Groups    = Kind{"ring_groups", "group", insertPlain("ring_groups"), nil}
	Numbers   = Kind{"numbers", "number", insertPlain("numbers"), nil}
	Schedules = Kind{"schedules", "schedule", insertPlain("schedules"), nil}
	Callers   = Kind{"callers", "caller rule", insertPlain("callers"), nil}
	// Settings are what there is one of, by the names "dialling", "limits" and
	// "parking".
	Settings = Kind{"settings", "setting", insertPlain("settings"), nil}
)

// Item is a resource with who keeps it.
type Item[T any] struct {
	Value T
	// File says that the configuration file keeps it, so that it cannot be written
	// here.
	File bool
}

// List returns all resources of a kind, in the order that counts.
func List[T any](ctx context.Context, s *Store, k Kind) ([]Item[T], error) {
	var items []Item[T]
	if err := loadItems(ctx, s.db, k.table, &items); err != nil {
		return nil, fmt.Errorf("store.List: %w", err)
	}
	return items, nil
}

// Setting returns what there is one of; it is NotFound where nothing is set.
func Setting[T any](ctx context.Context, s *Store, name string) (Item[T], error) {
	var text, origin string
	var item Item[T]
	err := s.db.QueryRowContext(ctx, `SELECT body, origin FROM settings WHERE name = $1`, name).Scan(&text, &origin)
	if err == nil {
		item.File = origin == originFile
		err = json.Unmarshal([]byte(text), &item.Value)
	}
	return item, notFound("store.Setting", "setting "+name, err)
}

// Create adds a resource. A name that is taken is a Conflict; resources that do
// not fit each other afterwards are Invalid, with all mistakes joined, and then
// nothing is changed.
func (s *Store) Create(ctx context.Context, k Kind, name string, body any) error {
	return s.change(ctx, "store.Create", core.Invalid, func(tx *sql.Tx) error {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		var position int
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(position), -1) + 1 FROM `+k.table+` WHERE origin = 'api'`).Scan(&position); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, k.insert, append([]any{name, string(text), position, originAPI}, k.own...)...)
		return expectOne(result, err, &core.Error{Op: "store.Create", Kind: core.Conflict, Err: fmt.Errorf("%s %q exists already", k.word, name)})
	})
}

// Replace changes a resource. One that the file keeps is a Conflict, an unknown
// one is NotFound, and Invalid is as with Create.
func (s *Store) Replace(ctx context.Context, k Kind, name string, body any) error {
	return s.change(ctx, "store.Replace", core.Invalid, func(tx *sql.Tx) error {
		if err := k.writable(ctx, tx, name); err != nil {
			return err
		}
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE `+k.table+` SET body = $2 WHERE name = $1`+k.house(), name, string(text))
		return err
	})
}

// Delete removes a resource. One that the file keeps, or that others refer to, is
// a Conflict, an unknown one is NotFound.
func (s *Store) Delete(ctx context.Context, k Kind, name string) error {
	return s.change(ctx, "store.Delete", core.Conflict, func(tx *sql.Tx) error {
		if err := k.writable(ctx, tx, name); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM `+k.table+` WHERE name = $1`+k.house(), name)
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM switches WHERE kind = $1 AND name = $2`, k.word, name)
		}
		return err
	})
}

// house limits a statement about users to those of the house.
func (k Kind) house() string {
	if k.table == "users" {
		return ` AND app = ''`
	}
	return ""
}

// writable returns why a resource cannot be written.
func (k Kind) writable(ctx context.Context, q querier, name string) error {
	var origin string
	err := q.QueryRowContext(ctx, `SELECT origin FROM `+k.table+` WHERE name = $1`+k.house(), name).Scan(&origin)
	if err != nil {
		return notFound("store.Kind", fmt.Sprintf("%s %q", k.word, name), err)
	}
	if origin != originAPI {
		return &core.Error{Op: "store.Kind", Kind: core.Conflict, Err: fmt.Errorf("%s %q is kept in the configuration file: change it there", k.word, name)}
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
			return &core.Error{Op: op, Kind: misfit, Err: named(r, err)}
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

// MisfitError is one thing that is wrong with the resources.
type MisfitError struct {
	// Kind and Name are the resource, "groups" and "front-desk"; Name is "" for
	// what there is one of.
	Kind, Name string
	// Field is where in it, such as "endpoints[0].user"; "" is the resource itself.
	Field   string
	Message string
}

// Error implements error.
func (m MisfitError) Error() string {
	where := slices.DeleteFunc([]string{m.Kind, m.Name, m.Field}, func(part string) bool { return part == "" })
	return strings.Join(where, " ") + ": " + m.Message
}

// named turns the mistakes of route.NewDirectory, which count resources, into
// MisfitErrors with their names.
func named(r route.Resources, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var all []error
	for _, e := range joined.Unwrap() {
		place, message, _ := strings.Cut(e.Error(), ": ")
		m := MisfitError{Message: message}
		m.Kind, m.Field, _ = strings.Cut(place, ".")
		if kind, rest, counted := strings.Cut(m.Kind, "["); counted {
			m.Kind = kind
			m.Name = nameOf(r, kind, strings.TrimSuffix(rest, "]"))
		}
		all = append(all, m)
	}
	return errors.Join(all...)
}

// nameOf returns the name of a kind's resource by its number.
func nameOf(r route.Resources, kind, number string) string {
	var i int
	if _, err := fmt.Sscan(number, &i); err != nil {
		return number
	}
	switch kind {
	case "users":
		return r.Users[i].ID().String()
	case "trunks":
		return r.Trunks[i].Name
	case "groups":
		return r.Groups[i].Name
	case "numbers":
		return r.Numbers[i].Number
	case "schedules":
		return r.Schedules[i].Name
	case "callers":
		return r.Callers[i].Name
	}
	return number
}
