package main

import (
	"crypto/md5" //nolint:gosec // RFC 3261 digest
	"encoding/hex"
	"fmt"
	"strings"
)

// account is who a phone logs in as.
type account struct{ user, password string }

// authorize answers the challenge of m, with MD5 and qop auth (RFC 2617 section
// 3.2.2), and returns the header line.
func (a account) authorize(m *message, method, uri string) string {
	realm, nonce := param(m.challenge, "realm"), param(m.challenge, "nonce")
	const cnonce, count = "0a4f113b", "00000001"
	ha1 := md5Hex(a.user + ":" + realm + ":" + a.password)
	ha2 := md5Hex(method + ":" + uri)
	answer := md5Hex(strings.Join([]string{ha1, nonce, count, cnonce, "auth", ha2}, ":"))
	name := "Authorization"
	if m.proxy {
		name = "Proxy-Authorization"
	}
	return fmt.Sprintf("%s: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", algorithm=MD5, cnonce=\"%s\", qop=auth, nc=%s\r\n",
		name, a.user, realm, nonce, uri, answer, cnonce, count)
}

// param returns a quoted parameter of a challenge.
func param(challenge, name string) string {
	_, after, _ := strings.Cut(challenge, name+`="`)
	value, _, _ := strings.Cut(after, `"`)
	return value
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s)) //nolint:gosec // RFC 3261 digest
	return hex.EncodeToString(sum[:])
}
