package sip

import (
	"fmt"
	"strings"
	"testing"
)

func registerBytes(i int) []byte {
	return fmt.Appendf(nil, "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK%d;rport\r\n"+
		"Max-Forwards: 70\r\nFrom: <sip:bob@example.com>;tag=%d\r\nTo: <sip:bob@example.com>\r\nCall-ID: c%d\r\nCSeq: 1 REGISTER\r\n"+
		"Contact: <sip:bob@192.0.2.2:5060>;expires=300\r\nAuthorization: Digest username=\"bob\", realm=\"example.com\", nonce=\"0123456789abcdef\", "+
		"uri=\"sip:example.com\", response=\"0123456789abcdef0123456789abcdef\", algorithm=MD5, qop=auth, cnonce=\"xyz\", nc=00000001\r\n"+
		"User-Agent: bench\r\nContent-Length: 0\r\n\r\n", i, i, i)
}

// BenchmarkRegister is the server's cost of a REGISTER without sockets: parse,
// check, handler, answer, cache.
func BenchmarkRegister(b *testing.B) {
	s := NewStack(Config{Handler: HandlerFunc(func(tx *ServerTx, req *Request) {
		tx.Reply(200, "", NewHeader("Contact", req.Contact().Value()))
	})})
	defer s.Close()
	l := &captureLink{proto: UDP, got: func([]byte) {}}
	flow := Flow{link: l, remote: l.peer()}
	messages := make([][]byte, 4096)
	for i := range messages {
		messages[i] = registerBytes(i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(messages) == 0 { // new branches, or the cache answers
			s.answers.close()
			s.answers = newAnswerCache(16 << 20)
		}
		if err := s.receive(messages[i%len(messages)], flow); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDigestCheck is the cost of proving a REGISTER's user.
func BenchmarkDigestCheck(b *testing.B) {
	a := NewAuthenticator(AuthConfig{Realm: "example.com", Lookup: func(string) (HA1, bool) { return HashHA1("bob", "example.com", "x"), true }})
	l := &captureLink{proto: UDP, got: func([]byte) {}}
	msg, err := testParser.ParseSIP(registerBytes(1))
	if err != nil {
		b.Fatal(err)
	}
	req, ok := msg.(*Request)
	if !ok {
		b.Fatal("not a request")
	}
	tx := &ServerTx{req: req, flow: Flow{link: l, remote: l.peer()}}
	b.ReportAllocs()
	for b.Loop() {
		a.Check(tx)
	}
}

// BenchmarkIncomingCall is the server's cost of INVITE, 100, 180, 200, ACK, BYE,
// 200 without sockets.
func BenchmarkIncomingCall(b *testing.B) {
	sdp := []byte(strings.Repeat("a=rtpmap:0 PCMU/8000\r\n", 10))
	s := NewStack(Config{Handler: HandlerFunc(func(tx *ServerTx, _ *Request) {
		in := tx.stack.Incoming(tx, IncomingEvents{})
		in.Ring(180, nil)
		in.Answer(sdp)
	})})
	defer s.Close()
	var last string
	l := &captureLink{proto: UDP, got: func(m []byte) { last = string(m) }}
	flow := Flow{link: l, remote: l.peer()}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		tag := ""
		for seq, method := range []string{"INVITE", "ACK", "BYE"} {
			msg := request(method, "sip:bob@192.0.2.1", "192.0.2.2:5060", fmt.Sprint(i, method), "a1", tag, seq+1, "")
			msg = strings.Replace(msg, "call1", fmt.Sprint("c", i), 1)
			if method == "ACK" {
				msg = strings.Replace(msg, "CSeq: 2", "CSeq: 1", 1)
			}
			if err := s.receive([]byte(msg), flow); err != nil {
				b.Fatal(err)
			}
			tag = ";tag=" + tagOf(field(last, "To"))
		}
		if !strings.HasPrefix(last, "SIP/2.0 200") {
			b.Fatal(last)
		}
	}
}
