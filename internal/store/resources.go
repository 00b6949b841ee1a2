package store

import (
	"context"
	"crypto/md5" //nolint:gosec // digest authentication, RFC 3261, knows nothing better everywhere
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// User is a user with the password, which is kept only as digest secrets.
// An empty password makes a user who cannot log in by password.
type User struct {
	route.User
	Password core.Secret
}

// Trunk is a trunk with the password for its digest challenges.
type Trunk struct {
	route.Trunk
	Password core.Secret
}

// Account is an account with its secrets. An empty Secret lets nobody in, an
// empty SignatureSecret signs nothing.
type Account struct {
	route.Account
	Secret, SignatureSecret core.Secret
}

// Resources are the resources of a configuration file, in its order.
type Resources struct {
	Users        []User
	Groups       []route.Group
	Numbers      []route.Number
	Trunks       []Trunk
	Accounts     []Account
	Applications []route.Application
	Schedules    []route.Schedule
	Callers      []route.CallerRule
	Dialling     route.Dialling
	Limits       route.Limits
	Parking      route.Parking
}

// ApplyFile replaces all resources that an earlier file brought by r, in one
// transaction. The digest secrets are made for realm. A resource that was made
// otherwise, by the API, is a Conflict: all of them are named, and nothing is
// changed.
func (s *Store) ApplyFile(ctx context.Context, r Resources, realm string) error {
	users, err := s.userRows(r.Users, realm)
	if err != nil {
		return fmt.Errorf("store.ApplyFile: %w", err)
	}
	rows, err := s.resourceRows(r, realm)
	if err != nil {
		return fmt.Errorf("store.ApplyFile: %w", err)
	}
	rows = append(users, rows...)
	defer s.forget()
	return inTx(ctx, s.db, func(tx *sql.Tx) error {
		for _, table := range []string{"users", "ring_groups", "numbers", "trunks", "accounts", "applications", "schedules", "callers", "settings"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE origin = 'file'`); err != nil {
				return fmt.Errorf("store.ApplyFile: %w", err)
			}
		}
		var taken []error
		for _, row := range rows {
			result, err := tx.ExecContext(ctx, row.insert, row.args...)
			if err != nil {
				return fmt.Errorf("store.ApplyFile: %s: %w", row.what, err)
			}
			if n, err := result.RowsAffected(); err == nil && n == 0 {
				taken = append(taken, fmt.Errorf("%s is in the file and was also made by the API: remove one of them", row.what))
			}
		}
		if len(taken) > 0 {
			return &core.Error{Op: "store.ApplyFile", Kind: core.Conflict, Err: errors.Join(taken...)}
		}
		return nil
	})
}

// resourceRow is one row to insert; its statement does nothing if the name is taken.
type resourceRow struct {
	what   string // for messages: `user "sales"`
	insert string
	args   []any
}

// The statements of the rows; they begin with name, body, position and origin.
const (
	insertUser = `INSERT INTO users (name, body, position, origin, app, realm, ha1_md5, ha1_sha256)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`
	insertTrunk   = `INSERT INTO trunks (name, body, position, origin, secret) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	insertAccount = `INSERT INTO accounts (name, body, position, origin, secret, signature_secret, realm)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`
)

// insertPlain is the statement of a table without columns of its own.
func insertPlain(table string) string {
	return `INSERT INTO ` + table + ` (name, body, position, origin) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
}

// Who keeps a resource.
const (
	originFile = "file"
	originAPI  = "api"
)

// newRow returns the row of one resource of the file; extra follows the origin.
func newRow(kind, insert, name string, position int, body any, extra ...any) (resourceRow, error) {
	text, err := json.Marshal(body)
	return resourceRow{
		what:   fmt.Sprintf("%s %q", kind, name),
		insert: insert,
		args:   append([]any{name, string(text), position, originFile}, extra...),
	}, err
}

func (s *Store) resourceRows(r Resources, realm string) ([]resourceRow, error) {
	var rows []resourceRow
	var errs []error
	add := func(row resourceRow, err error) { rows, errs = append(rows, row), append(errs, err) }
	for i, g := range r.Groups {
		add(newRow("group", insertPlain("ring_groups"), g.Name, i, g))
	}
	for i, n := range r.Numbers {
		add(newRow("number", insertPlain("numbers"), n.Number, i, n))
	}
	for i, t := range r.Trunks {
		add(newRow("trunk", insertTrunk, t.Name, i, t.Trunk, s.key.seal("trunks/"+t.Name, t.Password.Reveal())))
	}
	for i, a := range r.Accounts {
		add(newRow("account", insertAccount, a.Key, i, a.Account, s.sealedSecrets(a, realm)...))
	}
	for i, a := range r.Applications {
		add(newRow("application", insertPlain("applications"), a.ID, i, a))
	}
	for i, c := range r.Schedules {
		add(newRow("schedule", insertPlain("schedules"), c.Name, i, c))
	}
	for i, c := range r.Callers {
		add(newRow("caller rule", insertPlain("callers"), c.Name, i, c))
	}
	for i, set := range []struct {
		name string
		body any
		zero bool
	}{
		{route.SettingDialling, r.Dialling, r.Dialling == route.Dialling{}},
		{route.SettingLimits, r.Limits, r.Limits.IsZero()},
		{route.SettingParking, r.Parking, r.Parking == route.Parking{}},
	} {
		if !set.zero {
			add(newRow("setting", insertPlain("settings"), set.name, i, set.body))
		}
	}
	return rows, errors.Join(errs...)
}

// userRows prepares the rows of users.
func (s *Store) userRows(users []User, realm string) ([]resourceRow, error) {
	rows := make([]resourceRow, 0, len(users))
	for i, u := range users {
		var md5Hex, shaHex string
		if u.Password != "" {
			md5Hex, shaHex = HA1(u.Name, realm, u.Password)
		}
		row, err := newRow("user", insertUser, u.Name, i, u.User, u.App, realm,
			s.key.seal(digestPlace(u.ID(), realm, "md5"), md5Hex), s.key.seal(digestPlace(u.ID(), realm, "sha256"), shaHex))
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// HA1 returns the digest secrets of a user, hex of H(name:realm:password), for
// MD5 (RFC 3261 section 22.4) and SHA-256 (RFC 8760).
func HA1(name, realm string, password core.Secret) (md5Hex, sha256Hex string) {
	text := []byte(name + ":" + realm + ":" + password.Reveal())
	m := md5.Sum(text) //nolint:gosec // see the import
	h := sha256.Sum256(text)
	return hex.EncodeToString(m[:]), hex.EncodeToString(h[:])
}

// digestPlace names what a sealed digest secret belongs to.
func digestPlace(user core.UserID, realm, algorithm string) string {
	return fmt.Sprintf("users/%q/%q/%s", user.String(), realm, algorithm)
}
