package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/offhook/offhook/internal/core"
)

// appUserPrefix begins the identifiers of users of applications.
const appUserPrefix = "USR-"

// appUserBody is what of a core.AppUser needs no column. The names are part of the
// stored format.
type appUserBody struct {
	DisplayName string          `json:"display_name,omitempty"`
	ImageURL    string          `json:"image_url,omitempty"`
	Properties  json.RawMessage `json:"properties,omitempty"`
}

const selectAppUser = `SELECT id, app, name, body, created_us FROM app_users `

// AppUser returns a user of an application by identifier or name; an unknown one
// is NotFound.
func (s *Store) AppUser(ctx context.Context, app, idOrName string) (core.AppUser, error) {
	u, err := appUser(ctx, s.db, app, idOrName)
	return u, notFound("store.AppUser", "user", err)
}

func appUser(ctx context.Context, q querier, app, idOrName string) (core.AppUser, error) {
	if strings.HasPrefix(idOrName, appUserPrefix) {
		u, err := scanAppUser(q.QueryRowContext(ctx, selectAppUser+`WHERE app = $1 AND id = $2`, app, idOrName))
		if !errors.Is(err, sql.ErrNoRows) {
			return u, err
		}
	}
	return scanAppUser(q.QueryRowContext(ctx, selectAppUser+`WHERE app = $1 AND name = $2`, app, clean(idOrName)))
}

// CreateAppUser adds a user, who gets an identifier and a time. A name that is
// taken is a Conflict, properties that are no JSON object are Invalid.
func (s *Store) CreateAppUser(ctx context.Context, u core.AppUser) (core.AppUser, error) {
	const op = "store.CreateAppUser"
	body, err := encodeAppUser(op, u)
	if err != nil {
		return core.AppUser{}, err
	}
	u.ID, u.Name, u.Created = appUserPrefix+uuid.NewString(), clean(u.Name), time.Now().Truncate(time.Microsecond)
	result, err := s.db.ExecContext(ctx, `INSERT INTO app_users (id, app, name, body, created_us) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		u.ID, u.App, u.Name, body, u.Created.UnixMicro())
	err = expectOne(result, err, &core.Error{Op: op, Kind: core.Conflict, Err: fmt.Errorf("user %q exists already", u.Name)})
	return u, err
}

// EnsureAppUser makes a user of an application, who may exist already.
func (s *Store) EnsureAppUser(ctx context.Context, id core.UserID) error {
	_, err := s.AppUser(ctx, id.App, id.Name)
	if core.KindOf(err) != core.NotFound {
		return err // nil too
	}
	_, err = s.CreateAppUser(ctx, core.AppUser{App: id.App, Name: id.Name})
	if core.KindOf(err) == core.Conflict {
		return nil // another login was quicker
	}
	return err
}

// ReplaceAppUser changes everything of the user of this App and ID but for ID and
// Created. Errors are as with CreateAppUser; an unknown user is NotFound.
func (s *Store) ReplaceAppUser(ctx context.Context, u core.AppUser) error {
	const op = "store.ReplaceAppUser"
	body, err := encodeAppUser(op, u)
	if err != nil {
		return err
	}
	return inTx(ctx, s.db, func(tx *sql.Tx) error {
		other, err := scanAppUser(tx.QueryRowContext(ctx, selectAppUser+`WHERE app = $1 AND name = $2`, u.App, clean(u.Name)))
		if err == nil && other.ID != u.ID {
			return &core.Error{Op: op, Kind: core.Conflict, Err: fmt.Errorf("user %q exists already", u.Name)}
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE app_users SET name = $3, body = $4 WHERE app = $1 AND id = $2`, u.App, u.ID, clean(u.Name), body)
		return expectOne(result, err, notFound(op, "user", sql.ErrNoRows))
	})
}

// DeleteAppUser removes a user; an unknown one is NotFound. A token that names it
// makes it again.
func (s *Store) DeleteAppUser(ctx context.Context, app, id string) error {
	const op = "store.DeleteAppUser"
	result, err := s.db.ExecContext(ctx, `DELETE FROM app_users WHERE app = $1 AND id = $2`, app, id)
	return expectOne(result, err, notFound(op, "user", sql.ErrNoRows))
}

// AppUsers returns one page of the users of an application, in the order they were
// made. A page after a user that is gone is empty.
func (s *Store) AppUsers(ctx context.Context, q core.AppUserQuery) ([]core.AppUser, error) {
	const op = "store.AppUsers"
	than, order := ">", "ASC"
	if q.Desc {
		than, order = "<", "DESC"
	}
	rows, err := s.db.QueryContext(ctx, selectAppUser+`WHERE app = $1 AND ($2 = '' OR name = $2)
		AND ($3 = '' OR (created_us, id) `+than+` (SELECT created_us, id FROM app_users WHERE app = $1 AND id = $3))
		ORDER BY created_us `+order+`, id `+order+` LIMIT $4`, q.App, clean(q.Name), q.After, min(max(q.Limit, 1), 1000))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	users, err := collect(rows, func() (core.AppUser, error) { return scanAppUser(rows) })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return users, nil
}

func encodeAppUser(op string, u core.AppUser) (string, error) {
	if u.Properties != "" {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(u.Properties), &object); err != nil || object == nil {
			return "", &core.Error{Op: op, Kind: core.Invalid, Err: errors.New("properties: not a JSON object")}
		}
	}
	text, err := json.Marshal(appUserBody{clean(u.DisplayName), clean(u.ImageURL), json.RawMessage(u.Properties)})
	return clean(string(text)), err
}

func scanAppUser(row interface{ Scan(...any) error }) (core.AppUser, error) {
	var u core.AppUser
	var text string
	var created int64
	if err := row.Scan(&u.ID, &u.App, &u.Name, &text, &created); err != nil {
		return core.AppUser{}, err
	}
	var body appUserBody
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		return core.AppUser{}, err
	}
	u.DisplayName, u.ImageURL, u.Properties, u.Created = body.DisplayName, body.ImageURL, string(body.Properties), time.UnixMicro(created)
	return u, nil
}
