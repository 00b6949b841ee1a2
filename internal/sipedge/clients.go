package sipedge

import (
	"strings"
	"sync"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// client is where a browser's SIP client is: it can be reached on its own
// WebSocket only (RFC 7118), and comes back on another one.
type client struct {
	user    core.UserID
	contact string // user and host of its Contact; parameters vary from request to request
	flow    sip.Flow
}

func contactOf(uri sip.Uri) string { return uri.User + "@" + strings.ToLower(uri.Host) }

// clients is the table of all legs with such clients. It is a leaf: no callback
// runs under its lock.
type clients struct {
	mu   sync.Mutex // guards legs
	legs map[*leg]client
}

func (t *clients) put(l *leg, c client) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.legs[l] = c
}

func (t *clients) remove(l *leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.legs, l)
}

// find returns the legs whose client is wanted.
func (t *clients) find(want func(client) bool) []*leg {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []*leg
	for l, c := range t.legs {
		if want(c) {
			list = append(list, l)
		}
	}
	return list
}

// met notes which client the leg is with, if it has a WebSocket.
func (l *leg) met(c client) {
	l.flow, l.cut = c.flow, false
	if overWebSocket(c.flow) {
		l.edge.clients.put(l, c)
	}
}

// returns reports whether c has registered on another connection. Nobody can say
// that of another user's client.
func (c client) returns(b *binding) bool {
	return c.user == b.user && c.contact == contactOf(b.uri) && c.flow != b.flow
}

// returned moves the calls of a client that registered on another WebSocket to it.
func (e *Edge) returned(b *binding) {
	if !overWebSocket(b.flow) {
		return
	}
	at := client{user: b.user, contact: contactOf(b.uri), flow: b.flow}
	for _, l := range e.clients.find(func(c client) bool { return c.returns(b) }) {
		l.strand.post(func() { l.move(at) })
	}
}

func (l *leg) move(c client) {
	if l.stage != stageAnswered {
		return
	}
	l.log.Info("client is back", "flow", c.flow.String())
	l.met(c)
	l.look()
	l.dialog.SetFlow(c.flow)
}

// socketClosed ends a caller whom no answer can reach any more. A call goes on as
// long as its media: the client may come back.
func (l *leg) socketClosed() {
	if l.stage == stageSetup && l.in != nil {
		l.in.Reject(408, "")
		l.gone(core.CauseRecoveryOnTimer, 0)
		return
	}
	l.cut = true
	l.connected()
}
