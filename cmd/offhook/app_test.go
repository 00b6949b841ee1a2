package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// resourceAPI makes accounts and applications, and links every number but 911.
type resourceAPI struct{ asked []string }

// ServeHTTP implements http.Handler.
func (x *resourceAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/")
	x.asked = append(x.asked, r.Method+" "+path)
	switch {
	case r.Header.Get("Authorization") != "Bearer good":
		w.WriteHeader(http.StatusUnauthorized)
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	case path == "accounts":
		w.Write([]byte(`{"key":"abcd1234","secret":"s3cret","signature_secret":"signs"}`)) //nolint:errcheck // a test
	case path == "applications":
		w.Write([]byte(`{"id":"app-1","private_key":"PEM\n"}`)) //nolint:errcheck // a test
	case strings.HasSuffix(path, "/911"):
		w.WriteHeader(http.StatusUnprocessableEntity)
		w.Write([]byte(`{"status":422,"detail":"an emergency number"}`)) //nolint:errcheck // a test
	}
}

// offhook runs a command line and returns its status and what it wrote.
func offhook(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, &out, &err)
	return code, out.String(), err.String()
}

func TestAppCreateWritesKeyAndEnv(t *testing.T) {
	t.Chdir(t.TempDir())
	api := &resourceAPI{}
	server := httptest.NewServer(api)
	defer server.Close()
	create := func(more ...string) (int, string) {
		t.Helper()
		code, _, stderr := offhook(t, append([]string{"app", "create", "--url", server.URL, "--token", "good", "--name", "hello"}, more...)...)
		return code, stderr
	}
	if code, stderr := create("--number", "+12995557777", "--number", "12995557778", "--answer-url", "http://localhost:3000/answer"); code != 0 {
		t.Fatal(stderr)
	}
	want := []string{"POST accounts", "POST applications", "PUT applications/app-1/numbers/12995557777", "PUT applications/app-1/numbers/12995557778"}
	if !slices.Equal(api.asked, want) {
		t.Errorf("asked %q, want %q", api.asked, want)
	}
	key, err := os.ReadFile("private.key")
	if err != nil || string(key) != "PEM\n" {
		t.Errorf("private.key: %q, %v", key, err)
	}
	env := readEnv()
	for name, want := range map[string]string{
		"API_KEY": "abcd1234", "API_SECRET": "s3cret", "API_SIGNATURE_SECRET": "signs", "APP_ID": "app-1", "SERVICE_NUMBER": "12995557777", "OFFHOOK_URL": server.URL,
	} {
		if env[name] != want {
			t.Errorf(".env: %s=%q, want %q", name, env[name], want)
		}
	}
	for _, path := range []string{"private.key", ".env"} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}

	api.asked = nil
	if code, stderr := create(); code != 1 || !strings.Contains(stderr, "private.key exists: --force") || len(api.asked) != 0 {
		t.Errorf("a second time: %d %s, asked %q", code, stderr, api.asked)
	}
	if code, stderr := create("--force", "--account", "mine"); code != 0 || readEnv()["API_KEY"] != "mine" || readEnv()["API_SECRET"] != "" {
		t.Errorf("--force --account: %d %s, %v", code, stderr, readEnv())
	}
	if slices.Contains(api.asked, "POST accounts") {
		t.Error("made an account in spite of --account")
	}
}

func TestAppCreateMakesAllOrNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	api := &resourceAPI{}
	server := httptest.NewServer(api)
	defer server.Close()
	code, _, stderr := offhook(t, "app", "create", "--url", server.URL, "--token", "good", "--name", "x", "--number", "1", "--number", "911")
	if code != 1 || !strings.Contains(stderr, "an emergency number") {
		t.Errorf("%d %s", code, stderr)
	}
	want := []string{"DELETE applications/app-1/numbers/1", "DELETE applications/app-1", "DELETE accounts/abcd1234"}
	if got := api.asked[max(0, len(api.asked)-3):]; !slices.Equal(got, want) {
		t.Errorf("undone by %q, want %q", got, want)
	}
	if exists("private.key") || exists(".env") {
		t.Error("files of an application that is not there")
	}
}

func TestCommandsForNewcomers(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv("OFFHOOK_TOKEN", "")
	t.Chdir(t.TempDir())
	server := httptest.NewServer(&resourceAPI{})
	gone := server.URL
	server.Close()
	refusing := httptest.NewServer(&resourceAPI{})
	defer refusing.Close()
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no server":           {[]string{"app", "create", "--name", "x", "--url", gone, "--token", "good"}, "nothing answers at " + gone},
		"no server to tail":   {[]string{"tail", "--url", gone, "--token", "good"}, "nothing answers at " + gone},
		"none of mine":        {[]string{"tail", "--url", gone}, "no exchange of yours runs at " + gone},
		"elsewhere, no token": {[]string{"tail", "--url", "http://192.0.2.1:8080"}, "192.0.2.1 is another machine: give --token"},
		"wrong token":         {[]string{"app", "create", "--name", "x", "--url", refusing.URL, "--token", "bad"}, "does not accept the token"},
		"wrong token to tail": {[]string{"tail", "--url", refusing.URL, "--token", "bad"}, "does not accept the token"},
		"token of nobody":     {[]string{"token"}, "give --user for a token of the house, or --app"},
		"no private key":      {[]string{"token", "--app", "x"}, "private key of the application"},
		"token for a year":    {[]string{"token", "--app", "x", "--for", "8760h"}, "--for: 8760h0m0s is outside 1m..720h"},
	} {
		if code, _, stderr := offhook(t, tt.args...); code != 1 || !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: %d %q, want %q", name, code, stderr, tt.want)
		}
	}
}

func TestTokenOfAnApplication(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	t.Setenv("APP_ID", "")
	t.Setenv("PRIVATE_KEY", "")
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "a.key")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(".env", []byte("APP_ID=from-env\nPRIVATE_KEY="+path+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args     []string
		app, sub string
		life     float64
	}{
		{[]string{"token", "--app", "app-1", "--key", path}, "app-1", "", 900},
		{[]string{"token", "--app", "app-1", "--key", path, "--user", "alice", "--for", "1h"}, "app-1", "alice", 3600},
		{[]string{"token"}, "from-env", "", 900},
	} {
		code, stdout, stderr := offhook(t, tt.args...)
		if code != 0 {
			t.Fatal(stderr)
		}
		var c jwt.MapClaims
		if _, err := jwt.ParseWithClaims(strings.TrimSpace(stdout), &c, func(*jwt.Token) (any, error) { return &key.PublicKey, nil }, jwt.WithValidMethods([]string{"RS256"})); err != nil {
			t.Fatal(err)
		}
		iat, _ := c["iat"].(float64)
		exp, _ := c["exp"].(float64)
		sub, _ := c["sub"].(string)
		acl, err := json.Marshal(c["acl"])
		if err != nil {
			t.Fatal(err)
		}
		if c["application_id"] != tt.app || sub != tt.sub || exp-iat != tt.life || strings.Contains(string(acl), "/*/sessions/**") != (tt.sub != "") {
			t.Errorf("%v: %v", tt.args, c)
		}
	}
}
