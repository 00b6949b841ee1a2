package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core"
)

// exchangeOf is an API that knows the names it was given, and refuses a group
// whose nested group it does not know.
type exchangeOf struct {
	known  []string
	passed []string // credentials that were set
	tired  int      // requests that it refuses at first
}

// ServeHTTP implements http.Handler.
func (x *exchangeOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Name      string
		Endpoints []struct{ Group string }
	}
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/")
	err := json.NewDecoder(r.Body).Decode(&body)
	switch {
	case x.tired > 0:
		x.tired--
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case err != nil || r.Header.Get("Authorization") != "Bearer secret":
		w.WriteHeader(http.StatusUnauthorized)
		return
	case strings.HasSuffix(path, "/credentials"):
		x.passed = append(x.passed, path)
		return
	}
	for _, e := range body.Endpoints {
		if e.Group != "" && !slices.Contains(x.known, "groups/"+e.Group) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			w.Write([]byte(`{"status":422,"detail":"no fit","errors":[{"message":"no group","location":"groups/x"}]}`)) //nolint:errcheck // a test
			return
		}
	}
	if r.Method == http.MethodPut && !slices.Contains(x.known, path) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if r.Method == http.MethodPost {
		x.known = append(x.known, path+"/"+body.Name)
	}
}

func apply(t *testing.T, x *exchangeOf, token core.Secret, text string) (string, error) {
	t.Helper()
	server := httptest.NewServer(x)
	defer server.Close()
	path := write(t, text)
	var out strings.Builder
	err := applyCmd{File: path, access: access{URL: server.URL + "/", Token: token}}.Run(t.Context(), &out)
	return out.String(), err
}

const applied = `resources:
  users: [{name: anna, password: "tomato soup"}]
  groups:
    - {name: outer, endpoints: [{group: inner}]}
    - {name: inner, endpoints: [{user: anna}]}
`

func TestApply(t *testing.T) {
	x := &exchangeOf{}
	out, err := apply(t, x, "secret", applied)
	if err != nil || out != "users/anna created\ngroups/inner created\ngroups/outer created\n" {
		t.Errorf("%v\n%s", err, out)
	}
	if !slices.Equal(x.passed, []string{"users/anna/credentials"}) {
		t.Errorf("passwords %v", x.passed)
	}
	out, err = apply(t, x, "secret", applied)
	if err != nil || strings.Count(out, "changed") != 3 {
		t.Errorf("again: %v\n%s", err, out)
	}
}

// TestApplyApplications: accounts come first, then applications, then the numbers that
// lead to them; secrets are passed apart.
func TestApplyApplications(t *testing.T) {
	cfg, err := config.Load(write(t, `resources:
  numbers: [{number: "12995558888", application: 11111111-2222-3333-4444-555555555555}]
  applications: [{id: 11111111-2222-3333-4444-555555555555, account: abcd1234, answer_url: "http://localhost:8000/answer"}]
  accounts: [{key: abcd1234, secret: anything16chars00}]
`))
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, r := range toApply(cfg.Resources) {
		paths = append(paths, r.path)
		if r.list == "accounts" && (r.secretPath != "accounts/abcd1234/secrets" || revealed(r.secrets)["secret"] != "anything16chars00" || len(revealed(r.secrets)) != 1) {
			t.Errorf("secrets %+v", r)
		}
	}
	want := []string{"accounts/abcd1234", "applications/11111111-2222-3333-4444-555555555555", "numbers/12995558888"}
	if !slices.Equal(paths, want) {
		t.Errorf("applied in the order %q, want %q", paths, want)
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "resources.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestApplySlowsDown waits as long as an exchange wants that is asked too much.
func TestApplySlowsDown(t *testing.T) {
	begin := time.Now()
	x := &exchangeOf{tired: 1}
	if out, err := apply(t, x, "secret", applied); err != nil || strings.Count(out, "created") != 3 {
		t.Errorf("%v\n%s", err, out)
	}
	if d := time.Since(begin); d < time.Second {
		t.Errorf("asked again after %v", d)
	}
}

func TestApplyRefused(t *testing.T) {
	if out, err := apply(t, &exchangeOf{}, "wrong", applied); err == nil || out != "" || !strings.Contains(err.Error(), "does not accept the token") {
		t.Errorf("wrong token: %v %q", err, out)
	}
	_, err := apply(t, &exchangeOf{}, "secret", "resources:\n  users: [{name: Anna}]\n")
	if err == nil || !strings.Contains(err.Error(), "resources.yaml:2:18: resources.users[0].name") {
		t.Errorf("mistake in the file: %v", err)
	}
}
