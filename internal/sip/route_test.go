package sip

import (
	"slices"
	"strings"
	"testing"
)

func TestParseRoutes(t *testing.T) {
	tests := []struct {
		name  string
		lines []string
		want  []string // as they go back; a strict router has "!" before it
		bad   bool
	}{
		{"two lines", []string{"<sip:a;lr>", "<sip:b;lr>"}, []string{"<sip:a;lr>", "<sip:b;lr>"}, false},
		{"a list", []string{"<sip:a;lr>,<sip:b;lr> , <sip:c>"}, []string{"<sip:a;lr>", "<sip:b;lr>", "!<sip:c>"}, false},
		{"parameters of the header", []string{`<sip:a;lr>;ftag=x;did="1,2"`, "<sip:b;lr>;x"}, []string{`<sip:a;lr>;ftag=x;did="1,2"`, "<sip:b;lr>;x"}, false},
		{"lr behind the bracket", []string{"<sip:a:5070>;lr"}, []string{"<sip:a:5070>;lr"}, false},
		{"lr with a value, as of RFC 3261 section 19.1.1", []string{"<sip:a;lr=on>"}, []string{"<sip:a;lr=on>"}, false},
		{"display name with comma and escaped quote", []string{`"a \"b, c" <sip:a;lr>, <sip:b;lr>`}, []string{`"a \"b, c" <sip:a;lr>`, "<sip:b;lr>"}, false},
		{"commas and quotes in a user", []string{"<sip:a,b'c@d;lr>"}, []string{"<sip:a,b'c@d;lr>"}, false},
		{"no brackets", []string{"sip:a;lr"}, []string{"<sip:a;lr>"}, false},
		{"IPv6", []string{"<sip:[2001:db8::1]:5070;lr>"}, []string{"<sip:[2001:db8::1]:5070;lr>"}, false},
		{"empty members", []string{" , <sip:a;lr>,,"}, []string{"<sip:a;lr>"}, false},
		{"no URI", []string{"<sip:a;lr>, nonsense"}, nil, true},
		{"no host", []string{"<sip:>"}, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := NewRequest(INVITE, Uri{Scheme: "sip", Host: "h"})
			for _, line := range tt.lines {
				req.AppendHeader(NewHeader("record-route", line))
			}
			routes, err := ParseRoutes(req, recordRoute)
			var got []string
			for _, r := range routes {
				strict := ""
				if !r.loose {
					strict = "!"
				}
				got = append(got, strict+r.value)
			}
			if !slices.Equal(got, tt.want) || (err != nil) != tt.bad {
				t.Errorf("%q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// TestRouteParametersOfACallee: what stands behind the bracket comes back, and a strict
// router gets the Request-URI (RFC 3261 sections 12.1.2 and 12.2.1.1).
func TestRouteParametersOfACallee(t *testing.T) {
	for name, tt := range map[string]struct{ routes, ack, want string }{
		"loose": {
			`<sip:p2.example.com;lr>;ftag="a,b", <sip:192.0.2.2>;lr;did=7`, "ACK sip:bob@198.51.100.7:5070 ",
			"Route: <sip:192.0.2.2>;lr;did=7\r\nRoute: <sip:p2.example.com;lr>;ftag=\"a,b\"\r\n",
		},
		"strict": {
			`<sip:p2.example.com;lr>;x=1, <sip:192.0.2.2>;y`, "ACK sip:192.0.2.2 ",
			"Route: <sip:p2.example.com;lr>;x=1\r\nRoute: <sip:bob@198.51.100.7:5070>\r\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(s *scripted) {
				_, inv := s.ring(s.t)
				s.peer.send(reply(inv, "200 OK", "b1", "Record-Route: "+tt.routes+"\r\nContact: <sip:bob@198.51.100.7:5070>\r\n"))
				if ack := s.peer.expect(tt.ack); !strings.Contains(ack, tt.want) {
					s.t.Errorf("ACK %q", ack)
				}
			})
		})
	}
}

// TestRouteParametersOfACaller: our responses copy the route set word for word (RFC
// 3261 section 12.1.1), and our BYE takes it.
func TestRouteParametersOfACaller(t *testing.T) {
	inBubble(t, func(s *scripted) {
		const first, second = `<sip:192.0.2.2;lr>;ftag="1, 2";x`, "<sip:p2.example.com>;lr"
		inv := strings.Replace(s.peer.request("INVITE", "i1", "", 1, ""), "Max-Forwards",
			"Record-Route: "+first+",\r\n "+second+"\r\nMax-Forwards", 1)
		s.peer.send(inv)
		s.peer.expect("SIP/2.0 100")
		in := wait(s.t, s.in, "INVITE")
		in.Answer([]byte("v=0\r\n"))
		ok := s.peer.expect("SIP/2.0 200")
		if !strings.Contains(ok, "Record-Route: "+first+", "+second+"\r\n") {
			s.t.Errorf("200 %q", ok)
		}
		s.peer.send(ackOf(inv, ok))
		wait(s.t, s.acked, "ACK")
		in.Dialog().Bye()
		if bye := s.peer.expect("BYE "); !strings.Contains(bye, "Route: "+first+"\r\nRoute: "+second+"\r\n") {
			s.t.Errorf("BYE %q", bye)
		}
	})
}

func TestMalformedRecordRouteIsRefused(t *testing.T) {
	inBubble(t, func(s *scripted) {
		s.peer.send(strings.Replace(s.peer.request("INVITE", "i1", "", 1, ""), "Max-Forwards", "Record-Route: <sip:>\r\nMax-Forwards", 1))
		s.peer.expect("SIP/2.0 400 Malformed Record-Route")
		none(s.t, s.in, "call")
	})
}

func TestEscapeUser(t *testing.T) {
	for in, want := range map[string]string{
		"+12995550100": "+12995550100", "a@b": "a%40b", "a b<>\"#%:": "a%20b%3C%3E%22%23%25%3A", "*8;x=1/2?": "*8;x=1/2?", "jörg": "j%C3%B6rg",
	} {
		if got := EscapeUser(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
