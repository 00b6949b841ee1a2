package auth

import (
	"net/netip"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/source"
)

// The limits of a lock-out. A phone with an old password tries again every 30 s
// or so: that alone must not lock the office it shares an address with.
const (
	failureWindow = 10 * time.Minute
	lockFor       = 10 * time.Minute
	// sourceLimit and userLimit are the failures within the window that lock a
	// source (a host, or an IPv6 /64) or a user.
	sourceLimit = 50
	userLimit   = 100
	// knownFor is how long a source that logged in as a user stays known for it.
	knownFor = 24 * time.Hour
	// guardSize bounds the sources, users and pairs remembered.
	guardSize = 16384
	// maxGuardedName bounds what is kept of a user's name, in bytes.
	maxGuardedName = 128
)

// party is whom a failure is counted against: a source, a user, or, with both
// set, that user from that source.
type party struct {
	source netip.Addr
	user   string
}

// newParty cuts a name that no user of ours has, before it is remembered.
func newParty(from netip.Addr, user string) party {
	return party{from, user[:min(len(user), maxGuardedName)]}
}

// failures counts within one window.
type failures struct {
	count       int
	windowEnds  time.Time
	lockedUntil time.Time
}

// guard counts failures and remembers who was right. A source that logged in as
// a user lately is judged by that pair alone: scanners who guess a user's
// password from elsewhere, or a broken phone behind the same address, cannot
// lock the user's own phones out.
type guard struct {
	mu     sync.Mutex // guards both
	failed *lru[party, failures]
	known  *lru[party, time.Time] // pairs, until when
}

func newGuard() *guard {
	return &guard{failed: newLRU[party, failures](guardSize), known: newLRU[party, time.Time](guardSize)}
}

func (g *guard) blocked(addr netip.Addr, user string, now time.Time) bool {
	from := source.Of(addr)
	g.mu.Lock()
	defer g.mu.Unlock()
	pair := newParty(from, user)
	if until := g.known.get(pair); until != nil && now.Before(*until) {
		return g.lockedLocked(pair, now)
	}
	return g.lockedLocked(party{source: from}, now) || user != "" && g.lockedLocked(newParty(netip.Addr{}, user), now)
}

func (g *guard) lockedLocked(p party, now time.Time) bool {
	f := g.failed.get(p)
	return f != nil && now.Before(f.lockedUntil)
}

func (g *guard) fail(addr netip.Addr, user string, now time.Time) {
	from := source.Of(addr)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.countLocked(party{source: from}, sourceLimit, now)
	if user != "" {
		g.countLocked(newParty(netip.Addr{}, user), userLimit, now)
		g.countLocked(newParty(from, user), sourceLimit, now)
	}
}

func (g *guard) countLocked(p party, limit int, now time.Time) {
	var f failures
	if old := g.failed.get(p); old != nil && now.Before(old.windowEnds) {
		f = *old
	} else {
		f.windowEnds = now.Add(failureWindow)
	}
	f.count++
	if f.count >= limit {
		f.lockedUntil = now.Add(lockFor)
		f.windowEnds = f.lockedUntil
	}
	g.failed.put(p, f)
}

// succeed forgives nothing: an attacker with an account of the own could else
// wipe the slate for a whole source.
func (g *guard) succeed(addr netip.Addr, user string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known.put(newParty(source.Of(addr), user), now.Add(knownFor))
}

// Blocked reports whether source has failed too often to be heard, for user or
// at all. User may be "".
func (a *Auth) Blocked(source netip.Addr, user string) bool {
	return a.guard.blocked(source, user, time.Now())
}

// Failed counts a wrong credential that was given for user from source. Package
// auth does it for its own logins, the SIP edge for digests.
func (a *Auth) Failed(source netip.Addr, user string) {
	now := time.Now()
	before := a.guard.blocked(source, user, now)
	a.guard.fail(source, user, now)
	if !before && a.guard.blocked(source, user, now) {
		a.cfg.Log.Warn("locked out after too many failures", "source", source, "user", user, "for", lockFor)
	}
}

// Succeeded remembers that source is a place of user's.
func (a *Auth) Succeeded(source netip.Addr, user string) {
	a.guard.succeed(source, user, time.Now())
}
