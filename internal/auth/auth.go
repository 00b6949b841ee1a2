package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// Users is what Auth asks of the store. Unknown users and applications are
// core.NotFound.
type Users interface {
	UserExists(ctx context.Context, user core.UserID) (bool, error)
	// PasswordHash returns what HashPassword made, "" for a user without password.
	PasswordHash(ctx context.Context, user core.UserID) (string, error)
	// EachDigest calls each for the digest secrets of every user, in hex.
	EachDigest(ctx context.Context, each func(user core.UserID, realm, md5Hex, sha256Hex string)) error
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
	cfg      Config
	guard    *guard
	hashing  *gate
	verified *verifiedCache
	dummy    string // hash of a password that nobody knows
	digests  atomic.Pointer[map[digestKey]digest]
}

// New returns an Auth that knows the users of the moment; see Reload.
func New(ctx context.Context, cfg Config) (*Auth, error) {
	if len(cfg.TokenKey) < keySize || len(cfg.DummyKey) < keySize {
		return nil, fmt.Errorf("auth.New: keys must have %d bytes", keySize)
	}
	a := &Auth{
		cfg: cfg,
		// Half of the processors may hash; the other half carries calls.
		hashing:  newGate(max(1, runtime.GOMAXPROCS(0)/2), maxWaiting),
		guard:    newGuard(),
		verified: newVerifiedCache(),
		dummy:    nobodysHash(),
	}
	return a, a.Reload(ctx)
}

const (
	// keySize is the least length of a key in bytes.
	keySize = 32
	// maxWaiting bounds the logins that wait for their turn to hash; more are
	// refused as overload. At 40 ms a hash the last one waits about 3 s.
	maxWaiting = 64
	// maxPassword is the longest password looked at, in bytes.
	maxPassword = 256
)

// Password logs a user of the house in by password.
func (a *Auth) Password(ctx context.Context, source netip.Addr, user string, password core.Secret) (core.UserID, error) {
	const op = "auth.Password"
	if a.Blocked(source, user) {
		return core.UserID{}, lockedOut(op, user)
	}
	id := core.UserID{Name: user}
	hash, err := a.cfg.Users.PasswordHash(ctx, id)
	if err != nil && core.KindOf(err) != core.NotFound {
		return core.UserID{}, fmt.Errorf("%s: %w", op, err)
	}
	known := err == nil && hash != "" && len(password) <= maxPassword
	if !known {
		hash, password = a.dummy, password[:min(len(password), maxPassword)]
	}
	right, err := a.matches(ctx, user, hash, password)
	if err != nil {
		return core.UserID{}, fmt.Errorf("%s: %w", op, err)
	}
	if !right || !known {
		a.Failed(source, user)
		return core.UserID{}, unauthorized(op, fmt.Errorf("user %q: wrong password or unknown", user))
	}
	a.Succeeded(source, user)
	return id, nil
}

// matches reports whether password is the one hash was made of. It hashes
// unless the same question was answered with yes a short while ago.
func (a *Auth) matches(ctx context.Context, user, hash string, password core.Secret) (bool, error) {
	tag := a.verified.tag(user, hash, password)
	if a.verified.has(tag, time.Now()) {
		return true, nil
	}
	if err := a.hashing.enter(ctx); err != nil {
		return false, err
	}
	defer a.hashing.leave()
	right, err := verifyPassword(hash, password)
	if right {
		a.verified.add(tag, time.Now())
	}
	return right, err
}

func unauthorized(op string, why error) error {
	return &core.Error{Op: op, Kind: core.Unauthorized, Err: why}
}

func lockedOut(op, user string) error {
	return &core.Error{Op: op, Kind: core.Unavailable, Err: fmt.Errorf("user %q: %w", user, errLocked)}
}

var (
	errLocked = errors.New("too many failures, locked for a while")
	errBusy   = &core.Error{Op: "auth", Kind: core.Unavailable, Err: errors.New("too many logins at once")}
)
