package core

import (
	"strings"
	"testing"
)

func TestAppTokenAllows(t *testing.T) {
	app := AppToken{App: "a"}
	user := AppToken{App: "a", Subject: "alice"}
	with := func(t AppToken, patterns ...string) AppToken {
		t.ACL = []ACLPath{}
		for _, p := range patterns {
			t.ACL = append(t.ACL, ACLPath{Pattern: p})
		}
		return t
	}
	reader := AppToken{App: "a", ACL: []ACLPath{{"/v1/calls/**", []string{"GET"}}, {"/v1/calls/*/talk", []string{"PUT", "DELETE"}}}}
	for _, tt := range []struct {
		name, method, path string
		token              AppToken
		want               bool
	}{
		{"application", "POST", "/v1/calls", app, true},
		{"application with an empty list", "GET", "/v1/calls", with(app), false},
		{"user creates a call", "POST", "/v1/calls", user, false},
		{"user creates a call, version 2, slash", "POST", "/v2/calls/", user, false},
		{"user reads users", "GET", "/v0.3/users", user, true},
		{"user ends a session", "DELETE", "/v0.3/sessions/SES-1", user, true},
		{"user reads files", "GET", "/v1/files/1", user, false},
		{"user whose list covers calls", "POST", "/v1/calls", with(user, "/*/calls/**"), true},
		{"user whose list covers users only", "POST", "/v1/calls", with(user, "/*/users/**"), false},
		{"everything", "PUT", "/v1/calls/x/talk", with(user, "/**"), true},
		{"one element", "GET", "/v1/users/x/y", with(user, "/*/users/*"), false},
		{"one element that is missing", "GET", "/v1/users", with(user, "/*/users/*"), false},
		{"in the middle", "GET", "/v1/a/b/c/files", with(user, "/v1/**/files"), true},
		{"in the middle, none", "GET", "/v1/files", with(user, "/v1/**/files"), true},
		{"in the middle, twice", "GET", "/v1/a/files/b/files", with(user, "/v1/**/files"), true},
		{"longer", "GET", "/v1/users-of-others", with(user, "/v1/users/**"), false},
		{"star inside an element is no star", "GET", "/v1/users", with(user, "/v1/use*"), false},
		{"empty pattern", "GET", "/v1/users", with(user, ""), false},
		{"method", "GET", "/v1/calls/x", reader, true},
		{"other method", "PUT", "/v1/calls/x", reader, false},
		{"method of another pattern", "PUT", "/v1/calls/x/talk", reader, true},
	} {
		if got := tt.token.Allows(tt.method, tt.path); got != tt.want {
			t.Errorf("%s: %s %s = %v, want %v", tt.name, tt.method, tt.path, got, tt.want)
		}
	}
}

// FuzzMatchPath holds the matcher against the plain recursive definition.
func FuzzMatchPath(f *testing.F) {
	f.Add("/*/users/**", "/v1/users/x")
	f.Add("/**/a/**/b", "/a/a/b/a/b")
	f.Add("**/**", "")
	f.Fuzz(func(t *testing.T, pattern, path string) {
		if strings.Count(pattern, "/") > 8 || strings.Count(path, "/") > 8 {
			return // the definition is exponential
		}
		if got, want := matchPath(pattern, path), matches(elements(pattern), elements(path)); got != want {
			t.Errorf("matchPath(%q, %q) = %v, want %v", pattern, path, got, want)
		}
	})
}

func matches(want, have []string) bool {
	switch {
	case len(want) == 0:
		return len(have) == 0
	case want[0] == "**":
		return matches(want[1:], have) || len(have) > 0 && matches(want, have[1:])
	}
	return len(have) > 0 && (want[0] == "*" || want[0] == have[0]) && matches(want[1:], have[1:])
}
