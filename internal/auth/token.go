package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/golang-jwt/jwt/v5"

	"github.com/offhook/offhook/internal/core"
)

const (
	// maxTokenLife is the longest that a token may live: applications make user
	// tokens for 30 days.
	maxTokenLife = 30 * 24 * time.Hour
	// defaultTokenLife is the life of an application's token without exp.
	defaultTokenLife = 15 * time.Minute
	// tokenSkew is how far clocks may differ.
	tokenSkew = time.Minute
	// maxToken is the longest token looked at, in bytes.
	maxToken = 8 << 10
	// minKeyBits is the shortest RSA key of an application.
	minKeyBits = 2048
)

// claims are what a token says. One with an ApplicationID was made by that
// application, one without by the house.
type claims struct {
	jwt.RegisteredClaims
	ApplicationID string      `json:"application_id,omitempty"`
	ACL           *accessList `json:"acl,omitempty"`
}

// MintToken makes a token that logs user in to the house for life, from 1 s to
// 30 days. Key is Config.TokenKey.
func MintToken(key []byte, user string, now time.Time, life time.Duration) (core.Secret, error) {
	const op = "auth.MintToken"
	if life < time.Second || life > maxTokenLife {
		return "", &core.Error{Op: op, Kind: core.Invalid, Err: fmt.Errorf("life %v is outside 1s..720h", life)}
	}
	if user == "" || len(key) < keySize {
		return "", &core.Error{Op: op, Kind: core.Invalid, Err: errors.New("user or key is missing")}
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{RegisteredClaims: jwt.RegisteredClaims{
		Subject: user, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(life)), ID: rand.Text(),
	}})
	signed, err := token.SignedString(key)
	if err != nil {
		return "", fmt.Errorf("%s: %w", op, err)
	}
	return core.Secret(signed), nil
}

// Token logs a user in by a token: one of the house, HS256 by TokenKey, or one
// of an application, RS256 by its key. An application speaks for its own users
// (application, name); it logs in as a user of the house only if its users map
// says so.
func (a *Auth) Token(ctx context.Context, source netip.Addr, token core.Secret) (core.UserID, error) {
	const op = "auth.Token"
	c, err := a.parseToken(ctx, token)
	if err != nil {
		return core.UserID{}, a.refuseToken(op, source, err)
	}
	user, err := a.tokenUser(ctx, c)
	if err != nil {
		return core.UserID{}, fmt.Errorf("%s: %w", op, err)
	}
	return user, nil
}

// refuseToken counts a token that parseToken did not accept, and says why. A good
// one cannot be guessed and is good from a locked source too.
func (a *Auth) refuseToken(op string, source netip.Addr, err error) error {
	switch {
	case !errors.Is(err, errToken):
		return fmt.Errorf("%s: %w", op, err)
	case a.Blocked(source, ""):
		return lockedOut(op, "")
	case !errors.Is(err, jwt.ErrTokenExpired): // a page that comes back with an old token is no attack
		a.Failed(source, "")
	}
	return unauthorized(op, err)
}

// errToken marks what is wrong with a token, as against a fault of ours.
var errToken = errors.New("bad token")

// parseToken checks signature and times. Which key is right follows from the
// algorithm, and which claims may stand beside it from the key: a token signed
// with HS256 by an application's public key, which is no secret, meets TokenKey.
func (a *Auth) parseToken(ctx context.Context, token core.Secret) (*claims, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("%w: longer than %d bytes", errToken, maxToken)
	}
	var c claims
	var fault error
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256", "RS256"}), jwt.WithLeeway(tokenSkew), jwt.WithIssuedAt(), jwt.WithStrictDecoding())
	_, err := parser.ParseWithClaims(token.Reveal(), &c, func(t *jwt.Token) (any, error) {
		if t.Method.Alg() == "RS256" {
			key, err := a.applicationKey(ctx, c.ApplicationID)
			if err != nil && core.KindOf(err) != core.NotFound {
				fault = err
			}
			return key, err
		}
		if c.ApplicationID != "" {
			return nil, errors.New("application_id in a token that is not RS256")
		}
		return a.cfg.TokenKey, nil
	})
	if fault != nil {
		return nil, fault
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errToken, err)
	}
	return &c, c.checkLife(time.Now())
}

// checkLife bounds the life of a token beyond what the parser checks.
func (c *claims) checkLife(now time.Time) error {
	if c.IssuedAt == nil {
		return fmt.Errorf("%w: no iat", errToken)
	}
	expires := c.IssuedAt.Add(defaultTokenLife)
	if c.ExpiresAt != nil {
		expires = c.ExpiresAt.Time
	} else if c.ApplicationID == "" {
		return fmt.Errorf("%w: no exp", errToken)
	}
	if expires.Sub(c.IssuedAt.Time) > maxTokenLife+tokenSkew {
		return fmt.Errorf("%w: lives longer than 30 days", errToken)
	}
	if now.After(expires.Add(tokenSkew)) {
		return fmt.Errorf("%w: %w", errToken, jwt.ErrTokenExpired)
	}
	return nil
}

// applicationKey returns the public key of an application.
func (a *Auth) applicationKey(ctx context.Context, id string) (any, error) {
	app, err := a.cfg.Users.Application(ctx, id)
	if err != nil {
		return nil, err
	}
	if app.PublicKey == "" {
		return nil, &core.Error{Op: "auth", Kind: core.NotFound, Err: fmt.Errorf("application %q has no public key", id)}
	}
	key, err := jwt.ParseRSAPublicKeyFromPEM([]byte(app.PublicKey))
	if err != nil {
		return nil, fmt.Errorf("public key of application %q: %w", id, err)
	}
	if key.N.BitLen() < minKeyBits {
		return nil, fmt.Errorf("public key of application %q is shorter than %d bits", id, minKeyBits)
	}
	return key, nil
}

// tokenUser says whom verified claims speak for. A new user of an application is
// made known.
func (a *Auth) tokenUser(ctx context.Context, c *claims) (core.UserID, error) {
	house := c.Subject
	if c.ApplicationID != "" {
		if !validSubject(c.Subject) {
			return core.UserID{}, unauthorized("sub", fmt.Errorf("%q is no name", c.Subject))
		}
		app, err := a.cfg.Users.Application(ctx, c.ApplicationID)
		if err != nil {
			return core.UserID{}, err
		}
		mapped, ok := app.Users[c.Subject]
		if !ok {
			user := core.UserID{App: c.ApplicationID, Name: c.Subject}
			return user, a.cfg.Users.EnsureAppUser(ctx, user)
		}
		house = mapped
	}
	user := core.UserID{Name: house}
	exists, err := a.cfg.Users.UserExists(ctx, user)
	if err != nil {
		return core.UserID{}, err
	}
	if !exists {
		return core.UserID{}, unauthorized("sub", fmt.Errorf("user %q is unknown", house))
	}
	return user, nil
}

// validSubject reports whether an application may call a user so: 1 to 128
// bytes of printable text.
func validSubject(name string) bool {
	return name != "" && len(name) <= 128 && !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsPrint(r) || r == unicode.ReplacementChar
	})
}
