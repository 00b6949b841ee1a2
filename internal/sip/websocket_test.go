package sip

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// serveWS puts a stack behind an HTTP server and returns its ws URL.
func serveWS(t *testing.T, s *Stack) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"sip"}})
		if err != nil {
			return
		}
		s.ServeWebSocket(conn, netip.MustParseAddrPort(r.RemoteAddr), false)
	}))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return "ws" + strings.TrimPrefix(srv.URL, "http")
}

func dialWS(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	c, res, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Subprotocols: []string{"sip"}})
	if err != nil {
		t.Fatal(err)
	}
	if res.Header.Get("Sec-WebSocket-Protocol") != "sip" {
		t.Error("sub-protocol not echoed")
	}
	t.Cleanup(func() { c.CloseNow() })
	return c
}

func wsOptions(branch string) string {
	return "OPTIONS sip:x@example.com SIP/2.0\r\nVia: SIP/2.0/WS a1b2.invalid;branch=z9hG4bK" + branch +
		"\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@b>\r\nCall-ID: " + branch + "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
}

func readWS(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	kind, msg, err := c.Read(ctx)
	if err != nil || kind != websocket.MessageText {
		t.Fatalf("read %v %q: %v", kind, msg, err)
	}
	return string(msg)
}

// TestWebSocketPingAndFragments is the regression test for servers that drop
// binary and fragmented messages or trip over pings.
func TestWebSocketPingAndFragments(t *testing.T) {
	n := newNode(t, Config{Handler: okHandler})
	url := serveWS(t, n.Stack)
	dialWS(t, url) // silent
	c := dialWS(t, url)
	write := func(kind websocket.MessageType, parts ...string) {
		t.Helper()
		w, err := c.Writer(t.Context(), kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			if _, err := w.Write([]byte(p)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write(websocket.MessageText, wsOptions("1"))
	answer := readWS(t, c)
	if !strings.HasPrefix(answer, "SIP/2.0 200") || field(answer, "Via") != "SIP/2.0/WS a1b2.invalid;branch=z9hG4bK1" {
		t.Errorf("answer %q", answer)
	}
	write(websocket.MessageBinary, wsOptions("2"))
	if a := readWS(t, c); field(a, "Call-ID") != "2" {
		t.Errorf("binary answered %q", a)
	}
	write(websocket.MessageText, wsOptions("3")[:20], wsOptions("3")[20:])
	if a := readWS(t, c); field(a, "Call-ID") != "3" {
		t.Errorf("fragments answered %q", a)
	}
	write(websocket.MessageText, "\r\n\r\n")
	if a := readWS(t, c); a != "\r\n" {
		t.Errorf("keep-alive answered %q", a)
	}
	pong := make(chan error, 1)
	go func() { pong <- c.Ping(t.Context()) }()
	write(websocket.MessageText, wsOptions("4"))
	if a := readWS(t, c); field(a, "Call-ID") != "4" { // Read also takes the pong
		t.Errorf("after a ping %q", a)
	}
	write(websocket.MessageText, wsOptions("5"))
	readWS(t, c)
	if err := wait(t, pong, "pong"); err != nil {
		t.Error(err)
	}
	write(websocket.MessageText, "not SIP at all")
	write(websocket.MessageText, wsOptions("6"))
	if a := readWS(t, c); field(a, "Call-ID") != "6" { // a frame cannot lose step
		t.Errorf("after noise %q", a)
	}
	write(websocket.MessageText, strings.Repeat("x", maxMessage+1))
	if _, _, err := c.Read(t.Context()); err == nil {
		t.Error("a message above the limit is accepted")
	}
}

func TestServerPingsWebSocket(t *testing.T) {
	n := newNode(t, Config{PingInterval: time.Second}) // who answers within two is alive, also on a busy machine
	url := serveWS(t, n.Stack)
	alive := dialWS(t, url)
	dead := dialWS(t, url)
	go func() { _, _, _ = alive.Read(context.Background()) }() // answers pings
	linked := func(want int) func() bool {
		return func() bool {
			n.mu.Lock()
			defer n.mu.Unlock()
			return len(n.links) == want
		}
	}
	eventually(t, "both are there", linked(2))
	eventually(t, "the deaf one is closed", linked(1))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := alive.Ping(ctx); err != nil {
		t.Errorf("the one that answers is closed too: %v", err)
	}
	_ = dead
}

// TestCallDownTheWebSocket rings a browser at its .invalid Contact.
func TestCallDownTheWebSocket(t *testing.T) {
	c := newCall()
	flows := make(chan Flow, 1)
	n := newNode(t, Config{Handler: HandlerFunc(func(tx *ServerTx, _ *Request) {
		flows <- tx.Flow()
		tx.Reply(200, "")
	})})
	ws := dialWS(t, serveWS(t, n.Stack))
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(wsOptions("r"))); err != nil {
		t.Fatal(err)
	}
	readWS(t, ws)
	r := invite(t, "a1b2.invalid;transport=ws")
	r.Flow = wait(t, flows, "flow")
	n.Invite(r, c.events())
	inv := readWS(t, ws)
	if via := field(inv, "Via"); !strings.HasPrefix(via, "SIP/2.0/WS ") || strings.Contains(via, "rport") ||
		!strings.HasPrefix(field(inv, "Contact"), "<sip:leg@") || !strings.HasSuffix(field(inv, "Contact"), ";transport=ws>") {
		t.Errorf("INVITE %q", inv)
	}
	send := func(msg string) {
		t.Helper()
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(msg)); err != nil {
			t.Fatal(err)
		}
	}
	send(reply(inv, "180 Ringing", "b1", "Contact: <sip:bob@a1b2.invalid;transport=ws>\r\n"))
	wait(t, c.rang, "180")
	send(reply(inv, "200 OK", "b1", "Contact: <sip:bob@a1b2.invalid;transport=ws>\r\n"))
	if ack := readWS(t, ws); !strings.HasPrefix(ack, "ACK sip:bob@a1b2.invalid;transport=ws ") {
		t.Errorf("ACK %q", ack)
	}
	d := wait(t, c.answered, "200")
	d.Bye()
	if bye := readWS(t, ws); !strings.HasPrefix(bye, "BYE ") {
		t.Errorf("BYE %q", bye)
	}
}
