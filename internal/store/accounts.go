package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// Application returns an application; an unknown one is NotFound.
func (s *Store) Application(ctx context.Context, id string) (route.Application, error) {
	const op = "store.Application"
	var app route.Application
	var body string
	if err := s.db.QueryRowContext(ctx, `SELECT body FROM applications WHERE name = $1`, id).Scan(&body); err != nil {
		return app, notFound(op, "application", err)
	}
	if err := json.Unmarshal([]byte(body), &app); err != nil {
		return app, fmt.Errorf("%s: %w", op, err)
	}
	return app, nil
}

// Account returns an account with its secrets; an unknown one is NotFound.
func (s *Store) Account(ctx context.Context, key string) (account route.Account, secret, signature core.Secret, err error) {
	const op = "store.Account"
	var body, sealed, sealedSignature string
	err = s.db.QueryRowContext(ctx, `SELECT body, secret, signature_secret FROM accounts WHERE name = $1`, key).Scan(&body, &sealed, &sealedSignature)
	if err != nil {
		return account, "", "", notFound(op, "account", err)
	}
	if err = json.Unmarshal([]byte(body), &account); err == nil {
		secret, err = s.openSecret(secretPlace(key), sealed)
	}
	if err == nil {
		signature, err = s.openSecret(signaturePlace(key), sealedSignature)
	}
	if err != nil {
		return account, "", "", fmt.Errorf("%s: %w", op, err)
	}
	return account, secret, signature, nil
}

// SetAccountSecrets replaces the secrets of an account that are not empty; digests
// are for realm. An account that the file keeps is a Conflict, an unknown one
// NotFound.
func (s *Store) SetAccountSecrets(ctx context.Context, key string, secret, signature core.Secret, realm string) error {
	return inTx(ctx, s.db, func(tx *sql.Tx) error { return s.setAccountSecrets(ctx, tx, key, secret, signature, realm) })
}

func (s *Store) setAccountSecrets(ctx context.Context, tx *sql.Tx, key string, secret, signature core.Secret, realm string) error {
	if err := tables()[route.KindAccounts].writable(ctx, tx, key); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE accounts SET realm = $2, secret = CASE WHEN $3 = '' THEN secret ELSE $3 END,
		signature_secret = CASE WHEN $4 = '' THEN signature_secret ELSE $4 END WHERE name = $1`,
		key, realm, s.key.seal(secretPlace(key), secret.Reveal()), s.key.seal(signaturePlace(key), signature.Reveal()))
	return err
}

// eachAccountDigest is the part of EachDigest about accounts.
func (s *Store) eachAccountDigest(ctx context.Context, each func(user core.UserID, realm, md5Hex, sha256Hex string)) error {
	rows, err := s.db.QueryContext(ctx, `SELECT name, realm, secret FROM accounts WHERE secret <> ''`)
	if err != nil {
		return err
	}
	_, err = collect(rows, func() (struct{}, error) {
		var key, realm, sealed string
		if err := rows.Scan(&key, &realm, &sealed); err != nil {
			return struct{}{}, err
		}
		secret, err := s.openSecret(secretPlace(key), sealed)
		if err == nil {
			md5Hex, sha256Hex := HA1(key, realm, secret)
			each(core.UserID{App: core.AccountApp, Name: key}, realm, md5Hex, sha256Hex)
		}
		return struct{}{}, err
	})
	return err
}

// sealedSecrets returns the columns of an account that no other resource has.
func (s *Store) sealedSecrets(a Account, realm string) []any {
	return []any{s.key.seal(secretPlace(a.Key), a.Secret.Reveal()), s.key.seal(signaturePlace(a.Key), a.SignatureSecret.Reveal()), realm}
}

func (s *Store) openSecret(where, sealed string) (core.Secret, error) {
	text, err := s.key.open(where, sealed)
	return core.Secret(text), err
}

// secretPlace and signaturePlace name what a sealed secret belongs to.
func secretPlace(key string) string    { return "accounts/" + key + "/secret" }
func signaturePlace(key string) string { return "accounts/" + key + "/signature" }
