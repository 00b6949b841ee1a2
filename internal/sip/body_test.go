package sip

import (
	"fmt"
	"strings"
	"testing"
)

// What requests with bodies of every kind run into, and what their handler sees.
func TestSessionDescriptionAmongOthers(t *testing.T) {
	const session = "v=0\r\ns=-\r\n"
	parts := func(kind string, parts ...string) (string, string) {
		return kind + `;boundary="a b"`, "--a b\r\n" + strings.Join(parts, "\r\n--a b\r\n") + "\r\n--a b--\r\n"
	}
	mixed, both := parts("multipart/mixed", "Content-Type: application/isup;version=x\r\nContent-Disposition: signal;handling=optional\r\n\r\n\x00\x01", "Content-Type: application/sdp\r\n\r\n"+session)
	_, inner := parts("multipart/alternative", "Content-Type: text/plain\r\n\r\nhi")
	nested := "multipart/mixed; boundary=outer"
	nest := "--outer\r\nContent-Type: multipart/alternative; boundary=\"a b\"\r\n\r\n" + inner + "\r\n--outer\r\ncontent-type: Application/SDP\r\n\r\n" + session + "\r\n--outer--\r\n"
	_, foreign := parts("multipart/mixed", "Content-Type: application/isup\r\n\r\nx")
	for _, c := range []struct{ name, kind, more, body, want string }{
		{"alone", "application/sdp", "", session, session},
		{"beside ISUP", mixed, "", both, session},
		{"behind parts in parts", nested, "", nest, session},
		{"parts without one", mixed, "", foreign, "415 multipart/mixed"},
		{"parts that end early", mixed, "", both[:20], "415 application/sdp"},
		{"text", "text/plain", "", "hello", "415 application/sdp"},
		{"text that may be left unread", "text/plain", "Content-Disposition: render;handling=optional\r\n", "hello", ""},
		{"compressed", "application/sdp", "Content-Encoding: gzip\r\n", session, "415 identity"},
		{"said to be as it is", "application/sdp", "e: identity\r\n", session, session},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(s *scripted) {
				head, _, _ := strings.Cut(s.peer.request("INVITE", "i1", "", 1, c.more+"Content-Type: "+c.kind+"\r\n"), "Content-Length")
				s.peer.send(fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(c.body), c.body))
				if code, header, refused := strings.Cut(c.want, " "); refused {
					res := s.peer.expect("SIP/2.0 " + code)
					if got := field(res, "Accept") + field(res, "Accept-Encoding"); !strings.Contains(got, header) {
						s.t.Errorf("accepts %q, want %q in it", got, header)
					}
					return
				}
				if got := string(wait(s.t, s.in, "INVITE").Request().Body()); got != c.want {
					s.t.Errorf("body %q, want %q", got, c.want)
				}
			})
		})
	}
}
