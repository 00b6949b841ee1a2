package auth

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	home   = netip.MustParseAddr("192.0.2.7")
	abroad = netip.MustParseAddr("198.51.100.9")
)

// house is a store with the user sales, password "correct horse" unless it was changed.
type house struct {
	password string                       // of sales
	apps     map[string]string            // public keys
	maps     map[string]map[string]string // users of applications
	gone     bool                         // sales has no password any more
	fault    error

	mu   sync.Mutex // guards made
	made []core.UserID
}

func (h *house) UserExists(_ context.Context, user core.UserID) (bool, error) {
	return user == core.UserID{Name: "sales"} || user == core.UserID{Name: "token-only"}, h.fault
}

// DigestOf is that of EachDigest, or nobody's once sales is gone.
func (h *house) DigestOf(ctx context.Context, user core.UserID) (realm, md5Hex, sha256Hex string, err error) {
	err = &core.Error{Op: "test", Kind: core.NotFound}
	if h.gone {
		return "", "", "", err
	}
	fault := h.EachDigest(ctx, func(u core.UserID, r, m, s string) {
		if u == user {
			realm, md5Hex, sha256Hex, err = r, m, s, nil
		}
	})
	return realm, md5Hex, sha256Hex, errors.Join(err, fault)
}

func (h *house) EachDigest(_ context.Context, each func(core.UserID, string, string, string)) error {
	sum := sha256.Sum256([]byte("sales:offhook.local:" + cmp.Or(h.password, "correct horse")))
	each(core.UserID{Name: "sales"}, "offhook.local", strings.Repeat("a", 32), hex.EncodeToString(sum[:]))
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
			user, err := a.Password(home, tc.user, tc.password)
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

func TestChangedPasswordIsAskedAtOnce(t *testing.T) {
	h := &house{}
	a := newAuth(t, h)
	if _, err := a.Password(home, "sales", "correct horse"); err != nil {
		t.Fatal(err)
	}
	h.password = "new horse"
	if err := a.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Password(home, "sales", "correct horse"); core.KindOf(err) != core.Unauthorized {
		t.Errorf("the old password still works: %v", err)
	}
	if _, err := a.Password(home, "sales", "new horse"); err != nil {
		t.Errorf("the new password does not work: %v", err)
	}
}

// TestRefresh takes the change of one user, and that there is none any more.
func TestRefresh(t *testing.T) {
	h := &house{}
	a := newAuth(t, h)
	sales := core.UserID{Name: "sales"}
	refresh := func(password core.Secret, want bool) {
		t.Helper()
		if err := a.Refresh(t.Context(), sales); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Password(home, "sales", password); (err == nil) != want {
			t.Errorf("with %q: %v", password.Reveal(), err)
		}
	}
	h.password = "new horse"
	refresh("new horse", true)
	refresh("correct horse", false)
	if err := a.Refresh(t.Context(), core.UserID{Name: "other"}); err != nil {
		t.Error(err)
	}
	h.gone = true
	refresh("new horse", false)
	h.gone, h.fault = false, errors.New("disk on fire")
	if err := a.Refresh(t.Context(), sales); err == nil {
		t.Error("a failed refresh is silent")
	}
}

func TestDigest(t *testing.T) {
	h := &house{}
	a := newAuth(t, h)
	sales := core.UserID{Name: "sales"}
	md5Hex, sha256Hex, known := a.Digest(sales, "offhook.local")
	if !known || md5Hex != strings.Repeat("a", 32) || len(sha256Hex) != 64 {
		t.Errorf("Digest = %s %s %v", md5Hex, sha256Hex, known)
	}
	seen := map[string]bool{}
	for _, key := range []struct {
		user  core.UserID
		realm string
	}{
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
