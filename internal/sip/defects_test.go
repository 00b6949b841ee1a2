package sip

import (
	"bytes"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The tests here, with TestSilentTCPBlocksNobody, TestWebSocketPingAndFragments,
// TestInOrderPerConnection, TestOneToTagPerDialog, TestAckLostRetransmits200 and
// TestSecond2xxIsAckedAndByed, keep away the defects found in SIP libraries.

// An answer above 1300 bytes must go out over UDP: a WebRTC SDP is longer.
func TestLargeAnswerGoesOutOverUDP(t *testing.T) {
	body := bytes.Repeat([]byte("a=candidate:1\r\n"), 700)
	n := newNode(t, Config{Handler: HandlerFunc(func(tx *ServerTx, _ *Request) {
		res := tx.NewResponse(200, "")
		res.SetBody(body)
		tx.Respond(res)
	})})
	w := newWire(t, n.addr)
	w.send(w.request("OPTIONS", "1", "", 1, ""))
	if answer := w.expect("SIP/2.0 200"); len(answer) < len(body) {
		t.Errorf("%d bytes", len(answer))
	}
}

// Noise from forged sources must not be remembered, nor reach the parser.
func TestNoiseFromManySourcesIsForgotten(t *testing.T) {
	s := NewStack(Config{Handler: okHandler})
	defer s.Close()
	l := &captureLink{proto: UDP, got: func([]byte) { t.Error("noise is answered") }}
	if plausible([]byte("\x00\x01\x02\x03 stun or rtp ..............")) || plausible([]byte("\r\n\r\n")) {
		t.Error("noise is plausible")
	}
	before := heap()
	for i := range 40_000 {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 5060)
		if err := s.receive([]byte("garbage garbage garbage garbage\r\n\r\n"), Flow{link: l, remote: from}); err != nil {
			continue
		}
	}
	if grown := heap() - before; grown > 500_000 {
		t.Errorf("%d bytes kept", grown)
	}
}

// A storm of REGISTER must cost bounded memory: 100,000 transactions at 5 KB each
// would be half a gigabyte.
func TestRegisterStormIsBounded(t *testing.T) {
	s := NewStack(Config{Handler: okHandler, AnswerBytes: 4 << 20})
	defer s.Close()
	l := &captureLink{proto: UDP, got: func([]byte) {}}
	before := heap()
	for i := range 100_000 {
		if err := s.receive(registerBytes(i), Flow{link: l, remote: l.peer()}); err != nil {
			t.Fatal(err)
		}
	}
	if grown := heap() - before; grown > 8<<20 {
		t.Errorf("%d bytes kept", grown)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) // far below the limit
}

// Handlers are there before the first listener, and a panic in one stays there.
func TestPanicInHandlerIs500(t *testing.T) {
	n := newNode(t, Config{Handler: HandlerFunc(func(tx *ServerTx, req *Request) {
		if req.CallID().Value() == "call1" {
			panic("bug")
		}
		tx.Reply(200, "")
	})})
	w := newWire(t, n.addr)
	w.send(w.request("OPTIONS", "1", "", 1, ""))
	w.expect("SIP/2.0 500")
	w.send(strings.Replace(w.request("OPTIONS", "2", "", 1, ""), "call1", "call2", 1))
	w.expect("SIP/2.0 200")
}

func TestHeaderInjectionIsRefused(t *testing.T) {
	n := newNode(t, Config{Handler: HandlerFunc(func(tx *ServerTx, _ *Request) {
		tx.Reply(200, "", NewHeader("X-Evil", "a\r\nContact: <sip:evil@example.com>"))
	})})
	w := newWire(t, n.addr)
	w.send(w.request("OPTIONS", "1", "", 1, ""))
	w.expect("SIP/2.0 500")

	done := make(chan error, 1)
	req := optionsTo(t, "sip:bob@"+w.addr())
	req.AppendHeader(NewHeader("X-Evil", "a\nb: c"))
	n.Send(Outbound{Request: req}, func(_ *Response, err error) { done <- err })
	if err := wait(t, done, "error"); err == nil {
		t.Error("injected header was sent")
	}
}

func TestViaReceivedAndRport(t *testing.T) {
	n := newNode(t, Config{Handler: okHandler})
	w := newWire(t, n.addr)
	w.send(strings.Replace(w.request("OPTIONS", "1", "", 1, ""), "Via: SIP/2.0/UDP "+w.addr(), "Via: SIP/2.0/UDP 10.1.2.3:7", 1))
	port := netip.MustParseAddrPort(w.addr()).Port()
	if via := field(w.expect("SIP/2.0 200"), "Via"); via != fmt.Sprintf("SIP/2.0/UDP 10.1.2.3:7;branch=z9hG4bK1;rport=%d;received=127.0.0.1", port) {
		t.Errorf("Via %q", via)
	}
}

func TestForwardedHeadersKeepTheirSpelling(t *testing.T) {
	c := newCall()
	bob := newNode(t, Config{Handler: c.handler()})
	w := newWire(t, bob.addr)
	alice := newNode(t, Config{Agent: "offhook"})
	r := invite(t, w.addr())
	r.Headers = []Header{NewHeader("X-eXotel-CallSid", "abc"), NewHeader("LegSid", "d")}
	r.From.Name = `Al "the" pal`
	o := alice.Invite(r, c.events())
	inv := w.expect("INVITE ")
	if field(inv, "X-eXotel-CallSid") != "abc" || field(inv, "LegSid") != "d" || field(inv, "User-Agent") != "offhook" ||
		!strings.HasPrefix(field(inv, "From"), `"Al \"the\" pal" <sip:alice@example.com>`) {
		t.Errorf("INVITE %q", inv)
	}
	o.Cancel()
	w.send(reply(inv, "180 Ringing", "b", ""))
	w.expect("CANCEL ")
	w.send(reply(inv, "487 Gone", "b", ""))
	wait(t, c.failed, "end")
}

func TestStackCloseLeavesNothing(t *testing.T) {
	c := newCall()
	bob := newNode(t, Config{Handler: c.handler()})
	alice := newNode(t, Config{})
	alice.Invite(invite(t, bob.addr), c.events())
	wait(t, c.in, "INVITE")
	start := time.Now()
	alice.Close()
	bob.Close()
	if time.Since(start) > 10*time.Second { // not until the transactions end, after 32 s
		t.Errorf("closing took %v", time.Since(start))
	}
	if code := wait(t, c.failed, "end"); code != 503 {
		t.Errorf("failed %d", code)
	}
}
