package sipedge

import (
	"net/netip"
	"sync"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// registrations are those of ours at trunks, by the user part of the contact that
// each one registered: nobody else can know it.
type registrations struct {
	mu     sync.Mutex // guards byUser and what its values say of their flow
	byUser map[string]*registration
}

// known reports whether user is a contact of ours at a trunk.
func (t *registrations) known(user string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byUser[user] != nil
}

// find returns the trunk that calls a contact of ours, or calls down the connection
// that we registered on.
func (t *registrations) find(user string, flow sip.Flow) (trunk string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.byUser[user]; r != nil {
		return r.trunk.Name, true
	}
	for _, r := range t.byUser {
		if r.flow == flow && flow.Reliable() {
			return r.trunk.Name, true
		}
	}
	return "", false
}

// from reports whether a trunk that we are registered at is at addr.
func (t *registrations) from(addr netip.Addr) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.byUser {
		if r.flow.Remote().Addr() == addr {
			return true
		}
	}
	return false
}

// registerAt starts and stops registrations so that they are those of trunks.
func (e *Edge) registerAt(trunks map[string]Trunk) {
	t := &e.registrations
	t.mu.Lock()
	defer t.mu.Unlock()
	running := make(map[string]bool)
	for user, r := range t.byUser {
		if now, ok := trunks[r.trunk.Name]; !ok || !now.Register || !r.same(now) {
			close(r.stop)
			delete(t.byUser, user)
			continue
		}
		running[r.trunk.Name] = true
	}
	for name, trunk := range trunks {
		if trunk.Register && !running[name] {
			r := newRegistration(trunk, e.log)
			r.send = func(out sip.Outbound, done func(*sip.Response, error)) { e.stack.Send(out, done) }
			r.domain = e.domainOn(trunk)
			r.tell = func(up bool) { e.registered(r, up) }
			r.sent = func(f sip.Flow) { t.moved(r, f) }
			t.byUser[r.user] = r
			e.running.Go(r.run)
		}
	}
}

// moved notes the connection that a registration goes over.
func (t *registrations) moved(r *registration, f sip.Flow) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.flow = f
}

// flowClosed makes the registrations of a connection begin again: the trunk can call
// nobody there.
func (t *registrations) flowClosed(f sip.Flow) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.byUser {
		if r.flow == f {
			select {
			case r.again <- struct{}{}:
			default:
			}
		}
	}
}

// registered tells the exchange whether the trunk takes us, unless probes know better.
func (e *Edge) registered(r *registration, up bool) {
	e.registrations.mu.Lock()
	live := e.registrations.byUser[r.user] == r
	e.registrations.mu.Unlock()
	if live && r.trunk.Probe == 0 {
		e.post(core.TrunkState{Trunk: r.trunk.Name, Up: up})
	}
}

// Registered returns of each trunk that wants us registered whether we are.
func (e *Edge) Registered() map[string]bool {
	e.registrations.mu.Lock()
	defer e.registrations.mu.Unlock()
	up := make(map[string]bool, len(e.registrations.byUser))
	for _, r := range e.registrations.byUser {
		up[r.trunk.Name] = r.registered()
	}
	return up
}
