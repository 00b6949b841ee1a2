package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/offhook/offhook/internal/core"
)

// digestKey names digest secrets.
type digestKey struct {
	user  core.UserID
	realm string
}

// digest holds both secrets of a user, in hex.
type digest struct{ md5Hex, sha256Hex string }

// secrets are the digest secrets of all users, and the realm that those of each user
// are for. They are never changed, but replaced whole.
type secrets struct {
	digests map[digestKey]digest
	realms  map[core.UserID]string
}

// Reload takes the users' digest secrets from the store into memory, where the
// read loops of SIP connections find them without waiting. It must be called
// after every change of users.
func (a *Auth) Reload(ctx context.Context) error {
	all := &secrets{digests: make(map[digestKey]digest), realms: make(map[core.UserID]string)}
	err := a.cfg.Users.EachDigest(ctx, func(user core.UserID, realm, md5Hex, sha256Hex string) {
		all.digests[digestKey{user, realm}] = digest{md5Hex, sha256Hex}
		all.realms[user] = realm
	})
	if err != nil {
		return fmt.Errorf("auth.Reload: %w", err)
	}
	a.secrets.Store(all)
	return nil
}

// Digest returns the digest secrets of user for realm: hex of
// H(user:realm:password) for MD5 (RFC 3261 section 22.4) and SHA-256 (RFC 8760).
// For an unknown user known is false and the secrets are ones that nobody has,
// always the same for the same name: compare with them all the same, so that
// time and answer say nothing. Digest never waits.
func (a *Auth) Digest(user core.UserID, realm string) (md5Hex, sha256Hex string, known bool) {
	nobody := a.nobodys(user, realm)
	d, known := a.secrets.Load().digests[digestKey{user, realm}]
	if !known {
		return nobody[:32], nobody, false
	}
	return d.md5Hex, d.sha256Hex, true
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
