package sipedge

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// binding is one registration (RFC 3261 section 10): where a user's phone is.
type binding struct {
	id       core.ContactID
	user     core.UserID
	uri      sip.Uri // as registered, used verbatim as Request-URI
	instance string  // +sip.instance, "" if none (RFC 5626)
	regID    string
	params   string // Contact parameters to echo: instance, reg-id and q
	flow     sip.Flow
	path     []sip.Route // the proxies on the way to it, ours first (RFC 3327)
	q        float64     // preference among the user's contacts, 0 to 1
	callID   string
	cseq     uint32
	expires  time.Time
	device   string
	missed   int // OPTIONS without answer in a row
}

// same reports whether b is the registration that other replaces: the same
// instance and reg-id (RFC 5626 section 6), else the same URI.
func (b *binding) same(other *binding) bool {
	if b.instance != "" || other.instance != "" {
		return b.instance == other.instance && b.regID == other.regID
	}
	return b.uri.String() == other.uri.String()
}

// rank is the preference as the exchange knows it.
func (b *binding) rank() int { return int(math.Round((1 - b.q) * 1000)) }

// bindings is the table of all registrations. It is a leaf: no callback runs
// under its lock.
//
// A phone that registers over several flows (one instance, several reg-ids) is one
// contact, which rings once: its registrations share an ID (RFC 5626 section 5.3).
type bindings struct {
	mu     sync.Mutex // guards byUser, byID and what they hold
	byUser map[core.UserID][]*binding
	byID   map[core.ContactID][]*binding // the newest last
}

func newBindings() *bindings {
	return &bindings{byUser: make(map[core.UserID][]*binding), byID: make(map[core.ContactID][]*binding)}
}

// change is what an update did to the table.
type change struct {
	up   []core.Contact   // new or moved registrations
	gone []core.ContactID // removed ones

	arrived []arrival // registrations that are new or came on another flow
}

// get returns a copy of the contact's newest registration whose flow lives.
func (t *bindings) get(id core.ContactID) (binding, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range slices.Backward(t.byID[id]) {
		if b.flow.Alive() {
			return *b, true
		}
	}
	return binding{}, false
}

// of returns copies of a user's registrations, those it prefers first.
func (t *bindings) of(user core.UserID) []binding {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]binding, 0, len(t.byUser[user]))
	for _, b := range t.byUser[user] {
		list = append(list, *b)
	}
	slices.SortStableFunc(list, func(a, b binding) int { return cmp.Compare(b.q, a.q) })
	return list
}

var (
	// errOrder is an update that is older than what it would replace.
	errOrder = errors.New("CSeq is not above the last of this Call-ID")
	// errTooMany is an update that would exceed the limit per user.
	errTooMany = errors.New("too many registrations")
)

// update applies one REGISTER to the user's registrations: all of adds, then the
// removal of drops. Nothing changes on error (RFC 3261 section 10.3 step 7).
func (t *bindings) update(user core.UserID, adds, drops []*binding, limit int) (change, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range slices.Concat(adds, drops) {
		if old := t.findLocked(user, b); old != nil && old.callID == b.callID && old.cseq >= b.cseq {
			return change{}, errOrder
		}
	}
	if t.countWithLocked(user, adds, drops) > limit {
		return change{}, errTooMany
	}
	var ch change
	for _, b := range adds {
		var left sip.Flow
		if old := t.findLocked(user, b); old != nil {
			left = old.flow
		}
		if left != b.flow {
			ch.arrived = append(ch.arrived, arrival{client: clientAt(b), left: left})
		}
		if up := t.putLocked(b); up {
			ch.up = append(ch.up, core.Contact{ID: b.id, User: b.user, Edge: core.EdgeSIP, Device: b.device, Rank: b.rank()})
		}
	}
	for _, b := range drops {
		if old := t.findLocked(user, b); old != nil && t.removeLocked(old) {
			ch.gone = append(ch.gone, old.id)
		}
	}
	return ch, nil
}

// countWithLocked returns how many registrations a user would have after an update. Who
// drops what is not there, or one twice, makes no room by it.
func (t *bindings) countWithLocked(user core.UserID, adds, drops []*binding) int {
	count := len(t.byUser[user])
	for _, b := range adds {
		if t.findLocked(user, b) == nil {
			count++
		}
	}
	gone := make(map[*binding]bool)
	for _, b := range drops {
		if old := t.findLocked(user, b); old != nil {
			gone[old] = true
		}
	}
	return count - len(gone)
}

// findLocked returns the live registration that b replaces.
func (t *bindings) findLocked(user core.UserID, b *binding) *binding {
	for _, old := range t.byUser[user] {
		if old.same(b) {
			return old
		}
	}
	return nil
}

// putLocked stores b, keeping the ID of what it replaces, and reports whether
// the exchange has to hear of it.
func (t *bindings) putLocked(b *binding) bool {
	if old := t.findLocked(b.user, b); old != nil {
		b.id = old.id
		moved := old.rank() != b.rank()
		*old = *b
		drop(t.byID, old.id, old)
		t.byID[old.id] = append(t.byID[old.id], old) // now the newest
		return moved
	}
	b.id = core.ContactID(uuid.NewString())
	if other := t.siblingLocked(b); other != nil {
		b.id = other.id
	}
	t.byUser[b.user] = append(t.byUser[b.user], b)
	t.byID[b.id] = append(t.byID[b.id], b)
	return len(t.byID[b.id]) == 1
}

// siblingLocked returns another flow of the same phone.
func (t *bindings) siblingLocked(b *binding) *binding {
	for _, other := range t.byUser[b.user] {
		if b.instance != "" && other.instance == b.instance {
			return other
		}
	}
	return nil
}

// instanceOn returns the +sip.instance that a user's phone on flow registered, "" if
// there is none.
func (t *bindings) instanceOn(user core.UserID, flow sip.Flow) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range t.byUser[user] {
		if b.flow == flow {
			return b.instance
		}
	}
	return ""
}

// phone returns a copy of a registration of the user's phone of that instance whose
// flow lives.
func (t *bindings) phone(user core.UserID, instance string) (binding, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range t.byUser[user] {
		if instance != "" && b.instance == instance && b.flow.Alive() {
			return *b, true
		}
	}
	return binding{}, false
}

// removeLocked reports whether b was the last registration of its contact.
func (t *bindings) removeLocked(b *binding) (last bool) {
	drop(t.byUser, b.user, b)
	drop(t.byID, b.id, b)
	return len(t.byID[b.id]) == 0
}

// drop removes b from a list of m, and the list if that was all.
func drop[K comparable](m map[K][]*binding, key K, b *binding) {
	rest := slices.DeleteFunc(m[key], func(o *binding) bool { return o == b })
	if len(rest) == 0 {
		delete(m, key)
		return
	}
	m[key] = rest
}

// removeIf removes every registration that gone is true for and returns the IDs of
// the contacts that have none left.
func (t *bindings) removeIf(gone func(*binding) bool) []core.ContactID {
	t.mu.Lock()
	defer t.mu.Unlock()
	var ids []core.ContactID
	for id, flows := range t.byID {
		for _, b := range slices.Clone(flows) {
			if gone(b) && t.removeLocked(b) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// count returns how many contacts live.
func (t *bindings) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byID)
}
