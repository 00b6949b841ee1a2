package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/auth"
	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// exchangeOf is an API that knows what it was given.
type exchangeOf struct {
	known []string
	tired int // requests that it refuses at first
	given bundle
}

// ServeHTTP implements http.Handler.
func (x *exchangeOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch err := json.NewDecoder(r.Body).Decode(&x.given); {
	case x.tired > 0:
		x.tired--
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case err != nil || r.Header.Get("Authorization") != "Bearer secret" || r.URL.Path != "/api/v1/apply" || r.Method != http.MethodPost:
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var items []map[string]string
	for _, u := range x.given.Users {
		done, path := "changed", "users/"+u.Name
		if !slices.Contains(x.known, path) {
			done, x.known = "created", append(x.known, path)
		}
		items = append(items, map[string]string{"resource": path, "done": done})
	}
	if err := json.NewEncoder(w).Encode(map[string]any{"items": items}); err != nil {
		panic(err)
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

// TestApplyOfALongFile sends more than a usual request to a real exchange.
func TestApplyOfALongFile(t *testing.T) {
	const schedules = 100
	n := runNode(t, config.Resources{Users: []config.User{{User: route.User{Name: "root", Role: route.RoleAdmin}}}})
	token, err := auth.MintToken(n.tokenKey, "root", time.Now(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	text.WriteString("resources:\n  schedules:\n")
	for i := range schedules {
		fmt.Fprintf(&text, "    - {name: year%d, time_zone: UTC, holidays: [%s]}\n", i, strings.Repeat(`"2027-12-24",`, 1000))
	}
	if text.Len() < 1<<20 {
		t.Fatalf("the file has %d bytes only", text.Len())
	}
	var out strings.Builder
	if err := (applyCmd{File: write(t, text.String()), access: access{URL: "http://" + n.web.Addr().String(), Token: token}}).Run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if done := strings.Count(out.String(), " created\n"); done != schedules {
		t.Errorf("%d schedules of %d were created", done, schedules)
	}
}

func TestApply(t *testing.T) {
	x := &exchangeOf{}
	out, err := apply(t, x, "secret", applied)
	if err != nil || out != "users/anna created\n" {
		t.Errorf("%v\n%s", err, out)
	}
	if g := x.given; len(g.Users) != 1 || g.Users[0].Password != "tomato soup" || len(g.Groups) != 2 || g.Dialling != nil || g.Limits != nil {
		t.Errorf("given %+v", g)
	}
	out, err = apply(t, x, "secret", applied)
	if err != nil || out != "users/anna changed\n" {
		t.Errorf("again: %v\n%s", err, out)
	}
}

// TestApplyTakesAll: every part of the section reaches the exchange, with its secrets.
func TestApplyTakesAll(t *testing.T) {
	cfg, err := config.Load(write(t, `resources:
  users: [{name: anna, password: "tomato soup"}]
  trunks: [{name: line, uri: "sip:carrier.example", username: us, password: of the trunk}]
  groups: [{name: desk, endpoints: [{user: anna}]}]
  schedules: [{name: office, time_zone: UTC}]
  callers: [{name: pest, from: ["4916*"], block: true}]
  dialling: {country: de}
  limits: {silence: 90s}
  parking: {first: 70, last: 79}
  numbers: [{number: "12995558888", application: 11111111-2222-3333-4444-555555555555}]
  applications: [{id: 11111111-2222-3333-4444-555555555555, account: abcd1234, answer_url: "http://localhost:8000/answer"}]
  accounts: [{key: abcd1234, secret: anything16chars00}]
`))
	if err != nil {
		t.Fatal(err)
	}
	b := toBundle(cfg.Resources)
	for i := range reflect.TypeFor[bundle]().NumField() {
		if reflect.ValueOf(b).Field(i).IsZero() {
			t.Errorf("%s is lost", reflect.TypeFor[bundle]().Field(i).Name)
		}
	}
	if b.Users[0].Password != "tomato soup" || b.Trunks[0].Password != "of the trunk" || b.Accounts[0].Secret != "anything16chars00" || b.Accounts[0].SignatureSecret != "" {
		t.Errorf("secrets %+v", b)
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
	if out, err := apply(t, x, "secret", applied); err != nil || strings.Count(out, "created") != 1 {
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
