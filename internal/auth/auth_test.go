package auth

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	home   = netip.MustParseAddr("192.0.2.7")
	abroad = netip.MustParseAddr("198.51.100.9")
)

// house is a store with the user sales, password "correct horse".
type house struct {
	hash  string
	apps  map[string]string            // public keys
	maps  map[string]map[string]string // users of applications
	fault error

	mu   sync.Mutex // guards made
	made []core.UserID
}

func (h *house) UserExists(_ context.Context, user core.UserID) (bool, error) {
	return user == core.UserID{Name: "sales"} || user == core.UserID{Name: "token-only"}, h.fault
}

func (h *house) PasswordHash(_ context.Context, user core.UserID) (string, error) {
	switch user {
	case core.UserID{Name: "sales"}:
		return h.hash, h.fault
	case core.UserID{Name: "token-only"}:
		return "", h.fault
	}
	return "", &core.Error{Op: "test", Kind: core.NotFound}
}

func (h *house) EachDigest(_ context.Context, each func(core.UserID, string, string, string)) error {
	each(core.UserID{Name: "sales"}, "offhook.local", strings.Repeat("a", 32), strings.Repeat("b", 64))
	return h.fault
}

func (h *house) Application(_ context.Context, id string) (route.Application, error) {
	key, known := h.apps[id]
	if !known {
		return route.Application{}, &core.Error{Op: "test", Kind: core.NotFound}
	}
	return route.Application{ID: id, PublicKey: key, Users: h.maps[id]}, h.fault
}

// Account knows "abcd1234" with the secret "anything16chars00", and "closed" without one.
func (h *house) Account(_ context.Context, key string) (route.Account, core.Secret, core.Secret, error) {
	switch key {
	case "abcd1234":
		return route.Account{Key: key}, "anything16chars00", "", h.fault
	case "closed":
		return route.Account{Key: key}, "", "", h.fault
	}
	return route.Account{}, "", "", &core.Error{Op: "test", Kind: core.NotFound}
}

func (h *house) EnsureAppUser(_ context.Context, user core.UserID) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.made = append(h.made, user)
	return h.fault
}

func newAuth(t *testing.T, h *house) *Auth {
	t.Helper()
	hash, err := HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	h.hash = hash
	a, err := New(t.Context(), Config{Users: h, TokenKey: tokenKey(), DummyKey: bytes.Repeat([]byte{2}, 32), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func tokenKey() []byte { return bytes.Repeat([]byte{1}, 32) }

func TestPassword(t *testing.T) {
	a := newAuth(t, &house{})
	long := core.Secret(strings.Repeat("x", 100_000))
	for _, tc := range []struct {
		name, user string
		password   core.Secret
		right      bool
	}{
		{"right", "sales", "correct horse", true},
		{"right again, from the cache", "sales", "correct horse", true},
		{"wrong", "sales", "incorrect horse", false},
		{"empty", "sales", "", false},
		{"prefix", "sales", "correct hors", false},
		{"case", "sales", "Correct Horse", false},
		{"endless", "sales", long, false},
		{"unknown user", "nobody", "correct horse", false},
		{"no user", "", "", false},
		{"user without password", "token-only", "", false},
		{"application's user by a trick", "app/sales", "correct horse", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			user, err := a.Password(t.Context(), home, tc.user, tc.password)
			if tc.right {
				if err != nil || user != (core.UserID{Name: tc.user}) {
					t.Errorf("Password = %v, %v", user, err)
				}
				return
			}
			if core.KindOf(err) != core.Unauthorized || !user.IsZero() {
				t.Errorf("Password = %v, %v, want unauthorized", user, err)
			}
			if tc.password != "" && strings.Contains(err.Error(), tc.password.Reveal()) {
				t.Errorf("error tells the password: %v", err)
			}
		})
	}
}

// Unknown users, users without password and wrong passwords all cost exactly
// one hash, so their time is the same.
func TestPasswordCostsTheSameForEverybody(t *testing.T) {
	a := newAuth(t, &house{})
	cost := func(user string, password core.Secret) time.Duration {
		start := time.Now()
		if _, err := a.Password(t.Context(), home, user, password); err == nil {
			t.Fatal("logged in")
		}
		return time.Since(start)
	}
	// The least of several runs: other jobs only ever add time.
	least := func(user string, password core.Secret) time.Duration {
		return min(cost(user, password), cost(user, password), cost(user, password), cost(user, password))
	}
	wrong := least("sales", "wrong")
	for name, other := range map[string]time.Duration{
		"unknown user":    least("nobody", "wrong"),
		"no password":     least("token-only", "wrong"),
		"endless garbage": least("sales", core.Secret(strings.Repeat("x", 100_000))),
	} {
		if other < wrong/2 {
			t.Errorf("%s answers in %v, a wrong password in %v", name, other, wrong)
		}
	}
}

func TestPasswordOfABrokenStoreIsNoWrongPassword(t *testing.T) {
	h := &house{}
	a := newAuth(t, h)
	h.fault = errors.New("disk on fire")
	if _, err := a.Password(t.Context(), home, "sales", "correct horse"); core.KindOf(err) != core.Internal {
		t.Errorf("error = %v", err)
	}
}

func TestChangedPasswordIsAskedAtOnce(t *testing.T) {
	h := &house{}
	a := newAuth(t, h)
	if _, err := a.Password(t.Context(), home, "sales", "correct horse"); err != nil {
		t.Fatal(err)
	}
	var err error
	if h.hash, err = HashPassword("new horse"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Password(t.Context(), home, "sales", "correct horse"); core.KindOf(err) != core.Unauthorized {
		t.Errorf("the old password still works: %v", err)
	}
}

func TestVerifiedPasswordsAreCheap(t *testing.T) {
	a := newAuth(t, &house{})
	if _, err := a.Password(t.Context(), home, "sales", "correct horse"); err != nil {
		t.Fatal(err)
	}
	// All places are taken: only the cache can answer.
	for range cap(a.hashing.inside) {
		a.hashing.inside <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Password(ctx, home, "sales", "correct horse"); err != nil {
		t.Errorf("a verified password is hashed again: %v", err)
	}
	if _, err := a.Password(ctx, home, "sales", "wrong"); !errors.Is(err, context.Canceled) {
		t.Errorf("a wrong password did not wait for its turn: %v", err)
	}
}

func TestGateBoundsItsQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 2)
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if err := g.enter(t.Context()); err != nil {
					t.Error(err)
					return
				}
				g.leave()
			})
		}
		synctest.Wait()
		if err := g.enter(t.Context()); core.KindOf(err) != core.Unavailable {
			t.Errorf("third in the queue: %v, want unavailable", err)
		}
		g.leave()
		wg.Wait()
	})
}

func TestDigest(t *testing.T) {
	h := &house{}
	a := newAuth(t, h)
	sales := core.UserID{Name: "sales"}
	md5Hex, sha256Hex, known := a.Digest(sales, "offhook.local")
	if !known || md5Hex != strings.Repeat("a", 32) || sha256Hex != strings.Repeat("b", 64) {
		t.Errorf("Digest = %s %s %v", md5Hex, sha256Hex, known)
	}
	seen := map[string]bool{}
	for _, key := range []digestKey{
		{core.UserID{Name: "nobody"}, "offhook.local"},
		{core.UserID{Name: "nobody2"}, "offhook.local"},
		{sales, "elsewhere"},
		{core.UserID{App: "app", Name: "sales"}, "offhook.local"},
	} {
		m, s, known := a.Digest(key.user, key.realm)
		again, _, _ := a.Digest(key.user, key.realm)
		if known || len(m) != 32 || len(s) != 64 || m != again || seen[m] {
			t.Errorf("Digest(%v) = %s %s %v, then %s", key, m, s, known, again)
		}
		seen[m] = true
	}
	h.fault = errors.New("disk on fire")
	if err := a.Reload(t.Context()); err == nil {
		t.Error("a failed reload is silent")
	}
	if _, _, known := a.Digest(sales, "offhook.local"); !known {
		t.Error("a failed reload forgot the users")
	}
}

func TestParseHashRefuses(t *testing.T) {
	good, err := HashPassword("x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseHash(good); err != nil {
		t.Fatal(err)
	}
	fields := strings.Split(good, "$")
	with := func(i int, value string) string {
		changed := append([]string(nil), fields...)
		changed[i] = value
		return strings.Join(changed, "$")
	}
	for name, text := range map[string]string{
		"empty": "", "plain text": "correct horse", "argon2i": with(1, "argon2i"), "old version": with(2, "v=16"),
		"no memory": with(3, "m=x,t=2,p=1"), "all memory": with(3, "m=4294967295,t=2,p=1"), "for ever": with(3, "m=8,t=4000000,p=1"),
		"no threads": with(3, "m=8,t=1,p=0"), "no passes": with(3, "m=8,t=0,p=1"), "bad salt": with(4, "?"), "short hash": with(5, "AAAA"),
	} {
		if _, err := verifyPassword(text, "x"); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
}
