package rtc

import (
	"time"

	"github.com/offhook/offhook/internal/media/sdp"
)

// restartLocked takes new credentials into use. The former ones serve on until
// the new ones found a way (RFC 8445 section 9).
func (p *Path) restartLocked(local, remote sdp.Credentials) {
	if p.current != nil && p.found {
		p.srv.removeAgent(p.former)
		p.former = p.current
	} else {
		p.srv.removeAgent(p.current)
	}
	p.restart = p.current != nil
	p.found = false
	p.current = &agent{path: p, local: local, remote: remote}
	p.srv.addAgent(p.current)
}

// reachable takes note of an authenticated check from an address. It is false if
// the check shall not be answered.
func (p *Path) reachable(a *agent, from remote, nominated bool) bool {
	now := time.Now()
	p.mu.Lock()
	if p.closed || a != p.current && a != p.former || !p.learnLocked(from, now) {
		p.mu.Unlock()
		return false
	}
	p.heard(now)
	if peer := p.peer.Load(); peer == nil || *peer != from && (nominated || p.movedLocked(from)) {
		p.peer.Store(&from) // before the first nomination any way is good enough for the handshake
	}
	p.checked = from
	restarted := false
	if nominated && a == p.current && !p.found {
		p.srv.removeAgent(p.former)
		p.former, p.found = nil, true
		restarted = p.restart
	}
	secured := p.secured()
	up := secured && (restarted || !p.up)
	p.up = p.up || secured
	p.mu.Unlock()
	if up {
		p.cfg.OnUp()
	}
	return true
}

// movedLocked reports whether a check by another way, which nominates nothing, shows
// that the far end has moved: a NAT gave it another port. Firefox nominates once and
// then only asks for consent, every 5 s. That we hear nothing shows it, or that
// the last check came by the new way, too.
func (p *Path) movedLocked(to remote) bool {
	return p.found && (p.quiet || p.checked == to)
}

// secured reports whether the keys in use are those of the last answer
// association.
func (p *Path) secured() bool {
	a, k := p.assoc.Load(), p.keys.Load()
	return a != nil && k != nil && a.keys.Load() == k
}

// secure takes the keys of a into use. It runs on a's goroutine.
func (p *Path) secure(a *association) {
	p.mu.Lock()
	current := !p.closed && p.assoc.Load() == a
	if current {
		p.keys.Store(a.keys.Load())
		p.up = true
	}
	p.mu.Unlock()
	if current {
		p.cfg.OnUp()
	}
}

// failed reports the end of a, unless the path itself has dropped it.
func (p *Path) failed(a *association, err error) {
	p.mu.Lock()
	current := !p.closed && p.assoc.Load() == a
	if current {
		p.up = false
		p.keys.Store(nil)
		p.assoc.Store(nil) // the next negotiation begins another one
	}
	p.mu.Unlock()
	if current {
		p.srv.cfg.Log.Info("webrtc path down", "reason", err)
		p.cfg.OnDown(err)
	}
}

// tend looks after consent and reports. It runs on the server's own goroutine.
func (p *Path) tend(now time.Time) {
	p.mu.Lock()
	received := p.received.Load()
	p.quiet, p.before = received == p.before, received
	lost := p.up && p.silence(now) >= p.srv.cfg.ConsentTimeout
	if lost { // without consent nothing may be sent (RFC 7675 section 5.1)
		p.up = false
		p.peer.Store(nil)
	}
	p.mu.Unlock()
	if lost {
		p.cfg.OnDown(ErrConsent)
		return
	}
	p.sendReport(now)
}
