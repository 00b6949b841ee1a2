package sipedge

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// never fails the test if an event of type T came within a while.
func never[T core.Event](b *bench) {
	b.t.Helper()
	time.Sleep(100 * time.Millisecond)
	if n := count[T](b); n != 0 {
		var event T
		b.t.Errorf("%T came too early", event)
	}
}

func TestBrowserCalls(t *testing.T) {
	b := newWebBench(t)
	w := newBrowser(t, b)
	o, ref := w.invite("12995558888", []byte(w.offer()))
	b.do(core.Progress{LegRef: ref, Early: true})
	early := next(t, "183", o.provisional)
	for _, line := range []string{"a=ice-lite", "a=setup:passive", "a=end-of-candidates"} {
		if early.StatusCode != 183 || !containsLine(string(early.Body()), line) {
			t.Fatalf("progress is %d without %s:\n%s", early.StatusCode, line, early.Body())
		}
	}
	b.do(core.Answer{LegRef: ref})
	d := next(t, "200", o.answered)
	never[core.LegUp](b) // answered, but nobody could hear a word
	w.accept(early.Body())
	wait(b, anyOf[core.LegUp])
	if _, attached := b.path(ref.Leg); !attached {
		t.Error("the media server has no path of the leg")
	}

	for _, c := range []struct {
		line, want string
		held       bool
	}{{"a=sendonly", "a=recvonly", true}, {"a=sendrecv", "a=sendrecv", false}, {"a=inactive", "a=inactive", true}} {
		done := make(chan *sip.Response, 1)
		offer := strings.Replace(w.offer(), "a=sendrecv", c.line, 1)
		d.Reinvite([]byte(offer), func(res *sip.Response) { done <- res })
		res := next(t, "answer to re-INVITE", done)
		if res == nil || res.StatusCode != 200 || !containsLine(string(res.Body()), c.want) {
			t.Fatalf("%s answered by %v", c.line, res)
		}
		w.accept(res.Body())
		wait(b, func(e core.LegHeld) bool { return e.Held == c.held })
	}

	b.do(core.End{LegRef: ref, Cause: core.CauseNormal})
	next(t, "BYE", o.bye)
	wait(b, anyOf[core.LegGone])
	if n := count[core.LegUp](b); n != 1 {
		t.Errorf("%d LegUp: hold and resume are no news of the path", n)
	}
}

func TestBrowserIsCalled(t *testing.T) {
	for _, transport := range []string{sip.WS, sip.WSS} {
		t.Run(transport, func(t *testing.T) { browserIsCalled(t, transport) })
	}
}

func browserIsCalled(t *testing.T, transport string) {
	b := newWebBench(t)
	w := newBrowserOver(t, b, transport)
	ref, c := w.ring("l1")
	req := c.in.Request()
	if req.Recipient.User != "alice" || !strings.HasSuffix(req.Recipient.Host, ".invalid") {
		t.Errorf("Request-URI is %s, not the registered contact", req.Recipient.String())
	}
	if via := req.Via(); via.Transport != transport {
		t.Errorf("Via says %s", via.Transport)
	}
	if from := req.From(); from.DisplayName != "12995550100" {
		t.Errorf("no caller for the page to show: %s", from.Value())
	}
	if !containsLine(string(req.Body()), "a=setup:actpass") || !bytes.Contains(req.Body(), []byte("UDP/TLS/RTP/SAVPF")) {
		t.Fatalf("no offer for a browser:\n%s", req.Body())
	}
	c.in.Ring(180, nil)
	wait(b, anyOf[core.LegRinging])
	answer, connect := w.answer(req.Body())
	c.in.Answer([]byte(answer))
	wait(b, anyOf[core.LegAccepted])
	never[core.LegUp](b)
	connect()
	wait(b, anyOf[core.LegUp])
	b.do(core.End{LegRef: ref, Cause: core.CauseNormal})
	next(t, "BYE", c.bye)
	wait(b, anyOf[core.LegGone])
}

// TestBrowserOffersLate is an INVITE without offer over a WebSocket: ours must be
// one that a browser can answer.
func TestBrowserOffersLate(t *testing.T) {
	b := newWebBench(t)
	w := newBrowser(t, b)
	o, ev := newOutcome()
	answered := make(chan *sip.Response, 1)
	ev.Answered = func(d *sip.Dialog, res *sip.Response) { o.answered <- d; answered <- res }
	w.stack.Invite(sip.InviteRequest{
		RequestURI: uri("12995558888", b.at), Flow: w.flow, ContactUser: "alice",
		From:        sip.Address{URI: sip.Uri{Scheme: "sip", User: "alice", Host: realm}},
		To:          sip.Address{URI: uri("12995558888", b.at)},
		Credentials: &sip.Credentials{Username: "alice", Password: "secret"},
	}, ev)
	ref := core.LegRef{Leg: wait(b, anyOf[core.Offered]).Leg, Edge: core.EdgeSIP}
	b.do(core.Answer{LegRef: ref})
	res := next(t, "200", answered)
	answer, connect := w.answer(res.Body())
	next(t, "dialog", o.answered).Ack([]byte(answer))
	connect()
	wait(b, anyOf[core.LegUp])
}

// TestPhoneOverWebSocket is a client whose offer is plain RTP: the offer counts,
// not the transport.
func TestPhoneOverWebSocket(t *testing.T) {
	b := newWebBench(t)
	w := newBrowser(t, b)
	o, ref := w.invite("12995558888", []byte(offerSDP))
	b.do(core.Progress{LegRef: ref, Early: true})
	if res := next(t, "183", o.provisional); !bytes.Contains(res.Body(), []byte(" RTP/AVP 0 ")) {
		t.Errorf("answered by\n%s", res.Body())
	}
	b.do(core.Answer{LegRef: ref})
	next(t, "200", o.answered)
	wait(b, anyOf[core.LegUp])
}

func TestBrowserThatStaysAwayIsLost(t *testing.T) {
	const short, long = 10 * time.Millisecond, time.Hour
	hangUp := func(w *browser) { must(w.t, w.pc.GracefulClose()) }
	closeSocket := func(w *browser) { w.flow.Close() }
	for _, c := range []struct {
		what     string
		patience patience
		happens  []func(*browser)
	}{
		{"peer connection closed, WebSocket not", patience{away: 5 * short, gone: short}, []func(*browser){hangUp}},
		{"both closed", patience{away: long, gone: short}, []func(*browser){hangUp, closeSocket}},
		{"tab closed: media stops without a word", patience{away: long, gone: short}, []func(*browser){closeSocket}},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := newWebBench(t)
			b.edge.patience = c.patience
			w := newBrowser(t, b)
			o, _, _ := w.talks()
			never[core.LegGone](b)
			for _, f := range c.happens {
				f(w)
			}
			if gone := wait(b, anyOf[core.LegGone]); gone.Cause != core.CauseRecoveryOnTimer {
				t.Errorf("gone with %+v", gone)
			}
			if !w.flow.Alive() {
				return
			}
			if reasons := next(t, "BYE", o.bye); len(reasons) != 1 || reasons[0].Protocol != "Q.850" || reasons[0].Cause != 102 {
				t.Errorf("BYE with reasons %v", reasons)
			}
		})
	}
}

// TestBrowserIsHeardWithoutItsWebSocket is a proxy that was restarted: the call
// goes on as long as media does.
func TestBrowserIsHeardWithoutItsWebSocket(t *testing.T) {
	b := newWebBench(t)
	b.edge.patience = patience{away: time.Hour, gone: 50 * time.Millisecond}
	w := newBrowser(t, b)
	w.talks()
	w.speak()
	w.flow.Close()
	for range 4 {
		never[core.LegGone](b)
	}
}

// TestCalledBrowserWithBadAnswer is a 200 whose media can never come up.
func TestCalledBrowserWithBadAnswer(t *testing.T) {
	b := newWebBench(t)
	w := newBrowser(t, b)
	_, c := w.ring("l1")
	answer, _ := w.answer(c.in.Request().Body())
	c.in.Answer([]byte(strings.Replace(answer, "a=setup:active", "a=setup:passive", 1)))
	next(t, "BYE", c.bye)
	if gone := wait(b, anyOf[core.LegGone]); gone.Cause != core.CauseIncompatible {
		t.Errorf("gone with %+v", gone)
	}
	if n := count[core.LegUp](b); n != 0 {
		t.Error("up without media")
	}
}

// TestBusyBrowserThatSays480 is a client library that says "4001" for busy.
func TestBusyBrowserThatSays480(t *testing.T) {
	for _, c := range []struct {
		phrase string
		code   int
		cause  core.Cause
	}{{"4001", 486, core.CauseBusy}, {"", 480, core.CauseNoAnswer}} {
		b := newWebBench(t)
		_, invite := newBrowser(t, b).ring("l1")
		invite.in.Reject(480, c.phrase)
		if gone := wait(b, anyOf[core.LegGone]); gone.Code != c.code || gone.Cause != c.cause {
			t.Errorf("480 %s: gone with %+v", c.phrase, gone)
		}
	}
}
