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

// Reload takes the users' digest secrets from the store into memory, where the
// read loops of SIP connections find them without waiting. It must be called
// after every change of users.
func (a *Auth) Reload(ctx context.Context) error {
	digests := make(map[digestKey]digest)
	err := a.cfg.Users.EachDigest(ctx, func(user core.UserID, realm, md5Hex, sha256Hex string) {
		digests[digestKey{user, realm}] = digest{md5Hex, sha256Hex}
	})
	if err != nil {
		return fmt.Errorf("auth.Reload: %w", err)
	}
	a.digests.Store(&digests)
	return nil
}

// Digest returns the digest secrets of user for realm: hex of
// H(user:realm:password) for MD5 (RFC 3261 section 22.4) and SHA-256 (RFC 8760).
// For an unknown user known is false and the secrets are ones that nobody has,
// always the same for the same name: compare with them all the same, so that
// time and answer say nothing. Digest never waits.
func (a *Auth) Digest(user core.UserID, realm string) (md5Hex, sha256Hex string, known bool) {
	nobody := a.nobodys(user, realm)
	d, known := (*a.digests.Load())[digestKey{user, realm}]
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
