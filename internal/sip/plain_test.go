package sip

import (
	"strings"
	"testing"
)

// TestPlain: every form of Via and Contact that the grammar allows is understood (RFC 3261
// sections 7.3.1 and 25.1), and other headers stay as they are.
func TestPlain(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "Via: SIP/2.0/UDP h:5060;branch=b\r\n", "Via: SIP/2.0/UDP h:5060;branch=b\r\n"},
		{"blank behind the port", "Via: SIP/2.0/UDP h:5060 ;branch=b ; rport\r\n", "Via: SIP/2.0/UDP h:5060;branch=b;rport\r\n"},
		{"blanks in the protocol", "v:SIP / 2.0\t/ UDP h : 5060;branch = b\r\n", "Via: SIP/2.0/UDP h:5060;branch=b\r\n"},
		{"folded", "VIA:\r\n SIP/2.0/UDP\r\n\th\r\n ;branch=b\r\n", "Via: SIP/2.0/UDP h;branch=b\r\n"},
		{"a list", "Via: SIP/2.0/UDP a, SIP/2.0/TCP [2001:db8::1]:5070 ;x,SIP/2.0/UDP c\r\n", "Via: SIP/2.0/UDP a\r\nVia: SIP/2.0/TCP [2001:db8::1]:5070;x\r\nVia: SIP/2.0/UDP c\r\n"},
		{"quoted", "Via: SIP/2.0/UDP h;x=\"a, \\\" ; b\" ;branch=b\r\n", "Via: SIP/2.0/UDP h;x=\"a, \\\" ; b\";branch=b\r\n"},
		{"others", "Vi: a , b\r\nX: v: a , b\r\nSubject: a\r\n v: x , y\r\n", "Vi: a , b\r\nX: v: a , b\r\nSubject: a\r\n v: x , y\r\n"},
		{"escaped quotes of a contact", "m: \"A \\\"B, C\\\\\" <sip:a@b>;q=1 ,\r\n <sip:c@d>\r\n", "Contact: \"A 'B, C\" <sip:a@b>;q=1\r\nContact: <sip:c@d>\r\n"},
		{"other contacts", "Contact: \"A, B\" <sip:a@b> , <sip:c@d>\r\nContent-Type: a/b;c=\"\\\"\"\r\n", "Contact: \"A, B\" <sip:a@b> , <sip:c@d>\r\nContent-Type: a/b;c=\"\\\"\"\r\n"},
		{"empty", "Via:\r\nVia: ,\r\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const before, after = "OPTIONS sip:h SIP/2.0\r\nTo: <sip:a@b>\r\n", "CSeq: 1 OPTIONS\r\n\r\nVia: a , b\r\n"
			if got := string(plain([]byte(before + tt.in + after))); got != before+tt.want+after {
				t.Errorf("%q", got)
			}
		})
	}
}

// TestBlanksInVia: such a request is served and its Vias come back.
func TestBlanksInVia(t *testing.T) {
	inBubble(t, func(s *scripted) {
		req := s.peer.request("OPTIONS", "o1", "", 1, "")
		via := field(req, "Via")
		at, params, _ := strings.Cut(via, ";")
		s.peer.send(strings.Replace(req, "Via: "+via, "Via: "+at+" ; "+params+" , SIP / 2.0 / UDP proxy.example.com:5060 ,SIP/2.0/UDP last.example.com", 1))
		ok := s.peer.expect("SIP/2.0 ")
		if want := "Via: SIP/2.0/UDP proxy.example.com:5060\r\nVia: SIP/2.0/UDP last.example.com\r\n"; !strings.Contains(ok, want) {
			s.t.Errorf("answer %q", ok)
		}
	})
}

func BenchmarkPlain(b *testing.B) {
	data := []byte("INVITE sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h:5060;branch=b\r\n" + strings.Repeat("Header: of usual length, more or less\r\n", 12) + "\r\n")
	b.ReportAllocs()
	for b.Loop() {
		plain(data)
	}
}
