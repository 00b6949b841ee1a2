package sip

import (
	"slices"
	"sync"
)

// session is everything of one INVITE of ours or of a peer: its strand and its
// dialogs, which are several if a proxy forked our INVITE. Its fields but the
// first ones, which never change, belong to the strand.
type session struct {
	strand
	stack    *Stack
	callID   string
	localTag string
	// late takes a 2xx to our INVITE whose transaction is over; nil for incoming.
	late func(*Response)

	dialogs  []*Dialog
	inviting bool // the INVITE has no final response yet
	lingers  bool // something may still come when all is over
	retired  bool
}

func (s *Stack) newSession(callID, localTag string) *session {
	return &session{strand: strand{log: s.log}, stack: s, callID: callID, localTag: localTag, inviting: true}
}

// leave runs a farewell on the strand. Settle waits for it, also while it waits
// for its turn.
func (ses *session) leave(fn func()) {
	ses.stack.leaving.Add(1)
	ses.do(func() {
		defer ses.stack.leaving.Add(-1)
		fn()
	})
}

func (ses *session) dialog(remoteTag string) *Dialog {
	for _, d := range ses.dialogs {
		if d.remoteTag == remoteTag {
			return d
		}
	}
	return nil
}

// request serves a request with our tag.
func (ses *session) request(tx *ServerTx) {
	d := ses.dialog(Tag(tx.req.From().Params))
	if d == nil || tx.req.CallID().Value() != ses.callID {
		tx.Reply(481, "")
		return
	}
	d.request(tx)
}

func (ses *session) ack(req *Request) {
	if d := ses.dialog(Tag(req.From().Params)); d != nil && req.CallID().Value() == ses.callID {
		d.acked(req)
	}
}

// settle retires the session when nothing of it lives: at once after a refusal,
// or after 64*T1 if a dialog was there, so that late requests, which may be a BYE
// after the call is gone, get their answer.
func (ses *session) settle() {
	if ses.inviting || ses.retired {
		return
	}
	if slices.ContainsFunc(ses.dialogs, func(d *Dialog) bool { return d.state == dialogConfirmed }) {
		return
	}
	ses.retired = true
	if !ses.lingers {
		ses.stack.sessions.remove(ses)
		return
	}
	ses.stack.forget.later(func() { ses.stack.sessions.remove(ses) })
}

// sessionTable finds sessions by our tag, which is unguessable and unique.
type sessionTable struct {
	mu    sync.RWMutex // guards byTag
	byTag map[string]*session
}

func (t *sessionTable) add(ses *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byTag[ses.localTag] = ses
}

func (t *sessionTable) remove(ses *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byTag, ses.localTag)
}

func (t *sessionTable) find(tag string) *session {
	if tag == "" {
		return nil
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byTag[tag]
}

func (t *sessionTable) len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.byTag)
}
