package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// Users is what Auth asks of the store. Unknown users and applications are
// core.NotFound.
type Users interface {
	UserExists(ctx context.Context, user core.UserID) (bool, error)
	// EachDigest calls each for the digest secrets of every user, in hex.
	EachDigest(ctx context.Context, each func(user core.UserID, realm, md5Hex, sha256Hex string)) error
	// DigestOf returns those of one user with their realm, NotFound if there are none.
	DigestOf(ctx context.Context, user core.UserID) (realm, md5Hex, sha256Hex string, err error)
	Application(ctx context.Context, id string) (route.Application, error)
	// Account returns an account with its secrets, empty where it has none.
	Account(ctx context.Context, key string) (account route.Account, secret, signature core.Secret, err error)
	// EnsureAppUser makes a user of an application unless there is one.
	EnsureAppUser(ctx context.Context, user core.UserID) error
}

// Config is what New needs.
type Config struct {
	Users Users
	// TokenKey signs and checks the tokens of the house, DummyKey makes the
	// digest secrets of users who do not exist: 32 secret bytes each, the same
	// after a restart.
	TokenKey, DummyKey []byte
	Log                *slog.Logger
}

// Auth checks credentials. All methods are safe for concurrent use.
type Auth struct {
	cfg    Config
	guard  *guard
	logins atomic.Pointer[logins]
}

// New returns an Auth that knows the users of the moment; see Reload.
func New(ctx context.Context, cfg Config) (*Auth, error) {
	if len(cfg.TokenKey) < keySize || len(cfg.DummyKey) < keySize {
		return nil, fmt.Errorf("auth.New: keys must have %d bytes", keySize)
	}
	a := &Auth{cfg: cfg, guard: newGuard()}
	return a, a.Reload(ctx)
}

const (
	// keySize is the least length of a key in bytes.
	keySize = 32
	// maxPassword is the longest password looked at, in bytes.
	maxPassword = 256
)

// Password logs a user of the house in by password. It compares digest secrets, as
// the SIP edge does, and works the same for users who do not exist.
func (a *Auth) Password(source netip.Addr, user string, password core.Secret) (core.UserID, error) {
	const op = "auth.Password"
	if a.Blocked(source, user) {
		return core.UserID{}, lockedOut(op, user)
	}
	id := core.UserID{Name: user}
	l, _ := a.logins.Load().get(id)
	realm := l.realm // may be another than today's for who was made by the API
	_, want, known := a.Digest(id, realm)
	got := sha256.Sum256([]byte(user + ":" + realm + ":" + password[:min(len(password), maxPassword)].Reveal()))
	right := subtle.ConstantTimeCompare([]byte(hex.EncodeToString(got[:])), []byte(want)) == 1
	if !right || !known || len(password) > maxPassword {
		a.Failed(source, user)
		return core.UserID{}, unauthorized(op, fmt.Errorf("user %q: wrong password or unknown", user))
	}
	a.Succeeded(source, user)
	return id, nil
}

func unauthorized(op string, why error) error {
	return &core.Error{Op: op, Kind: core.Unauthorized, Err: why}
}

func lockedOut(op, user string) error {
	return &core.Error{Op: op, Kind: core.Unavailable, Err: fmt.Errorf("user %q: %w", user, errLocked)}
}

var errLocked = errors.New("too many failures, locked for a while")
