package route

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// mistakes collects what is wrong in Resources, so that all of it is reported at once.
type mistakes []error

func (m *mistakes) add(where, format string, args ...any) {
	*m = append(*m, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

// check validates the resources and fills the indexes of d on the way: first
// what stands alone, then what refers to others.
func (d *Directory) check() error {
	var m mistakes
	if c := d.res.Dialling; c != (Dialling{}) {
		checkDialling(&m, "dialling", c)
	}
	d.checkLimits(&m, "limits", d.res.Limits)
	checkParking(&m, "parking", d.res.Parking)
	for i, s := range d.res.Schedules {
		d.checkSchedule(&m, fmt.Sprintf("schedules[%d]", i), s)
	}
	for _, o := range d.res.Overrides {
		d.overrides[o.Schedule] = o // one for a schedule that is gone means nothing
	}
	for i, t := range d.res.Trunks {
		d.checkTrunk(&m, fmt.Sprintf("trunks[%d]", i), t)
	}
	for i, u := range d.res.Users {
		d.checkUser(&m, fmt.Sprintf("users[%d]", i), u)
	}
	for i, a := range d.res.Accounts {
		d.checkAccount(&m, fmt.Sprintf("accounts[%d]", i), a)
	}
	for i, a := range d.res.Applications {
		d.checkApplication(&m, fmt.Sprintf("applications[%d]", i), a)
	}
	for i, g := range d.res.Groups {
		_, double := d.groups[g.Name]
		d.checkName(&m, fmt.Sprintf("groups[%d]", i), g.Name, double)
		d.groups[g.Name] = g
	}
	for i, n := range d.res.Numbers {
		d.addNumber(&m, fmt.Sprintf("numbers[%d]", i), n)
	}
	slices.SortStableFunc(d.patterns, func(a, b numberPattern) int { return a.compare(b.pattern) })
	for i, n := range d.res.Numbers {
		d.checkNumber(&m, fmt.Sprintf("numbers[%d]", i), n)
	}
	for i, g := range d.res.Groups {
		d.checkGroup(&m, fmt.Sprintf("groups[%d]", i), g)
	}
	for i, r := range d.res.Callers {
		d.checkCallerRule(&m, fmt.Sprintf("callers[%d]", i), r)
	}
	d.checkCircles(&m)
	return errors.Join(m...)
}

func (d *Directory) checkName(m *mistakes, at, name string, double bool) {
	if !isName(name) {
		m.add(at+".name", "%q is not 1 to 64 of a-z 0-9 . _ -", name)
	}
	if double {
		m.add(at+".name", "%q is there twice", name)
	}
}

func checkDialling(m *mistakes, at string, c Dialling) {
	if _, known := countries[c.Country]; !known {
		m.add(at+".country", "%q is not a country code that we know, such as us, gb or de", c.Country)
	}
	if c.Area != "" && (!isNumber(c.Area) || len(c.Area) > 5) {
		m.add(at+".area", "%q is not 1 to 5 digits", c.Area)
	}
}

func checkParking(m *mistakes, at string, p Parking) {
	if p == (Parking{}) {
		return
	}
	if p.First < 10 || p.Last > 999_999 || p.Last < p.First || p.Last-p.First >= 1000 {
		m.add(at, "%d to %d is not a range of 1 to 1000 slots between 10 and 999999", p.First, p.Last)
	}
	if p.Timeout != 0 && (time.Duration(p.Timeout) < time.Second || time.Duration(p.Timeout) > 24*time.Hour) {
		m.add(at+".timeout", "%v is outside 1s..24h", p.Timeout)
	}
}

func (d *Directory) checkSchedule(m *mistakes, at string, s Schedule) {
	_, double := d.schedules[s.Name]
	d.checkName(m, at, s.Name, double)
	d.schedules[s.Name] = s.compile(m, at)
}

func (d *Directory) checkTrunk(m *mistakes, at string, t Trunk) {
	_, double := d.trunks[t.Name]
	d.checkName(m, at, t.Name, double)
	if !isURI(t.URI) {
		m.add(at+".uri", "%q is not a SIP URI such as sip:carrier.example:5060", t.URI)
	}
	for j, p := range t.AcceptFrom {
		if !p.IsValid() {
			m.add(fmt.Sprintf("%s.accept_from[%d]", at, j), "not an address or prefix")
		}
	}
	checkRate(m, at+".calls_per_second", t.CallsPerSecond)
	checkOptionalNumber(m, at+".caller_id", t.CallerID)
	checkPrefixes(m, at+".prefixes", t.Prefixes)
	checkRange(m, at+".priority", t.Priority, 100)
	checkRange(m, at+".weight", t.Weight, 100)
	if every := time.Duration(t.Probe); every != 0 && (every < 5*time.Second || every > time.Hour) {
		m.add(at+".probe", "%v is outside 5s..1h", every)
	}
	checkAudio(m, at, t.SRTP, t.DTMF)
	checkLimit(m, at+".limits", t.Limits)
	checkTrunkSIP(m, at, t)
	d.trunks[t.Name] = t
}

func checkAudio(m *mistakes, at string, s SRTP, d DTMF) {
	if !s.Valid() {
		m.add(at+".srtp", "%q is not off, optional or required", s)
	}
	if !d.Valid() {
		m.add(at+".dtmf", "%q is not rfc4733, info or inband", d)
	}
}

func (d *Directory) checkUser(m *mistakes, at string, u User) {
	_, double := d.User(u.ID())
	d.checkName(m, at, u.Name, double)
	if d.emergency(u.Name) {
		m.add(at+".name", "%q is an emergency number", u.Name)
	}
	checkAudio(m, at, u.SRTP, u.DTMF)
	if len(u.DisplayName) > 128 {
		m.add(at+".display_name", "longer than 128 bytes")
	}
	checkOptionalNumber(m, at+".number", u.Number)
	if u.Role != "" && (u.Role != RoleAdmin || u.App != "") {
		m.add(at+".role", "%q is not admin, which only users of the house can be", u.Role)
	}
	checkLimit(m, at+".limits", u.Limits)
	d.users.put(u.Name, u.ID(), u)
	// Several users may show the same caller id, the company's; it reaches the first.
	if _, taken := d.byPhone.get(u.Number, u.Number); u.Number != "" && u.App == "" && !taken {
		d.byPhone.put(u.Number, u.Number, u.ID())
	}
}

// addNumber checks a number's own form and fills the indexes.
func (d *Directory) addNumber(m *mistakes, at string, n Number) {
	p, err := parsePattern(n.Number)
	if err != nil {
		m.add(at+".number", "%v", err)
		return
	}
	if _, double := d.numbers[n.Number]; double || d.hasPattern(n.Number) {
		m.add(at+".number", "%q is there twice", n.Number)
	}
	if !p.exact() {
		d.patterns = append(d.patterns, numberPattern{p, n})
		return
	}
	if d.emergency(n.Number) {
		m.add(at+".number", "%q is an emergency number", n.Number)
	}
	d.numbers[n.Number] = n
}

func (d *Directory) hasPattern(text string) bool {
	return slices.ContainsFunc(d.patterns, func(p numberPattern) bool { return p.Number.Number == text })
}

func (d *Directory) checkNumber(m *mistakes, at string, n Number) {
	to := n.Destination()
	if countSet(to.Group, to.User, to.Phone, to.Announce, to.Application) != 1 {
		m.add(at, "needs exactly one of group, user, phone, announce, application")
	} else {
		d.checkDestination(m, at, &to)
	}
	if (n.Schedule == "") != (n.Closed == nil) {
		m.add(at, "schedule and closed belong together")
	}
	if _, ok := d.schedules[n.Schedule]; !ok && n.Schedule != "" {
		m.add(at+".schedule", "no schedule %q", n.Schedule)
	}
	d.checkDestination(m, at+".closed", n.Closed)
}

// checkDestination checks where a call may go; nil is fine.
func (d *Directory) checkDestination(m *mistakes, at string, to *Destination) {
	if to == nil {
		return
	}
	if countSet(to.Group, to.User, to.Phone, to.Announce, to.Application) != 1 {
		m.add(at, "needs exactly one of group, user, phone, announce, application")
		return
	}
	switch {
	case to.Group != "":
		if _, ok := d.groups[to.Group]; !ok {
			m.add(at+".group", "no group %q", to.Group)
		}
	case to.User != "":
		d.checkHouseUser(m, at+".user", to.User)
	case to.Application != "":
		d.checkDestinationApp(m, at+".application", to.Application)
	case to.Announce != "":
		if _, err := parseAnnouncement(to.Announce); err != nil {
			m.add(at+".announce", "%v", err)
		}
	default:
		d.checkPhone(m, at+".phone", to.Phone)
	}
}

func (d *Directory) checkHouseUser(m *mistakes, at, name string) {
	if _, ok := d.User(core.UserID{Name: name}); !ok {
		m.add(at, "no user %q", name)
	}
}

// checkPhone checks a number that is reached over a trunk, or is one of ours.
func (d *Directory) checkPhone(m *mistakes, at, phone string) {
	digits := d.normalise(phone)
	if digits == "" {
		m.add(at, "%q is not a number of 1 to 15 digits", phone)
		return
	}
	if d.emergency(phone) {
		m.add(at, "%q is an emergency number", phone)
	}
	if _, own := d.number(digits); !own && len(d.attempts(Request{}, digits)) == 0 {
		m.add(at, "%q needs a trunk that carries it and there is none", phone)
	}
}

func checkRate(m *mistakes, at string, rate float64) {
	// Written so that NaN fails too.
	if !(rate >= 0 && rate <= 1000) {
		m.add(at, "%v is outside 0..1000", rate)
	}
}

func checkRange(m *mistakes, at string, n, most int) {
	if n < 0 || n > most {
		m.add(at, "%d is outside 0..%d", n, most)
	}
}

func checkDuration(m *mistakes, at string, d Duration, least time.Duration) {
	if d != 0 && (time.Duration(d) < least || time.Duration(d) > 180*time.Second) {
		m.add(at, "%v is outside %v..180s", d, least)
	}
}

func checkOptionalNumber(m *mistakes, at, number string) {
	if number != "" && !isNumber(number) {
		m.add(at, "%q is not 1 to 15 digits without +", number)
	}
}

func checkPrefixes(m *mistakes, at string, prefixes []string) {
	for i, p := range prefixes {
		if p != "*" && !isNumber(strings.TrimSuffix(p, "*")) {
			m.add(fmt.Sprintf("%s[%d]", at, i), "%q is neither the first digits of numbers nor *", p)
		}
	}
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

// isName reports whether s is a valid name of a user, group, schedule or trunk.
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
