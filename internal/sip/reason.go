package sip

import (
	"strconv"
	"strings"
)

// Reason is one value of a Reason header (RFC 3326), carried by CANCEL and BYE.
type Reason struct {
	Protocol string // "SIP" or "Q.850"
	Cause    int
	Text     string // for people, "" if none
}

// Header returns r as a header: Reason: SIP;cause=200;text="Call completed elsewhere".
func (r Reason) Header() Header {
	v := r.Protocol + ";cause=" + strconv.Itoa(r.Cause)
	if r.Text != "" {
		v += `;text="` + strings.NewReplacer(`"`, "", `\`, "", "\r", "", "\n", "").Replace(r.Text) + `"`
	}
	return NewHeader("Reason", v)
}

// Reasons returns the values of the Reason headers of m that have a cause.
func Reasons(m Message) []Reason {
	var reasons []Reason
	for _, line := range HeaderValues(m, "Reason") {
		for _, v := range splitQuoted(line, ',') {
			if r, ok := parseReason(v); ok {
				reasons = append(reasons, r)
			}
		}
	}
	return reasons
}

func parseReason(v string) (Reason, bool) {
	parts := splitQuoted(v, ';')
	r := Reason{Protocol: strings.TrimSpace(parts[0])}
	found := false
	for _, p := range parts[1:] {
		key, val, _ := strings.Cut(p, "=")
		val = unquote(strings.TrimSpace(val))
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "cause":
			n, err := strconv.Atoi(val)
			if err != nil {
				return Reason{}, false
			}
			r.Cause, found = n, true
		case "text":
			r.Text = val
		}
	}
	return r, found
}

// splitQuoted cuts s at every sep that is not inside a quoted string. It returns
// at least one element.
func splitQuoted(s string, sep byte) []string {
	var parts []string
	quoted, start := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}
