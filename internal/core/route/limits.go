package route

import (
	"time"

	"github.com/offhook/offhook/internal/core"
)

// Limits is the guard against toll fraud: what may be dialled over trunks, how
// often and for how long. It is on by default; DefaultLimits says how.
type Limits struct {
	// Prefixes are the numbers that users may dial over a trunk, by their first
	// digits in E.164; "*" is every number. None is the calling code of
	// Dialling.Country, or every number without a country.
	Prefixes []string `yaml:"prefixes,omitempty" json:"prefixes,omitempty"`
	// Blocked are numbers that they may not, by their first digits. Where both
	// match the longer prefix decides. None is DefaultBlocked; an entry of
	// Prefixes opens one of those again.
	Blocked []string `yaml:"blocked,omitempty" json:"blocked,omitempty"`
	// User, Application and Trunk limit what each of them causes on trunks. nil is
	// that of DefaultLimits.
	User        *Limit `yaml:"user,omitempty" json:"user,omitempty"`
	Application *Limit `yaml:"application,omitempty" json:"application,omitempty"`
	Trunk       *Limit `yaml:"trunk,omitempty" json:"trunk,omitempty"`
	// Silence ends a conversation, of any kind, in which nothing is heard of anybody
	// for that long: phones that lost their network do not hang up. 10s-24h, default 60s.
	Silence Duration `yaml:"silence,omitempty" json:"silence,omitempty"`
}

// defaultSilence is Limits.Silence where nothing is set.
const defaultSilence = Duration(time.Minute)

// Silence returns how long a conversation in which nobody is heard goes on.
func (d *Directory) Silence() Duration {
	if d == nil || d.res.Limits.Silence == 0 {
		return defaultSilence
	}
	return d.res.Limits.Silence
}

// IsZero reports whether nothing is set.
func (l Limits) IsZero() bool {
	return len(l.Prefixes) == 0 && len(l.Blocked) == 0 && l.Silence == 0 && l.User == nil && l.Application == nil && l.Trunk == nil
}

// Limit bounds calls over trunks. A field of 0 is no limit.
type Limit struct {
	CallsPerSecond float64 `yaml:"calls_per_second,omitempty" json:"calls_per_second,omitempty"` // 0-1000; more of them fail
	Calls          int     `yaml:"calls,omitempty" json:"calls,omitempty"`                       // at the same time, 0-100000
	// Minutes of conversation in 24 hours, 0-10000000. When they are used up running
	// conversations end too.
	Minutes int `yaml:"minutes,omitempty" json:"minutes,omitempty"`
	// Longest is how long one conversation may last, 1s-24h.
	Longest Duration `yaml:"longest,omitempty" json:"longest,omitempty"`
}

// talk is how long the account may talk in 24 hours.
func (l Limit) talk() time.Duration { return time.Duration(l.Minutes) * time.Minute }

// DefaultLimits is what holds where nothing is set: enough for a busy desk, an
// application and a line, and what a thief can cost before somebody looks.
func DefaultLimits() Limits {
	return Limits{
		User:        &Limit{CallsPerSecond: 2, Calls: 10, Minutes: 600},
		Application: &Limit{CallsPerSecond: 10, Calls: 100, Minutes: 6000},
		Trunk:       &Limit{CallsPerSecond: 100, Calls: 500, Minutes: 50000},
	}
}

// DefaultBlocked are the numbers that fraud is paid by: satellites, shared-cost
// and premium rate numbers, and islands that dial like a US number.
func DefaultBlocked() []string {
	return []string{
		"870", "878", "881", "882", "883", "979", "1900", "1976",
		"1242", "1246", "1264", "1268", "1284", "1345", "1441", "1473", "1649", "1658", "1664",
		"1758", "1767", "1784", "1809", "1829", "1849", "1868", "1869", "1876",
		"31900", "31906", "31909", "3389", "34803", "34806", "34807", "34905", "39892", "39899",
		"41900", "41901", "41906", "43900", "43930", "449", "49137", "49900", "6119",
	}
}

// mayDial reports whether users may dial digits over a trunk.
func (d *Directory) mayDial(digits string) bool {
	prefixes, blocked := d.res.Limits.Prefixes, d.res.Limits.Blocked
	if len(prefixes) == 0 {
		if here, ok := countries[d.res.Dialling.Country]; ok {
			prefixes = []string{here.code}
		}
	}
	if len(blocked) == 0 {
		blocked = DefaultBlocked()
	}
	allowed, ok := longestPrefix(prefixes, digits)
	if !ok {
		return false
	}
	refused, ok := longestPrefix(blocked, digits)
	return !ok || allowed >= refused
}

// accountKind says whose calls are counted.
type accountKind uint8

const (
	userAccount accountKind = iota
	applicationAccount
	trunkAccount
)

// account is what calls over trunks are counted against.
type account struct {
	kind accountKind
	name string
}

// accounts returns what a call by a user, or nobody, over trunk counts against.
func accounts(by core.UserID, trunk string) []account {
	all := []account{{trunkAccount, trunk}}
	if by.App != "" {
		all = append(all, account{applicationAccount, by.App})
	}
	if by.Name != "" {
		all = append(all, account{userAccount, by.String()})
	}
	return all
}

// limit returns what bounds an account.
func (d *Directory) limit(a account) Limit {
	defaults := DefaultLimits()
	var own, general, otherwise *Limit
	var set Limits
	if d != nil {
		set = d.res.Limits
	}
	switch a.kind {
	case userAccount:
		u, _ := d.User(core.ParseUserID(a.name))
		own, general, otherwise = u.Limits, set.User, defaults.User
	case applicationAccount:
		app, _ := d.Application(a.name)
		own, general, otherwise = app.Limits, set.Application, defaults.Application
	case trunkAccount:
		t, _ := d.Trunk(a.name)
		own, general, otherwise = t.Limits, set.Trunk, defaults.Trunk
	}
	for _, l := range []*Limit{own, general} {
		if l != nil {
			return *l
		}
	}
	if a.kind == applicationAccount {
		app, _ := d.Application(a.name)
		otherwise.CallsPerSecond = max(otherwise.CallsPerSecond, app.CallsPerSecond) // the operator's own word
	}
	return *otherwise
}

func (d *Directory) checkLimits(m *mistakes, at string, l Limits) {
	checkPrefixes(m, at+".prefixes", l.Prefixes)
	checkPrefixes(m, at+".blocked", l.Blocked)
	checkLimit(m, at+".user", l.User)
	checkLimit(m, at+".application", l.Application)
	checkLimit(m, at+".trunk", l.Trunk)
	if most := time.Duration(l.Silence); most != 0 && (most < 10*time.Second || most > 24*time.Hour) {
		m.add(at+".silence", "%v is outside 10s..24h", most)
	}
}

func checkLimit(m *mistakes, at string, l *Limit) {
	if l == nil {
		return
	}
	checkRate(m, at+".calls_per_second", l.CallsPerSecond)
	checkRange(m, at+".calls", l.Calls, 100_000)
	checkRange(m, at+".minutes", l.Minutes, 10_000_000)
	if most := time.Duration(l.Longest); most != 0 && (most < time.Second || most > 24*time.Hour) {
		m.add(at+".longest", "%v is outside 1s..24h", most)
	}
}
