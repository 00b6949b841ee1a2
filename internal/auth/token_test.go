package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/offhook/offhook/internal/core"
)

const (
	appID   = "11111111-2222-3333-4444-555555555555"
	otherID = "99999999-2222-3333-4444-555555555555"
)

// application is a key pair.
type application struct {
	key    *rsa.PrivateKey
	public string
}

func newApplication(t *testing.T, bits int) application {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return application{key, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}
}

// sign makes a token of claims.
func sign(t *testing.T, method jwt.SigningMethod, key any, c jwt.MapClaims) core.Secret {
	t.Helper()
	signed, err := jwt.NewWithClaims(method, c).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return core.Secret(signed)
}

// in returns the NumericDate d from now.
func in(d time.Duration) int64 { return time.Now().Add(d).Unix() }

func TestToken(t *testing.T) {
	app, other, weak := newApplication(t, 2048), newApplication(t, 2048), newApplication(t, 1024)
	const weakID, brokenID = "weak", "broken"
	h := &house{
		apps: map[string]string{appID: app.public, otherID: other.public, weakID: weak.public, brokenID: "no key", "keyless": ""},
		maps: map[string]map[string]string{appID: {"alice": "sales", "ghost": "nobody"}},
	}
	a := newAuth(t, h)
	house := func(c jwt.MapClaims) core.Secret { return sign(t, jwt.SigningMethodHS256, tokenKey(), c) }
	appToken := func(c jwt.MapClaims) core.Secret { return sign(t, jwt.SigningMethodRS256, app.key, c) }
	minted, err := MintToken(tokenKey(), "sales", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	none := sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, jwt.MapClaims{"sub": "sales", "iat": in(0), "exp": in(time.Hour)})
	sales := core.UserID{Name: "sales"}
	day := 24 * time.Hour

	for _, tc := range []struct {
		name  string
		token core.Secret
		want  core.UserID // zero for refused
	}{
		{"of the house", minted, sales},
		{"of the house, user without password", house(jwt.MapClaims{"sub": "token-only", "iat": in(0), "exp": in(time.Hour)}), core.UserID{Name: "token-only"}},
		{"of the house, clock 50 s ahead", house(jwt.MapClaims{"sub": "sales", "iat": in(50 * time.Second), "exp": in(time.Hour)}), sales},
		{"of the house, expired 50 s ago", house(jwt.MapClaims{"sub": "sales", "iat": in(-time.Hour), "exp": in(-50 * time.Second)}), sales},
		{"of an application", appToken(jwt.MapClaims{"application_id": appID, "sub": "bob", "iat": in(0), "exp": in(time.Hour), "jti": "1"}), core.UserID{App: appID, Name: "bob"}},
		{"of an application, 30 days", appToken(jwt.MapClaims{"application_id": appID, "sub": "bob", "iat": in(0), "exp": in(30 * day)}), core.UserID{App: appID, Name: "bob"}},
		{"of an application, without exp", appToken(jwt.MapClaims{"application_id": appID, "sub": "bob", "iat": in(-14 * time.Minute)}), core.UserID{App: appID, Name: "bob"}},
		{"application with a house user's name is the application's user", appToken(jwt.MapClaims{"application_id": appID, "sub": "sales", "iat": in(0), "exp": in(time.Hour)}), core.UserID{App: appID, Name: "sales"}},
		{"application whose map names a house user", appToken(jwt.MapClaims{"application_id": appID, "sub": "alice", "iat": in(0), "exp": in(time.Hour)}), sales},
		{"same name, application without map", sign(t, jwt.SigningMethodRS256, other.key, jwt.MapClaims{"application_id": otherID, "sub": "alice", "iat": in(0), "exp": in(time.Hour)}), core.UserID{App: otherID, Name: "alice"}},

		{"map names a user who is gone", appToken(jwt.MapClaims{"application_id": appID, "sub": "ghost", "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"alg none", none, core.UserID{}},
		{"signature cut off", minted[:strings.LastIndex(minted.Reveal(), ".")+1], core.UserID{}},
		{"HS256 with the application's public key", sign(t, jwt.SigningMethodHS256, []byte(app.public), jwt.MapClaims{"application_id": appID, "sub": "bob", "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"HS256 with the public key, as the house", sign(t, jwt.SigningMethodHS256, []byte(app.public), jwt.MapClaims{"sub": "sales", "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"HS256 of the house for an application's user", house(jwt.MapClaims{"application_id": appID, "sub": "bob", "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"HS512 of the house", sign(t, jwt.SigningMethodHS512, tokenKey(), jwt.MapClaims{"sub": "sales", "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"RS512", sign(t, jwt.SigningMethodRS512, app.key, jwt.MapClaims{"application_id": appID, "sub": "bob", "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"PS256", sign(t, jwt.SigningMethodPS256, app.key, jwt.MapClaims{"application_id": appID, "sub": "bob", "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"RS256 without application", appToken(jwt.MapClaims{"sub": "sales", "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"key of another application", sign(t, jwt.SigningMethodRS256, other.key, jwt.MapClaims{"application_id": appID, "sub": "alice", "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"unknown application", appToken(jwt.MapClaims{"application_id": "none", "sub": "bob", "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"application without key", appToken(jwt.MapClaims{"application_id": "keyless", "sub": "bob", "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"another house key", sign(t, jwt.SigningMethodHS256, []byte(strings.Repeat("x", 32)), jwt.MapClaims{"sub": "sales", "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"user of the house who is unknown", house(jwt.MapClaims{"sub": "nobody", "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"application's user by a house token", house(jwt.MapClaims{"sub": appID + "/bob", "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"expired", house(jwt.MapClaims{"sub": "sales", "iat": in(-time.Hour), "exp": in(-70 * time.Second)}), core.UserID{}},
		{"expired, without exp", appToken(jwt.MapClaims{"application_id": appID, "sub": "bob", "iat": in(-17 * time.Minute)}), core.UserID{}},
		{"of tomorrow", house(jwt.MapClaims{"sub": "sales", "iat": in(day), "exp": in(2 * day)}), core.UserID{}},
		{"not yet", house(jwt.MapClaims{"sub": "sales", "iat": in(0), "nbf": in(time.Hour), "exp": in(2 * time.Hour)}), core.UserID{}},
		{"for a year", appToken(jwt.MapClaims{"application_id": appID, "sub": "bob", "iat": in(0), "exp": in(365 * day)}), core.UserID{}},
		{"no iat", house(jwt.MapClaims{"sub": "sales", "exp": in(time.Hour)}), core.UserID{}},
		{"of the house without exp", house(jwt.MapClaims{"sub": "sales", "iat": in(0)}), core.UserID{}},
		{"no sub", house(jwt.MapClaims{"iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"application, no sub", appToken(jwt.MapClaims{"application_id": appID, "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"application, sub with control characters", appToken(jwt.MapClaims{"application_id": appID, "sub": "bob\r\nVia: x", "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"application, endless sub", appToken(jwt.MapClaims{"application_id": appID, "sub": strings.Repeat("x", 129), "iat": in(0), "exp": in(time.Hour)}), core.UserID{}},
		{"not a token", "correct horse", core.UserID{}},
		{"empty", "", core.UserID{}},
		{"endless", core.Secret(strings.Repeat("x", maxToken+1)), core.UserID{}},
		{"JSON that is not claims", core.Secret(strings.Repeat(base64.RawURLEncoding.EncodeToString([]byte(`[1]`))+".", 2) + "AA"), core.UserID{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a.guard = newGuard()
			user, err := a.Token(t.Context(), home, tc.token)
			if tc.want.IsZero() {
				if core.KindOf(err) != core.Unauthorized || !user.IsZero() {
					t.Errorf("Token = %v, %v, want unauthorized", user, err)
				}
				return
			}
			if err != nil || user != tc.want {
				t.Errorf("Token = %v, %v, want %v", user, err, tc.want)
			}
		})
	}

	for _, id := range []string{weakID, brokenID} { // a fault of ours, config lets neither in
		token := sign(t, jwt.SigningMethodRS256, app.key, jwt.MapClaims{"application_id": id, "sub": "bob", "iat": in(0), "exp": in(time.Hour)})
		if user, err := a.Token(t.Context(), home, token); core.KindOf(err) != core.Internal || err == nil || !user.IsZero() {
			t.Errorf("application with %s key: %v, %v", id, user, err)
		}
	}
}

func TestForgeriesLockTheirSourceOut(t *testing.T) {
	a := newAuth(t, &house{})
	good, err := MintToken(tokenKey(), "sales", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for range sourceLimit {
		if _, err := a.Token(t.Context(), abroad, "forged"); core.KindOf(err) != core.Unauthorized {
			t.Fatal(err)
		}
	}
	if _, err := a.Token(t.Context(), abroad, "forged"); core.KindOf(err) != core.Unavailable {
		t.Errorf("error = %v, want unavailable", err)
	}
	if user, err := a.Token(t.Context(), abroad, good); err != nil || user.Name != "sales" {
		t.Errorf("a neighbour's forgeries shut a good token out: %v, %v", user, err)
	}
}

// A browser that slept over night comes back with an old token, every few seconds.
func TestExpiredTokensLockNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuth(t, &house{})
		token, err := MintToken(tokenKey(), "sales", time.Now(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		for range 2 * sourceLimit {
			if _, err := a.Token(t.Context(), home, token); core.KindOf(err) != core.Unauthorized || !errors.Is(err, jwt.ErrTokenExpired) {
				t.Fatal(err)
			}
		}
	})
}

func TestMintTokenRefuses(t *testing.T) {
	for name, err := range map[string]error{
		"no user":   second(MintToken(tokenKey(), "", time.Now(), time.Hour)),
		"no life":   second(MintToken(tokenKey(), "sales", time.Now(), 0)),
		"a year":    second(MintToken(tokenKey(), "sales", time.Now(), 365*24*time.Hour)),
		"short key": second(MintToken([]byte("short"), "sales", time.Now(), time.Hour)),
	} {
		if core.KindOf(err) != core.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ core.Secret, err error) error { return err }
