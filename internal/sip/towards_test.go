package sip

import (
	"net/netip"
	"strconv"
	"testing"
)

// Where a peer on UDP wants to be called: where its Contact says, unless it sits
// behind a NAT as far as its Via tells.
func TestTowards(t *testing.T) {
	for _, c := range []struct{ name, from, via, contact, want string }{
		{"as it came", "192.0.2.7:5060", "192.0.2.7:5060", "sip:a@192.0.2.7", "192.0.2.7:5060"},
		{"another port", "192.0.2.7:5062", "192.0.2.7:5062", "sip:a@192.0.2.7:5070", "192.0.2.7:5070"},
		{"another host", "192.0.2.7:5060", "192.0.2.7", "sip:a@192.0.2.8", "192.0.2.8:5060"},
		{"another host of one private network", "10.0.0.7:5060", "10.0.0.7", "sip:a@10.0.0.8:5071;transport=udp", "10.0.0.8:5071"},
		{"IPv6", "[2001:db8::7]:5060", "[2001:db8::7]", "sip:a@[2001:db8::8]:5061", "[2001:db8::8]:5061"},
		{"NAT", "203.0.113.1:40000", "192.168.1.5:5060", "sip:a@192.168.1.5", "203.0.113.1:40000"},
		{"NAT and a Contact learnt by STUN", "203.0.113.1:40000", "203.0.113.1:5060", "sip:a@203.0.113.1:5060", "203.0.113.1:40000"},
		{"an ALG that knows Via alone", "203.0.113.1:40000", "203.0.113.1:40000", "sip:a@192.168.1.5", "203.0.113.1:40000"},
		{"names", "192.0.2.7:5060", "192.0.2.7", "sip:a@desk.example.com", "192.0.2.7:5060"},
		{"Via is a name", "192.0.2.7:5060", "desk.example.com", "sip:a@192.0.2.8", "192.0.2.7:5060"},
		{"another transport", "192.0.2.7:5060", "192.0.2.7", "sip:a@192.0.2.8;transport=tcp", "192.0.2.7:5060"},
		{"another family", "192.0.2.7:5060", "192.0.2.7", "sip:a@[2001:db8::8]", "192.0.2.7:5060"},
		{"everybody", "192.0.2.7:5060", "192.0.2.7", "sip:a@224.0.1.75", "192.0.2.7:5060"},
		{"a port that is none", "192.0.2.7:5060", "192.0.2.7", "sip:a@192.0.2.8:70596", "192.0.2.7:5060"},
		{"a telephone", "192.0.2.7:5060", "192.0.2.7", "tel:+123", "192.0.2.7:5060"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Flow{link: &udpSocket{}, remote: netip.MustParseAddrPort(c.from)}
			via := &ViaHeader{ProtocolName: "SIP", Transport: UDP}
			at, err := parseHostPort(c.via)
			if err != nil {
				t.Fatal(err)
			}
			via.Host, via.Port = at.host, at.port
			contact, err := ParseURI(c.contact)
			if err != nil {
				t.Fatal(err)
			}
			req := NewRequest(INVITE, Uri{})
			req.AppendHeader(via)
			if got := f.Towards(req, contact).Remote(); got != netip.MustParseAddrPort(c.want) {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// A phone whose NAT gives it another address in the call is followed by the next
// request that comes from there; one without NAT when it says where it is now (RFC
// 3261 section 12.2.2). What we send next goes there.
func TestMovedPeerIsFollowed(t *testing.T) {
	const elsewhere, inside = "192.0.2.77:6000", "10.0.0.5:5060"
	for _, c := range []struct{ name, first, then, method, want string }{
		{"NAT, INFO", inside, inside, "INFO", elsewhere},
		{"NAT, re-INVITE that is refused", inside, inside, "INVITE", elsewhere},
		{"no NAT, another Contact in UPDATE", peerAddr, elsewhere, "UPDATE", elsewhere},
		{"no NAT, INFO is no target refresh", peerAddr, elsewhere, "INFO", peerAddr},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(s *scripted) {
				t := s.t
				send := func(from *wire, method, as, toTag string, seq int) string {
					req := request(method, "sip:bob@"+stackAddr, as, method+strconv.Itoa(seq), "a1", toTag, seq, "")
					from.send(req)
					return req
				}
				inv := send(s.peer, "INVITE", c.first, "", 1)
				in := wait(t, s.in, "INVITE")
				in.Answer([]byte("v=0\r\n"))
				ok := s.peer.expect("SIP/2.0 200")
				s.peer.send(ackOf(inv, ok))
				wait(t, s.acked, "ACK")

				moved := s.net.wire(t, elsewhere, stackAddr)
				send(moved, c.method, c.then, ";tag="+tagOf(field(ok, "To")), 2)
				moved.expect("SIP/2.0 ")
				in.Dialog().Request(INFO, "", nil, nil)
				map[string]*wire{elsewhere: moved, peerAddr: s.peer}[c.want].expect("INFO ")
			})
		})
	}
}
