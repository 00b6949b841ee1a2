package sipedge

import (
	"strings"
	"sync"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// client is where a user's phone is in a call. It may come back on another connection,
// or from another address: a browser can be reached on its own WebSocket only (RFC
// 7118), a phone behind a NAT the way it registered.
type client struct {
	user     core.UserID
	contact  string // user and host of its Contact; parameters vary from request to request
	instance string // +sip.instance of its registration, "" if none (RFC 5626)
	flow     sip.Flow
}

func contactOf(uri sip.Uri) string { return uri.User + "@" + strings.ToLower(uri.Host) }

// clientAt is the client of a registration.
func clientAt(b *binding) client {
	return client{user: b.user, contact: contactOf(b.uri), instance: b.instance, flow: b.flow}
}

// clients is the table of all legs with such clients, by user. It is a leaf: no
// callback runs under its lock.
type clients struct {
	mu     sync.Mutex // guards byUser
	byUser map[core.UserID]map[*leg]client
}

func (t *clients) put(l *leg, c client) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byUser[c.user] == nil {
		t.byUser[c.user] = make(map[*leg]client)
	}
	t.byUser[c.user][l] = c
}

func (t *clients) remove(l *leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byUser[l.user], l)
	if len(t.byUser[l.user]) == 0 {
		delete(t.byUser, l.user)
	}
}

// of returns the legs of a user whose client is wanted.
func (t *clients) of(user core.UserID, want func(client) bool) []*leg {
	t.mu.Lock()
	defer t.mu.Unlock()
	return pick(nil, t.byUser[user], want)
}

// on returns the legs whose client is on f.
func (t *clients) on(f sip.Flow) (list []*leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, legs := range t.byUser {
		list = pick(list, legs, func(c client) bool { return c.flow == f })
	}
	return list
}

func pick(list []*leg, legs map[*leg]client, want func(client) bool) []*leg {
	for l, c := range legs {
		if want(c) {
			list = append(list, l)
		}
	}
	return list
}

// met notes which client the leg is with, if it is a user's.
func (l *leg) met(c client) {
	l.flow, l.instance, l.cut = c.flow, c.instance, false
	if !l.user.IsZero() {
		l.edge.clients.put(l, c)
	}
}

// arrival is a registration that is new, or came on another flow than before.
type arrival struct {
	client
	left sip.Flow // the one before, zero if there was none
}

// moves reports whether c is the client that arrived: nobody can say that of another
// user's. A phone on UDP is followed from where it was registered, one on a
// connection when that is gone. A browser's Contact is its own, and a WebSocket may
// look alive long after its browser left it.
func (a arrival) moves(c client) bool {
	switch {
	case c.user != a.user || c.flow == a.flow:
		return false
	case overWebSocket(a.flow):
		return c.contact == a.contact
	case !c.flow.Reliable():
		return c.flow == a.left
	case c.flow.Alive():
		return false
	case c.instance != "" || a.instance != "":
		return c.instance == a.instance
	}
	return c.contact == a.contact
}

// returned moves the calls of a client that registered on another flow to it.
func (e *Edge) returned(a arrival) {
	for _, l := range e.clients.of(a.user, a.moves) {
		l.strand.post(func() { l.move(a.client) })
	}
}

func (l *leg) move(c client) {
	if l.stage != stageAnswered {
		return
	}
	l.log.Info("client is back", "flow", c.flow.String())
	l.met(c)
	l.look()
	l.follow(c.flow)
	l.dialog.SetFlow(c.flow)
}

// follow takes media from where the far end signals now.
func (l *leg) follow(f sip.Flow) {
	if s, ok := l.stream.(*rtpStream); ok {
		s.path.Follow(f.Remote().Addr())
	}
}

// socketClosed ends a caller whom no answer can reach any more. A call goes on as
// long as its media: the client may come back, or have another flow already.
func (l *leg) socketClosed() {
	if b, ok := l.edge.bindings.phone(l.user, l.instance); ok && l.stage == stageAnswered {
		l.move(clientAt(&b))
		return
	}
	if !overWebSocket(l.flow) {
		return // it can connect again, and its media tells nothing
	}
	if l.stage == stageSetup && l.in != nil {
		l.in.Reject(408, "")
		l.gone(core.CauseRecoveryOnTimer, 0)
		return
	}
	l.cut = true
	l.connected()
}
