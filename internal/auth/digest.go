package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"sync"

	"github.com/offhook/offhook/internal/core"
)

// login is what a user logs in with: the digest secrets for a realm, in hex.
type login struct{ realm, md5Hex, sha256Hex string }

// logins are those of all users, in memory, where the read loops of SIP connections
// find them without waiting.
type logins struct{ of sync.Map } // core.UserID -> login

func (l *logins) get(user core.UserID) (login, bool) {
	v, ok := l.of.Load(user)
	if !ok {
		return login{}, false
	}
	found, ok := v.(login)
	return found, ok
}

// Reload takes the digest secrets of all users from the store. It must be called
// after changes of users, or Refresh for the one that changed.
func (a *Auth) Reload(ctx context.Context) error {
	all := &logins{}
	err := a.cfg.Users.EachDigest(ctx, func(user core.UserID, realm, md5Hex, sha256Hex string) {
		all.of.Store(user, login{realm, md5Hex, sha256Hex})
	})
	if err != nil {
		return fmt.Errorf("auth.Reload: %w", err)
	}
	a.logins.Store(all)
	return nil
}

// Refresh takes the digest secrets of one user from the store. It does not run at the
// same time as Reload or another Refresh.
func (a *Auth) Refresh(ctx context.Context, user core.UserID) error {
	realm, md5Hex, sha256Hex, err := a.cfg.Users.DigestOf(ctx, user)
	switch {
	case core.KindOf(err) == core.NotFound:
		a.logins.Load().of.Delete(user)
	case err != nil:
		return fmt.Errorf("auth.Refresh: %w", err)
	default:
		a.logins.Load().of.Store(user, login{realm, md5Hex, sha256Hex})
	}
	return nil
}

// Digest returns the digest secrets of user for realm: hex of
// H(user:realm:password) for MD5 (RFC 3261 section 22.4) and SHA-256 (RFC 8760).
// For an unknown user known is false and the secrets are ones that nobody has,
// always the same for the same name: compare with them all the same, so that
// time and answer say nothing. Digest never waits.
func (a *Auth) Digest(user core.UserID, realm string) (md5Hex, sha256Hex string, known bool) {
	nobody := a.nobodys(user, realm)
	l, known := a.logins.Load().get(user)
	if !known || l.realm != realm {
		return nobody[:32], nobody, false
	}
	return l.md5Hex, l.sha256Hex, true
}

// nobodys returns the secret of an unknown user, in hex. It is made for known ones
// too, at every request, so it is one plain hash: nobody ever sees it.
func (a *Auth) nobodys(user core.UserID, realm string) string {
	text := append(make([]byte, 0, 256), a.cfg.DummyKey...)
	text = strconv.AppendQuote(text, user.String())
	text = strconv.AppendQuote(text, realm)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
