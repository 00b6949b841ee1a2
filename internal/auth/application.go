package auth

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/netip"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// accessList is the claim acl.
type accessList struct {
	Paths map[string]struct {
		Methods []string       `json:"methods,omitempty"`
		Filters map[string]any `json:"filters,omitempty"`
	} `json:"paths"`
}

// paths returns what the claim allows. A path with filters is left out: we know
// none, and to ignore them would allow more than the application wanted.
func (l *accessList) paths() []core.ACLPath {
	if l == nil {
		return nil
	}
	out := []core.ACLPath{}
	for pattern, p := range l.Paths {
		if len(p.Filters) == 0 {
			out = append(out, core.ACLPath{Pattern: pattern, Methods: p.Methods})
		}
	}
	return out
}

// App verifies a token that an application signed, RS256 by its key, for itself or
// for one of its users, who is made known if it was not. Errors are those of Token.
func (a *Auth) App(ctx context.Context, source netip.Addr, token core.Secret) (core.AppToken, error) {
	const op = "auth.App"
	c, err := a.parseToken(ctx, token)
	if err == nil && c.ApplicationID == "" {
		err = fmt.Errorf("%w: of no application", errToken)
	}
	if err == nil && c.Subject != "" && !validSubject(c.Subject) {
		err = fmt.Errorf("%w: sub %q is no name", errToken, c.Subject)
	}
	if err != nil {
		return core.AppToken{}, a.refuseToken(op, source, err)
	}
	if c.Subject != "" {
		if _, err := a.tokenUser(ctx, c); err != nil {
			return core.AppToken{}, fmt.Errorf("%s: %w", op, err)
		}
	}
	return core.AppToken{App: c.ApplicationID, Subject: c.Subject, ACL: c.ACL.paths()}, nil
}

// Account logs an account in by its key and secret, as basic authentication has
// them.
func (a *Auth) Account(ctx context.Context, source netip.Addr, key string, secret core.Secret) (route.Account, error) {
	const op = "auth.Account"
	user := core.UserID{App: core.AccountApp, Name: key}.String()
	if a.Blocked(source, user) {
		return route.Account{}, lockedOut(op, user)
	}
	account, right, _, err := a.cfg.Users.Account(ctx, key)
	if err != nil && core.KindOf(err) != core.NotFound {
		return route.Account{}, fmt.Errorf("%s: %w", op, err)
	}
	// Secrets are random and long: nothing is gained by slow hashes here.
	want, have := sha256.Sum256([]byte(right.Reveal())), sha256.Sum256([]byte(secret.Reveal()))
	if subtle.ConstantTimeCompare(want[:], have[:]) != 1 || right == "" {
		a.Failed(source, user)
		return route.Account{}, unauthorized(op, fmt.Errorf("account %q: wrong secret or unknown", key))
	}
	a.Succeeded(source, user)
	return account, nil
}

// MintAppToken makes a token that an application signs with its private key, RSA in
// PEM: for itself, or for one of its users, who may then do what browsers need.
// Life is from 1 s to 30 days.
func MintAppToken(privatePEM []byte, app, user string, now time.Time, life time.Duration) (core.Secret, error) {
	const op = "auth.MintAppToken"
	if life < time.Second || life > maxTokenLife {
		return "", &core.Error{Op: op, Kind: core.Invalid, Err: fmt.Errorf("life %v is outside 1s..720h", life)}
	}
	if user != "" && !validSubject(user) {
		return "", &core.Error{Op: op, Kind: core.Invalid, Err: fmt.Errorf("user %q is not 1 to 128 bytes of printable text", user)}
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM(privatePEM)
	if err == nil && key.N.BitLen() < minKeyBits {
		err = fmt.Errorf("shorter than %d bits", minKeyBits)
	}
	if err != nil {
		return "", &core.Error{Op: op, Kind: core.Invalid, Err: fmt.Errorf("no RSA private key in PEM: %w", err)}
	}
	return signAppToken(key, app, user, now, life)
}

func signAppToken(key *rsa.PrivateKey, app, user string, now time.Time, life time.Duration) (core.Secret, error) {
	c := jwt.MapClaims{"application_id": app, "iat": now.Unix(), "exp": now.Add(life).Unix(), "jti": uuid.NewString()}
	if user != "" {
		paths := make(map[string]any)
		for _, p := range core.UserACL() {
			paths[p.Pattern] = struct{}{}
		}
		c["sub"], c["acl"] = user, map[string]any{"paths": paths}
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, c).SignedString(key)
	if err != nil {
		return "", fmt.Errorf("auth.MintAppToken: %w", err)
	}
	return core.Secret(signed), nil
}
