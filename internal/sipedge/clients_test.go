package sipedge

import (
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// TestClientComesBackInACall is a proxy that was restarted: the WebSocket is gone,
// media is not.
func TestClientComesBackInACall(t *testing.T) {
	b := newWebBench(t)
	w := newBrowser(t, b)
	o, d, ref := w.talks()
	done := make(chan struct{})
	d.Request(sip.OPTIONS, "", nil, func(*sip.Response, error) { close(done) })
	next(t, "answer in the dialog, so the ACK arrived", done)
	w.flow.Close()
	w.connect()
	w.register()
	b.do(core.End{LegRef: ref, Cause: core.CauseNormal})
	next(t, "BYE on the new WebSocket", o.bye)
	wait(b, anyOf[core.LegGone])
}

// TestOnlyItsOwnUserMovesACall is a user who registers with another's Contact.
func TestOnlyItsOwnUserMovesACall(t *testing.T) {
	e := newWebBench(t).edge
	bob := sip.Uri{Scheme: "sip", User: "x", Host: "a1b2.invalid"}
	l := e.newLeg("l1")
	l.user = core.UserID{Name: "bob"}
	l.met(client{user: l.user, contact: contactOf(bob)})
	w := newBrowser(t, newWebBench(t))
	for _, c := range []struct {
		user string
		want bool
	}{{"alice", false}, {"bob", true}} {
		b := &binding{user: core.UserID{Name: c.user}, uri: bob, flow: w.flow}
		moves := len(e.clients.of(b.user, arrival{client: clientAt(b)}.moves)) == 1
		if moves != c.want {
			t.Errorf("%s moves bob's call: %v", c.user, moves)
		}
	}
}

func TestCallerThatClosesItsSocketIsGone(t *testing.T) {
	b := newWebBench(t)
	w := newBrowser(t, b)
	o, ref := w.invite("12995558888", []byte(w.offer()))
	b.do(core.Progress{LegRef: ref, Early: true})
	next(t, "183", o.provisional)
	w.flow.Close()
	if gone := wait(b, anyOf[core.LegGone]); gone.Cause != core.CauseRecoveryOnTimer {
		t.Errorf("gone with %+v", gone)
	}
}

func TestRingingClientThatClosesItsSocketIsGone(t *testing.T) {
	b := newWebBench(t)
	w := newBrowser(t, b)
	_, c := w.ring("l1")
	c.in.Ring(180, nil)
	wait(b, anyOf[core.LegRinging])
	w.flow.Close()
	// At once, and not after 32 s.
	if gone := wait(b, anyOf[core.LegGone]); gone.Cause != core.CauseUnreachable || gone.Code != 480 {
		t.Errorf("gone with %+v", gone)
	}
	wait(b, anyOf[core.ContactGone])
}
