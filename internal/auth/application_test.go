package auth

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/offhook/offhook/internal/core"
)

// private returns an application's private key as PEM, PKCS #8.
func (a application) private(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestApp(t *testing.T) {
	app := newApplication(t, 2048)
	h := &house{apps: map[string]string{appID: app.public, "keyless": ""}, maps: map[string]map[string]string{appID: {"alice": "sales"}}}
	a := newAuth(t, h)
	token := func(c jwt.MapClaims) core.Secret {
		for name, value := range (jwt.MapClaims{"application_id": appID, "iat": in(0), "jti": "1"}) {
			if _, set := c[name]; !set {
				c[name] = value
			}
		}
		return sign(t, jwt.SigningMethodRS256, app.key, c)
	}
	minted, err := MintAppToken(app.private(t), appID, "bob", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	house, err := MintToken(tokenKey(), "sales", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	acl := func(text string) core.Secret {
		var claim any
		if err := json.Unmarshal([]byte(text), &claim); err != nil {
			t.Fatal(err)
		}
		return token(jwt.MapClaims{"acl": claim})
	}
	for _, tt := range []struct {
		name  string
		token core.Secret
		want  core.AppToken // zero for refused
	}{
		{"application", token(jwt.MapClaims{}), core.AppToken{App: appID}},
		{"what SDKs add", token(jwt.MapClaims{"issued_at": 1, "subject": "x", "ttl": "900"}), core.AppToken{App: appID}},
		{"made 50 s ahead", token(jwt.MapClaims{"iat": in(50 * time.Second)}), core.AppToken{App: appID}},
		{"14 minutes old, without exp", token(jwt.MapClaims{"iat": in(-14 * time.Minute)}), core.AppToken{App: appID}},
		{"30 days", token(jwt.MapClaims{"exp": in(30 * 24 * time.Hour)}), core.AppToken{App: appID}},
		{"user", token(jwt.MapClaims{"sub": "carol"}), core.AppToken{App: appID, Subject: "carol"}},
		{"user who is one of the house", token(jwt.MapClaims{"sub": "alice"}), core.AppToken{App: appID, Subject: "alice"}},
		{"acl null", acl(`null`), core.AppToken{App: appID}},
		{"acl without paths", acl(`{}`), core.AppToken{App: appID, ACL: []core.ACLPath{}}},
		{"acl", acl(`{"paths":{"/*/users/**":{"methods":["GET"]}}}`), core.AppToken{App: appID, ACL: []core.ACLPath{{Pattern: "/*/users/**", Methods: []string{"GET"}}}}},
		{"acl with filters that we do not know", acl(`{"paths":{"/*/users/**":{"filters":{"a":1}}}}`), core.AppToken{App: appID, ACL: []core.ACLPath{}}},

		{"acl of another form", acl(`["/*/users/**"]`), core.AppToken{}},
		{"of the house", house, core.AppToken{}},
		{"HS256 with the public key", sign(t, jwt.SigningMethodHS256, []byte(app.public), jwt.MapClaims{"application_id": appID, "iat": in(0)}), core.AppToken{}},
		{"alg none", sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, jwt.MapClaims{"application_id": appID, "iat": in(0)}), core.AppToken{}},
		{"unknown application", token(jwt.MapClaims{"application_id": "x"}), core.AppToken{}},
		{"application without key", token(jwt.MapClaims{"application_id": "keyless"}), core.AppToken{}},
		{"17 minutes old, without exp", token(jwt.MapClaims{"iat": in(-17 * time.Minute)}), core.AppToken{}},
		{"expired", token(jwt.MapClaims{"iat": in(-time.Hour), "exp": in(-2 * time.Minute)}), core.AppToken{}},
		{"not yet", token(jwt.MapClaims{"nbf": in(5 * time.Minute)}), core.AppToken{}},
		{"of tomorrow", token(jwt.MapClaims{"iat": in(24 * time.Hour), "exp": in(25 * time.Hour)}), core.AppToken{}},
		{"for a year", token(jwt.MapClaims{"exp": in(365 * 24 * time.Hour)}), core.AppToken{}},
		{"endless sub", token(jwt.MapClaims{"sub": strings.Repeat("x", 129)}), core.AppToken{}},
		{"garbage", "x.y.z", core.AppToken{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a.guard = newGuard()
			got, err := a.App(t.Context(), home, tt.token)
			if tt.want.App == "" && core.KindOf(err) != core.Unauthorized {
				t.Errorf("App = %+v, %v, want unauthorized", got, err)
			}
			if !reflect.DeepEqual(got, tt.want) || tt.want.App != "" && err != nil {
				t.Errorf("App = %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}

	// A minted one does what browsers need, and no more.
	got, err := a.App(t.Context(), home, minted)
	if err != nil || got.Subject != "bob" || !got.Allows("GET", "/v0.3/users") || got.Allows("POST", "/v1/calls") {
		t.Errorf("minted: %+v, %v", got, err)
	}
	if user, err := a.Token(t.Context(), home, minted); err != nil || user != (core.UserID{App: appID, Name: "bob"}) {
		t.Errorf("minted, in a browser: %v, %v", user, err)
	}
	for user, want := range map[string]bool{"carol": true, "bob": true, "alice": false, "x": false} {
		if got := slices.Contains(h.made, core.UserID{App: appID, Name: user}); got != want {
			t.Errorf("user %s made: %v, want %v", user, got, want)
		}
	}
}

func TestForgedAppTokensLockTheirSourceOut(t *testing.T) {
	a := newAuth(t, &house{})
	for range sourceLimit {
		if _, err := a.App(t.Context(), abroad, "forged"); core.KindOf(err) != core.Unauthorized {
			t.Fatal(err)
		}
	}
	if _, err := a.App(t.Context(), abroad, "forged"); core.KindOf(err) != core.Unavailable {
		t.Errorf("error = %v, want unavailable", err)
	}
}

func TestAccount(t *testing.T) {
	h := &house{}
	a := newAuth(t, h)
	for _, tt := range []struct {
		name, key string
		secret    core.Secret
		right     bool
	}{
		{"right", "abcd1234", "anything16chars00", true},
		{"wrong", "abcd1234", "anything16chars01", false},
		{"longer", "abcd1234", "anything16chars00 ", false},
		{"empty", "abcd1234", "", false},
		{"unknown", "nobody", "anything16chars00", false},
		{"without secret", "closed", "", false},
	} {
		got, err := a.Account(t.Context(), home, tt.key, tt.secret)
		if tt.right && (err != nil || got.Key != tt.key) || !tt.right && core.KindOf(err) != core.Unauthorized {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
	for range sourceLimit {
		if _, err := a.Account(t.Context(), abroad, "abcd1234", "guess"); err == nil {
			t.Fatal("guessed")
		}
	}
	if _, err := a.Account(t.Context(), abroad, "abcd1234", "anything16chars00"); core.KindOf(err) != core.Unavailable {
		t.Errorf("after too many guesses: %v", err)
	}
	if _, err := a.Account(t.Context(), home, "abcd1234", "anything16chars00"); err != nil {
		t.Errorf("at home, after guesses from elsewhere: %v", err)
	}
	h.fault = errors.New("disk")
	if _, err := a.Account(t.Context(), home, "abcd1234", "anything16chars00"); core.KindOf(err) != core.Internal || err == nil {
		t.Errorf("fault: %v", err)
	}
}

func TestMintAppTokenRefuses(t *testing.T) {
	key, short := newApplication(t, 2048).private(t), newApplication(t, 1024).private(t)
	for name, err := range map[string]error{
		"no key":    second(MintAppToken([]byte("x"), appID, "", time.Now(), time.Hour)),
		"short key": second(MintAppToken(short, appID, "", time.Now(), time.Hour)),
		"no life":   second(MintAppToken(key, appID, "", time.Now(), 0)),
		"a year":    second(MintAppToken(key, appID, "", time.Now(), 365*24*time.Hour)),
		"no name":   second(MintAppToken(key, appID, "a\nb", time.Now(), time.Hour)),
	} {
		if core.KindOf(err) != core.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
