package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// UserExists reports whether there is such a user.
func (s *Store) UserExists(ctx context.Context, user core.UserID) (bool, error) {
	var n int
	err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM users WHERE app = $1 AND name = $2`, user.App, user.Name).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("store.UserExists: %w", err)
	}
	return n > 0, nil
}

// EachDigest calls each for the digest secrets of every user who has some, and of
// every account with a secret.
func (s *Store) EachDigest(ctx context.Context, each func(user core.UserID, realm, md5Hex, sha256Hex string)) error {
	const op = "store.EachDigest"
	if err := s.eachAccountDigest(ctx, each); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT app, name, realm, ha1_md5, ha1_sha256 FROM users WHERE ha1_md5 <> ''`)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	_, err = collect(rows, func() (struct{}, error) {
		var user core.UserID
		var realm, sealedMD5, sealedSHA string
		if err := rows.Scan(&user.App, &user.Name, &realm, &sealedMD5, &sealedSHA); err != nil {
			return struct{}{}, err
		}
		md5Hex, sha256Hex, err := s.openDigest(user, realm, sealedMD5, sealedSHA)
		if err == nil {
			each(user, realm, md5Hex, sha256Hex)
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

// DigestOf returns the realm of a user's digest secrets with them. An unknown user and
// one without password are NotFound.
func (s *Store) DigestOf(ctx context.Context, user core.UserID) (realm, md5Hex, sha256Hex string, err error) {
	const op = "store.DigestOf"
	var sealedMD5, sealedSHA string
	err = s.db.QueryRowContext(ctx, `SELECT realm, ha1_md5, ha1_sha256 FROM users WHERE app = $1 AND name = $2 AND ha1_md5 <> ''`,
		user.App, user.Name).Scan(&realm, &sealedMD5, &sealedSHA)
	if err != nil {
		return "", "", "", notFound(op, "user", err)
	}
	if md5Hex, sha256Hex, err = s.openDigest(user, realm, sealedMD5, sealedSHA); err != nil {
		return "", "", "", fmt.Errorf("%s: %w", op, err)
	}
	return realm, md5Hex, sha256Hex, nil
}

func (s *Store) openDigest(user core.UserID, realm, sealedMD5, sealedSHA string) (md5Hex, sha256Hex string, err error) {
	if md5Hex, err = s.key.open(digestPlace(user, realm, "md5"), sealedMD5); err != nil {
		return "", "", err
	}
	sha256Hex, err = s.key.open(digestPlace(user, realm, "sha256"), sealedSHA)
	return md5Hex, sha256Hex, err
}

// TrunkPassword returns the password that answers the digest challenges of a
// trunk, "" if it has none. An unknown trunk is NotFound.
func (s *Store) TrunkPassword(ctx context.Context, name string) (core.Secret, error) {
	const op = "store.TrunkPassword"
	var sealed string
	err := s.db.QueryRowContext(ctx, `SELECT secret FROM trunks WHERE name = $1`, name).Scan(&sealed)
	if err != nil {
		return "", notFound(op, "trunk", err)
	}
	text, err := s.key.open("trunks/"+name, sealed)
	if err != nil {
		return "", fmt.Errorf("%s: %w", op, err)
	}
	return core.Secret(text), nil
}

// SetPassword gives a user of the house a password, kept as digest secrets for
// realm; an empty one lets nobody in by password. A user that the file keeps is a
// Conflict, an unknown one NotFound.
func (s *Store) SetPassword(ctx context.Context, name string, password core.Secret, realm string) error {
	return inTx(ctx, s.db, func(tx *sql.Tx) error { return s.setPassword(ctx, tx, name, password, realm) })
}

func (s *Store) setPassword(ctx context.Context, tx *sql.Tx, name string, password core.Secret, realm string) error {
	if err := tables()[route.KindUsers].writable(ctx, tx, name); err != nil {
		return err
	}
	var md5Hex, shaHex string
	if password != "" {
		md5Hex, shaHex = HA1(name, realm, password)
	}
	id := core.UserID{Name: name}
	_, err := tx.ExecContext(ctx, `UPDATE users SET realm = $2, ha1_md5 = $3, ha1_sha256 = $4 WHERE app = '' AND name = $1`,
		name, realm, s.key.seal(digestPlace(id, realm, "md5"), md5Hex), s.key.seal(digestPlace(id, realm, "sha256"), shaHex))
	return err
}

// SetTrunkPassword sets what answers the digest challenges of a trunk; an empty
// one answers none. Errors are as with SetPassword.
func (s *Store) SetTrunkPassword(ctx context.Context, name string, password core.Secret) error {
	return inTx(ctx, s.db, func(tx *sql.Tx) error { return s.setTrunkPassword(ctx, tx, name, password) })
}

func (s *Store) setTrunkPassword(ctx context.Context, tx *sql.Tx, name string, password core.Secret) error {
	if err := tables()[route.KindTrunks].writable(ctx, tx, name); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE trunks SET secret = $2 WHERE name = $1`, name, s.key.seal("trunks/"+name, password.Reveal()))
	return err
}
