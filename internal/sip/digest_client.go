package sip

import (
	"slices"
	"strings"

	"github.com/icholy/digest"
)

// Credentials answer a digest challenge.
type Credentials struct {
	Username string
	Password string
}

// authState is what a client knows of one server's and one proxy's challenge. It
// is kept for a dialog, so that later requests bring credentials at once.
type authState struct {
	creds Credentials
	www   *challenge // for Authorization
	proxy *challenge // for Proxy-Authorization
}

// challenge is a digest challenge in use.
type challenge struct {
	digest.Challenge
	count int // nonce-count of the last answer
}

// challengeTries counts the answers of one request to each kind of challenge.
type challengeTries struct{ www, proxy int }

func newAuthState(c *Credentials) *authState {
	if c == nil {
		return nil
	}
	return &authState{creds: *c}
}

// accept takes the challenge of a 401 or 407 and reports whether the request is
// worth repeating: once, and once more if only the nonce was stale (RFC 3261
// section 22.2). More would be an endless loop on a wrong password.
func (a *authState) accept(res *Response, tries *challengeTries) bool {
	name, slot, count := "WWW-Authenticate", &a.www, &tries.www
	if res.StatusCode == 407 {
		name, slot, count = "Proxy-Authenticate", &a.proxy, &tries.proxy
	}
	ch := pickChallenge(HeaderValues(res, name))
	if ch == nil || *count > 1 || (*count == 1 && !ch.Stale) {
		return false
	}
	*count++
	*slot = ch
	return true
}

// pickChallenge returns the first challenge that can be answered: the server's
// order is its preference (RFC 8760 section 2.4).
func pickChallenge(values []string) *challenge {
	for _, v := range values {
		ch, err := digest.ParseChallenge(v)
		if err != nil {
			continue
		}
		for i, q := range ch.QOP {
			ch.QOP[i] = strings.TrimSpace(q)
		}
		switch strings.ToUpper(ch.Algorithm) {
		case "", "MD5", "SHA-256":
		default:
			continue
		}
		if len(ch.QOP) > 0 && !slices.Contains(ch.QOP, "auth") {
			continue
		}
		return &challenge{Challenge: *ch}
	}
	return nil
}

// apply adds credentials for the challenges known.
func (a *authState) apply(req *Request) {
	for name, ch := range map[string]*challenge{"Authorization": a.www, "Proxy-Authorization": a.proxy} {
		if ch == nil {
			continue
		}
		ch.count++
		cred, err := digest.Digest(&ch.Challenge, digest.Options{
			Method: string(req.Method), URI: req.Recipient.String(), Count: ch.count,
			Username: a.creds.Username, Password: a.creds.Password,
		})
		if err != nil {
			continue
		}
		req.AppendHeader(NewHeader(name, cred.String()))
	}
}
