package webhook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// request is a Job's request to one target, as it goes over the wire at every
// attempt.
type request struct {
	Target
	Body  []byte // of a POST
	Token string // "" is unsigned
}

// payload is what the signature is about: the body of a POST, and of a GET a JSON
// object of the query as receivers rebuild it, all values strings, in the order sent.
func (r request) payload() ([]byte, error) {
	if r.method() != http.MethodGet {
		return r.Body, nil
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, err
	}
	return queryObject(u.RawQuery)
}

// sign adds the signature, if there is to be one.
func (r *request) sign(s *Signer) error {
	if s == nil {
		return nil
	}
	payload, err := r.payload()
	if err == nil {
		r.Token = s.Token(payload, time.Now())
	}
	return err
}

// newRequest encodes params for a target.
func newRequest(t Target, params []Param, body []byte) (request, error) {
	u, err := url.Parse(t.URL)
	switch {
	case err != nil:
		return request{}, fmt.Errorf("webhook: %w", err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return request{}, fmt.Errorf("webhook: %q is not an http URL", t.URL)
	case t.method() == http.MethodPost && body != nil:
		return request{Target: t, Body: body}, nil
	case t.method() == http.MethodPost:
		return request{Target: t, Body: object(params)}, nil
	case t.method() != http.MethodGet:
		return request{}, fmt.Errorf("webhook: method %q is neither GET nor POST", t.Method)
	}
	u.RawQuery = appendQuery(u.RawQuery, params)
	u.Fragment = ""
	t.URL = u.String()
	return request{Target: t}, nil
}

// object returns params as a compact JSON object.
func object(params []Param) []byte {
	b := []byte{'{'}
	for i, p := range params {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, p.Name), ':')
		if p.Value == nil {
			b = append(b, "null"...)
		}
		b = append(b, p.Value...)
	}
	return append(b, '}')
}

// appendQuery appends params to a query.
func appendQuery(query string, params []Param) string {
	var b strings.Builder
	b.WriteString(query)
	for _, p := range params {
		if p.Value == nil || string(p.Value) == "null" {
			continue
		}
		text := string(p.Value)
		if text[0] == '"' {
			if json.Unmarshal(p.Value, &text) != nil {
				continue // not JSON: nothing we could say
			}
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(p.Name) + "=" + url.QueryEscape(text))
	}
	return b.String()
}

// queryObject returns a query as a JSON object of strings, in the order of the
// query. A name that comes again keeps its first place and gets the last value,
// as with an object that is filled parameter by parameter.
func queryObject(query string) ([]byte, error) {
	var params []Param
	at := make(map[string]int)
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, err
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, err
		}
		if i, again := at[name]; again {
			params[i] = String(name, value)
			continue
		}
		at[name] = len(params)
		params = append(params, String(name, value))
	}
	return object(params), nil
}

// appendString appends s as a JSON string as JSON.stringify of ECMAScript writes
// it (ECMA-262 section 25.5.2.3), which receivers compute hashes with:
// encoding/json escapes more. What is not UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\b':
			b = append(b, '\\', 'b')
		case r == '\f':
			b = append(b, '\\', 'f')
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\r':
			b = append(b, '\\', 'r')
		case r == '\t':
			b = append(b, '\\', 't')
		case r < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&0xf])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
