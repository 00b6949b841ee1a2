package sip

import (
	"strconv"
	"strings"
)

// digestReply is what a client answers to our challenge (RFC 2617 section 3.2.2).
type digestReply struct {
	username, realm, nonce, uri, response, algorithm, cnonce, qop string
	count                                                         uint32 // nc
}

// parseDigestReply reads the value of an Authorization header. Every REGISTER and
// INVITE brings one, so it cuts the value in pieces and copies nothing.
func parseDigestReply(v string) (r digestReply, ok bool) {
	const scheme = "Digest "
	if len(v) < len(scheme) || !strings.EqualFold(v[:len(scheme)], scheme) {
		return r, false
	}
	rest := v[len(scheme):]
	for {
		rest = strings.TrimLeft(rest, " \t\r\n,")
		if rest == "" {
			return r, true
		}
		var name, value string
		if name, rest, ok = strings.Cut(rest, "="); !ok {
			return r, false
		}
		if value, rest, ok = cutValue(strings.TrimLeft(rest, " \t\r\n")); !ok {
			return r, false
		}
		if !r.set(strings.TrimRight(name, " \t\r\n"), value) {
			return r, false
		}
	}
}

// set keeps one parameter; only a bad nc is refused.
func (r *digestReply) set(name, value string) bool {
	switch strings.ToLower(name) {
	case "username":
		r.username = value
	case "realm":
		r.realm = value
	case "nonce":
		r.nonce = value
	case "uri":
		r.uri = value
	case "response":
		r.response = value
	case "algorithm":
		r.algorithm = value
	case "cnonce":
		r.cnonce = value
	case "qop":
		r.qop = value
	case "nc":
		n, err := strconv.ParseUint(value, 16, 32)
		r.count = uint32(n) // of 32 bits
		return err == nil
	}
	return true
}

// cutValue takes a quoted string or token off the front of s, and wants a comma or
// the end after it.
func cutValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, ",")
		value = strings.TrimRight(value, " \t\r\n")
		return value, rest, value != "" && !strings.ContainsAny(value, "\" \t\r\n")
	}
	s = s[1:]
	end := strings.IndexAny(s, `"\`)
	if end < 0 {
		return "", "", false
	}
	if s[end] == '"' {
		value, rest = s[:end], s[end+1:]
	} else if value, rest, ok = cutQuoted(s); !ok {
		return "", "", false
	}
	rest = strings.TrimLeft(rest, " \t\r\n")
	return value, rest, rest == "" || rest[0] == ','
}

// cutQuoted reads up to the closing quote and undoes the escapes of a quoted string.
func cutQuoted(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}
