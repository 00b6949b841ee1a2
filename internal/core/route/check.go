package route

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// mistakes collects what is wrong in Resources, so that all of it is reported at once.
type mistakes []error

func (m *mistakes) add(where, format string, args ...any) {
	*m = append(*m, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

// check validates the resources and fills the indexes of d on the way.
func (d *Directory) check() error {
	var m mistakes
	for i, t := range d.res.Trunks {
		d.checkTrunk(&m, fmt.Sprintf("trunks[%d]", i), t)
	}
	for i, u := range d.res.Users {
		d.checkUser(&m, fmt.Sprintf("users[%d]", i), u)
	}
	own := ownNumbers(d.res.Numbers)
	for i, g := range d.res.Groups {
		d.checkGroup(&m, fmt.Sprintf("groups[%d]", i), g, own)
	}
	for i, n := range d.res.Numbers {
		d.checkNumber(&m, fmt.Sprintf("numbers[%d]", i), n)
	}
	return errors.Join(m...)
}

func (d *Directory) checkTrunk(m *mistakes, at string, t Trunk) {
	if !isName(t.Name) {
		m.add(at+".name", "%q is not 1 to 64 of a-z 0-9 . _ -", t.Name)
	}
	if _, double := d.trunks[t.Name]; double {
		m.add(at+".name", "%q is there twice", t.Name)
	}
	if !isURI(t.URI) {
		m.add(at+".uri", "%q is not a SIP URI such as sip:carrier.example:5060", t.URI)
	}
	for j, p := range t.AcceptFrom {
		if !p.IsValid() {
			m.add(fmt.Sprintf("%s.accept_from[%d]", at, j), "not an address or prefix")
		}
	}
	// Written so that NaN fails too.
	if !(t.CallsPerSecond >= 0 && t.CallsPerSecond <= 1000) {
		m.add(at+".calls_per_second", "%v is outside 0..1000", t.CallsPerSecond)
	}
	if t.CallerID != "" && !isNumber(t.CallerID) {
		m.add(at+".caller_id", "%q is not 1 to 15 digits without +", t.CallerID)
	}
	d.trunks[t.Name] = t
}

func (d *Directory) checkUser(m *mistakes, at string, u User) {
	if !isName(u.Name) {
		m.add(at+".name", "%q is not 1 to 64 of a-z 0-9 . _ -", u.Name)
	}
	if Emergency(u.Name) {
		m.add(at+".name", "%q is an emergency number", u.Name)
	}
	if _, double := d.users[u.ID()]; double {
		m.add(at+".name", "%q is there twice", u.ID())
	}
	if len(u.DisplayName) > 128 {
		m.add(at+".display_name", "longer than 128 bytes")
	}
	if u.Number != "" && !isNumber(u.Number) {
		m.add(at+".number", "%q is not 1 to 15 digits without +", u.Number)
	}
	d.users[u.ID()] = u
	// Several users may show the same caller id, the company's; it reaches the first.
	if _, taken := d.byPhone[u.Number]; u.Number != "" && u.App == "" && !taken {
		d.byPhone[u.Number] = u.ID()
	}
}

func (d *Directory) checkGroup(m *mistakes, at string, g Group, own map[string]bool) {
	if !isName(g.Name) {
		m.add(at+".name", "%q is not 1 to 64 of a-z 0-9 . _ -", g.Name)
	}
	if _, double := d.groups[g.Name]; double {
		m.add(at+".name", "%q is there twice", g.Name)
	}
	if g.Strategy != "" && g.Strategy != "simultaneous" {
		m.add(at+".strategy", "%q is not simultaneous", g.Strategy)
	}
	if g.RingTimeout != 0 && (g.RingTimeout < time.Second || g.RingTimeout > 180*time.Second) {
		m.add(at+".ring_timeout", "%v is outside 1s..180s", g.RingTimeout)
	}
	if g.CallerHears != "" && !isCountry(g.CallerHears) {
		m.add(at+".caller_hears", "%q is not a country code such as us", g.CallerHears)
	}
	if len(g.Endpoints) == 0 {
		m.add(at+".endpoints", "none")
	}
	for j, e := range g.Endpoints {
		d.checkEndpoint(m, fmt.Sprintf("%s.endpoints[%d]", at, j), e, own)
	}
	d.groups[g.Name] = g
}

func (d *Directory) checkEndpoint(m *mistakes, at string, e Endpoint, own map[string]bool) {
	if countSet(e.Phone, e.User, e.SIP) != 1 {
		m.add(at, "needs exactly one of phone, user, sip")
		return
	}
	switch {
	case e.User != "":
		if _, ok := d.users[core.UserID{Name: e.User}]; !ok {
			m.add(at+".user", "no user %q", e.User)
		}
	case e.SIP != "":
		if !isURI(e.SIP) {
			m.add(at+".sip", "%q is not a SIP URI such as sip:bob@10.0.0.7", e.SIP)
		}
	default:
		d.checkPhone(m, at+".phone", e.Phone, own)
	}
}

func (d *Directory) checkPhone(m *mistakes, at, phone string, own map[string]bool) {
	digits := Normalise(phone)
	if digits == "" {
		m.add(at, "%q is not a number of 1 to 15 digits", phone)
	}
	if Emergency(phone) {
		m.add(at, "%q is an emergency number", phone)
	}
	if own[digits] {
		// It would leave by the trunk, come back and ring the group again, for ever.
		m.add(at, "%q is one of our own numbers", phone)
	}
	if len(d.res.Trunks) == 0 {
		m.add(at, "%q needs a trunk and there is none", phone)
	}
}

func (d *Directory) checkNumber(m *mistakes, at string, n Number) {
	if !isNumber(n.Number) {
		m.add(at+".number", "%q is not 1 to 15 digits without +", n.Number)
	}
	if Emergency(n.Number) {
		m.add(at+".number", "%q is an emergency number", n.Number)
	}
	if _, double := d.numbers[n.Number]; double {
		m.add(at+".number", "%q is there twice", n.Number)
	}
	switch {
	case countSet(n.Group, n.User) != 1:
		m.add(at, "needs exactly one of group, user")
	case n.Group != "":
		if _, ok := d.groups[n.Group]; !ok {
			m.add(at+".group", "no group %q", n.Group)
		}
	default:
		if _, ok := d.users[core.UserID{Name: n.User}]; !ok {
			m.add(at+".user", "no user %q", n.User)
		}
	}
	d.numbers[n.Number] = n
}

func ownNumbers(numbers []Number) map[string]bool {
	own := make(map[string]bool, len(numbers))
	for _, n := range numbers {
		own[n.Number] = true
	}
	return own
}

func countSet(values ...string) int {
	n := 0
	for _, v := range values {
		if v != "" {
			n++
		}
	}
	return n
}

// isName reports whether s is a valid name of a user, group or trunk.
func isName(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	})
}

// isCountry reports whether s has the form of an ISO 3166 code in lower case.
func isCountry(s string) bool {
	return len(s) == 2 && !strings.ContainsFunc(s, func(r rune) bool { return r < 'a' || r > 'z' })
}

// isURI reports whether s has the form of a SIP URI with a host. The edge
// parses it in full before use.
func isURI(s string) bool {
	rest, ok := strings.CutPrefix(s, "sip:")
	if !ok {
		rest, ok = strings.CutPrefix(s, "sips:")
	}
	host := rest[strings.LastIndex(rest, "@")+1:]
	return ok && host != "" && host[0] != ';' && host[0] != ':' && host[0] != '?' &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '<' || r == '>' || r == '"' || r >= 0x7f })
}
