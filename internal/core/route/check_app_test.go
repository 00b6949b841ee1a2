package route

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math"
	"strings"
	"testing"
	"time"
)

// programmed is a firm with an application that takes calls.
func programmed() Resources {
	return Resources{
		Accounts: []Account{{Key: "abcd1234", Name: "The firm"}},
		Applications: []Application{
			{
				ID: "11111111-2222-3333-4444-555555555555", Account: "abcd1234",
				Answer: Webhook{URL: "http://localhost:8000/answer?x=1", Timeout: Duration(5 * time.Second)},
				Event:  Webhook{URL: "https://app.test/event", Method: "POST", ConnectTimeout: Duration(300 * time.Millisecond)},
			},
			{ID: "aaaaaaaa-2222-3333-4444-555555555555"},
		},
		Numbers: []Number{{Number: "12995558888", Application: "11111111-2222-3333-4444-555555555555"}},
	}
}

func TestMistakesOfApplications(t *testing.T) {
	tests := []struct {
		name string
		do   func(*Resources)
		want string
	}{
		{"nothing", func(*Resources) {}, ""},
		{"key of an account", func(r *Resources) { r.Accounts[0].Key = "a b" }, "accounts[0].key"},
		{"account twice", func(r *Resources) { r.Accounts = append(r.Accounts, r.Accounts[0]) }, "accounts[1].key"},
		{"id in capitals", func(r *Resources) { r.Applications[1].ID = "AAAAAAAA-2222-3333-4444-555555555555" }, "applications[1].id"},
		{"id without dashes", func(r *Resources) { r.Applications[1].ID = "aaaaaaaa222233334444555555555555" }, "applications[1].id"},
		{"id twice", func(r *Resources) { r.Applications[1].ID = r.Applications[0].ID }, "applications[1].id"},
		{"long name", func(r *Resources) { r.Applications[1].Name = strings.Repeat("x", 129) }, "applications[1].name"},
		{"unknown account", func(r *Resources) { r.Applications[1].Account = "x" }, `applications[1].account: no account "x"`},
		{"no key", func(r *Resources) { r.Applications[0].PublicKey = "x" }, "applications[0].public_key: no PEM text"},
		{"user of the house", func(r *Resources) { r.Applications[0].Users = map[string]string{"alice": "boss"} }, `applications[0].users.alice: no user "boss"`},
		{"no web URL", func(r *Resources) { r.Applications[0].Answer.URL = "ftp://x/" }, "applications[0].answer.url"},
		{"no host", func(r *Resources) { r.Applications[0].Event.URL = "http://:80/x" }, "applications[0].event.url"},
		{"method without URL", func(r *Resources) { r.Applications[1].Fallback.Method = "GET" }, "applications[1].fallback.url"},
		{"method", func(r *Resources) { r.Applications[0].Event.Method = "PUT" }, "applications[0].event.method"},
		{"connect too long", func(r *Resources) { r.Applications[0].Event.ConnectTimeout = Duration(2 * time.Second) }, "applications[0].event.connection_timeout"},
		{"answer too short", func(r *Resources) { r.Applications[0].Answer.Timeout = 1 }, "applications[0].answer.socket_timeout"},
		{"calls per second", func(r *Resources) { r.Applications[0].CallsPerSecond = math.NaN() }, "applications[0].calls_per_second"},
		{"requests per second", func(r *Resources) { r.Applications[0].RequestsPerSecond = 10_001 }, "applications[0].requests_per_second"},
		{"members", func(r *Resources) { r.Applications[0].Members = -1 }, "applications[0].members"},
		{"limit", func(r *Resources) { r.Applications[0].Limits = &Limit{Calls: -1} }, "applications[0].limits.calls"},
		{"number to nobody", func(r *Resources) { r.Numbers[0].Application = "x" }, `numbers[0].application: no application "x"`},
		{"number to two", func(r *Resources) { r.Numbers[0].Announce = "busy" }, "numbers[0]: needs exactly one of group, user, phone, announce, application"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := programmed()
			tt.do(&r)
			_, err := NewDirectory(r)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if err == nil {
				return
			}
			for _, m := range Misfits(r, err) {
				if m.Name == "" && m.Kind != "numbers" || strings.Contains(m.Kind, "[") {
					t.Errorf("a mistake without the name of what it is about: %+v", m)
				}
			}
		})
	}
}

func TestDirectoryOfApplications(t *testing.T) {
	r := programmed()
	d, err := NewDirectory(r)
	if err != nil {
		t.Fatal(err)
	}
	mine, others := r.Applications[0].ID, r.Applications[1].ID
	if a, ok := d.Application(mine); !ok || a.Account != "abcd1234" {
		t.Errorf("Application = %+v %v", a, ok)
	}
	if a, ok := d.Account("abcd1234"); !ok || a.Name != "The firm" {
		t.Errorf("Account = %+v %v", a, ok)
	}
	for _, tt := range []struct {
		app, key string
		want     bool
	}{{mine, "abcd1234", true}, {others, "abcd1234", false}, {others, "", false}, {"x", "abcd1234", false}} {
		if got := d.OfAccount(tt.app, tt.key); got != tt.want {
			t.Errorf("OfAccount(%s, %q) = %v", tt.app, tt.key, got)
		}
	}
}

func TestPublicKeyMistakes(t *testing.T) {
	private := strings.ReplaceAll(publicKey(t, 2048), "PUBLIC", "PRIVATE")
	for name, tc := range map[string]struct{ key, want string }{
		"none":    {"", "no PEM text"},
		"private": {private, "this is a private key"},
		"garbage": {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no public key in PEM"},
		"short":   {publicKey(t, 1024), "not an RSA key of at least 2048 bits"},
	} {
		if err := checkPublicKey(tc.key); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
	if err := checkPublicKey(publicKey(t, 2048)); err != nil {
		t.Error(err)
	}
}

// publicKey returns a fresh public key as PEM.
func publicKey(t *testing.T, bits int) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
