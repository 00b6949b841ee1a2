package core

import (
	"slices"
	"strings"
)

// AppToken is what a verified token of an application says.
type AppToken struct {
	App string
	// Subject is the user of the application that the token is for, "" for the
	// application itself.
	Subject string
	// ACL, if not nil, is all that the token may do.
	ACL []ACLPath
}

// ACLPath allows some requests. Pattern is a path whose element * stands for any
// one element and ** for any number of them, also none: "/*/users/**".
type ACLPath struct {
	Pattern string
	Methods []string // HTTP methods in capitals; none is all
}

// Allows reports whether the token may do a request. Without an ACL an application
// may do everything, and a user what browsers need: calls begin elsewhere.
func (t AppToken) Allows(method, path string) bool {
	acl := t.ACL
	if acl == nil && t.Subject == "" {
		return true
	}
	if acl == nil {
		acl = UserACL()
	}
	return slices.ContainsFunc(acl, func(p ACLPath) bool {
		return (len(p.Methods) == 0 || slices.Contains(p.Methods, method)) && matchPath(p.Pattern, path)
	})
}

// UserACL returns what the token of a user may do where it does not say so.
func UserACL() []ACLPath {
	var acl []ACLPath
	for _, what := range []string{"users", "conversations", "sessions", "devices", "image", "media", "applications", "push", "knocking", "legs"} {
		acl = append(acl, ACLPath{Pattern: "/*/" + what + "/**"})
	}
	return acl
}

// matchPath reports whether a path has the form of pattern. It looks back only to
// the last **, which is enough, and bounds what a hostile pattern costs.
func matchPath(pattern, path string) bool {
	want, have := elements(pattern), elements(path)
	star, mark := -1, 0 // the last ** and where what it stands for ends
	p, h := 0, 0
	for h < len(have) {
		switch {
		case p < len(want) && want[p] == "**":
			star, mark = p, h
			p++
		case p < len(want) && (want[p] == "*" || want[p] == have[h]):
			p++
			h++
		case star >= 0:
			mark++
			p, h = star+1, mark
		default:
			return false
		}
	}
	for p < len(want) && want[p] == "**" {
		p++
	}
	return p == len(want)
}

// elements splits a path, with or without a slash at its end.
func elements(path string) []string {
	if path = strings.Trim(path, "/"); path == "" {
		return nil
	}
	return strings.Split(path, "/")
}
