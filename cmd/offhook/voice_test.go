package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core/route"
)

const (
	oneApp   = "11111111-2222-3333-4444-555555555555"
	otherApp = "22222222-2222-3333-4444-555555555555"
)

// voiceNode is a whole node with two applications that have a key each.
type voiceNode struct {
	*testing.T
	url  string
	keys map[string]*rsa.PrivateKey
}

func newVoiceNode(t *testing.T) *voiceNode {
	t.Helper()
	v := &voiceNode{T: t, keys: make(map[string]*rsa.PrivateKey)}
	var resources config.Resources
	for _, id := range []string{oneApp, otherApp} {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		v.keys[id] = key
		resources.Applications = append(resources.Applications, config.Application{Application: route.Application{ID: id, PublicKey: publicPEM(t, key)}})
	}
	v.url = "http://" + runNode(t, resources).web.Addr().String()
	return v
}

// runNode runs a whole node until the test ends.
func runNode(t *testing.T, resources config.Resources) *node {
	t.Helper()
	cfg := config.Default()
	cfg.HTTP.Listen, cfg.SIP.UDP, cfg.SIP.TCP, cfg.SIP.TLS = "127.0.0.1:0", "127.0.0.1:0", "", ""
	cfg.Media.WebRTCUDP, cfg.Media.WebRTCTCP = "127.0.0.1:0", ""
	cfg.Store.Folder = t.TempDir()
	cfg.Store.URL = "sqlite:" + filepath.Join(cfg.Store.Folder, "offhook.db")
	cfg.Resources = resources
	n, err := newNode(t.Context(), cfg, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := n.run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); running.Wait() })
	return n
}

func publicPEM(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// claims are those of a good token, but for what is changed.
func claims(change jwt.MapClaims) jwt.MapClaims {
	c := jwt.MapClaims{"application_id": oneApp, "iat": time.Now().Unix(), "exp": time.Now().Add(15 * time.Minute).Unix(), "jti": rand.Text()}
	for name, value := range change {
		if value == nil {
			delete(c, name)
			continue
		}
		c[name] = value
	}
	return c
}

func (v *voiceNode) sign(method jwt.SigningMethod, c jwt.MapClaims, key any) string {
	v.Helper()
	token, err := jwt.NewWithClaims(method, c).SignedString(key)
	if err != nil {
		v.Fatal(err)
	}
	return token
}

// status is the status of the answer to a request.
func (v *voiceNode) status(method, path, token string, body io.Reader) (int, http.Header) {
	v.Helper()
	req, err := http.NewRequestWithContext(v.Context(), method, v.url+path, body)
	if err != nil {
		v.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		v.Fatal(err)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		v.Fatal(err)
	}
	return resp.StatusCode, resp.Header
}

// TestVoiceTokens: whose tokens a whole node takes for what.
func TestVoiceTokens(t *testing.T) {
	v := newVoiceNode(t)
	one := v.keys[oneApp]
	userPaths := map[string]any{"paths": map[string]any{"/*/users/**": map[string]any{}, "/*/sessions/**": map[string]any{}}}
	good := v.sign(jwt.SigningMethodRS256, claims(nil), one)
	parts := strings.Split(good, ".")
	hour := func(n int) int64 { return time.Now().Add(time.Duration(n) * time.Hour).Unix() }
	for _, tt := range []struct {
		name, path, token string
		want              int
	}{
		{"good", "/v1/calls", good, 200},
		{"a month", "/v1/calls", v.sign(jwt.SigningMethodRS256, claims(jwt.MapClaims{"exp": hour(30 * 24)}), one), 200},
		{"no exp", "/v1/calls", v.sign(jwt.SigningMethodRS256, claims(jwt.MapClaims{"exp": nil}), one), 200},
		{"extra claims", "/v1/calls", v.sign(jwt.SigningMethodRS256, claims(jwt.MapClaims{"issued_at": 1, "subject": "x"}), one), 200},
		{"none", "/v1/calls", "", 401},
		{"alg none", "/v1/calls", v.sign(jwt.SigningMethodNone, claims(nil), jwt.UnsafeAllowNoneSignatureType), 401},
		{"HS256 by the public key", "/v1/calls", v.sign(jwt.SigningMethodHS256, claims(nil), []byte(publicPEM(t, one))), 401},
		{"another application's key", "/v1/calls", v.sign(jwt.SigningMethodRS256, claims(nil), v.keys[otherApp]), 401},
		{"unknown application", "/v1/calls", v.sign(jwt.SigningMethodRS256, claims(jwt.MapClaims{"application_id": "33333333-2222-3333-4444-555555555555"}), one), 401},
		{"no application", "/v1/calls", v.sign(jwt.SigningMethodRS256, claims(jwt.MapClaims{"application_id": nil}), one), 401},
		{"expired", "/v1/calls", v.sign(jwt.SigningMethodRS256, claims(jwt.MapClaims{"iat": hour(-2), "exp": hour(-1)}), one), 401},
		{"not yet", "/v1/calls", v.sign(jwt.SigningMethodRS256, claims(jwt.MapClaims{"nbf": hour(1)}), one), 401},
		{"no iat", "/v1/calls", v.sign(jwt.SigningMethodRS256, claims(jwt.MapClaims{"iat": nil}), one), 401},
		{"signature of another", "/v1/calls", parts[0] + "." + parts[1] + ".AAAA", 401},
		{"no token at all", "/v1/calls", "x", 401},
		{"huge", "/v1/calls", strings.Repeat("x", 20000), 401},
		{"a user's, for calls", "/v1/calls", v.sign(jwt.SigningMethodRS256, claims(jwt.MapClaims{"sub": "alice", "acl": userPaths}), one), 403},
		{"a user's, for users", "/v1/users/alice", v.sign(jwt.SigningMethodRS256, claims(jwt.MapClaims{"sub": "alice", "acl": userPaths}), one), 200},
	} {
		if got, _ := v.status(http.MethodGet, tt.path, tt.token, http.NoBody); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestVoiceUnderAttack: an application that asks a thousand times is slowed down, and
// one with a huge body is refused, while another goes on as if nothing were.
func TestVoiceUnderAttack(t *testing.T) {
	v := newVoiceNode(t)
	one := v.sign(jwt.SigningMethodRS256, claims(nil), v.keys[oneApp])
	other := v.sign(jwt.SigningMethodRS256, claims(jwt.MapClaims{"application_id": otherApp}), v.keys[otherApp])

	var mu sync.Mutex // guards codes
	codes := make(map[int]int)
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for range 250 {
				status, header := v.status(http.MethodGet, "/v1/calls", one, http.NoBody)
				if status == http.StatusTooManyRequests && header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				mu.Lock()
				codes[status]++
				mu.Unlock()
			}
		})
	}
	for range 10 {
		if status, _ := v.status(http.MethodGet, "/v1/calls", other, http.NoBody); status != http.StatusOK {
			t.Errorf("another application meanwhile: %d", status)
		}
	}
	asking.Wait()
	if codes[http.StatusOK]+codes[http.StatusTooManyRequests] != 1000 || codes[http.StatusTooManyRequests] == 0 {
		t.Errorf("answers %v", codes)
	}
	t.Logf("1,000 requests: %v", codes)

	huge := bytes.Repeat([]byte(" "), 10<<20)
	if status, _ := v.status(http.MethodPost, "/v1/calls", other, bytes.NewReader(huge)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("10 MB: %d", status)
	}
}
