package sip

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// zone is a Resolver in memory: SRV records by "_sip._udp.name", addresses by host.
type zone struct {
	srv   map[string][]*net.SRV
	hosts map[string]string
}

func (z zone) LookupSRV(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
	list := z.srv[name]
	if list == nil {
		return "", nil, errors.New("no such record")
	}
	return name, list, nil
}

func (z zone) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	var list []netip.Addr
	for text := range strings.FieldsSeq(z.hosts[host]) {
		list = append(list, netip.MustParseAddr(text))
	}
	if list == nil {
		return nil, errors.New("no such host")
	}
	return list, nil
}

// carrier is a name with two servers, the second for when the first fails.
var carrier = zone{
	srv: map[string][]*net.SRV{
		"_sip._udp.carrier.test": {{Target: "b.carrier.test.", Port: 5070, Priority: 20}, {Target: "a.carrier.test.", Port: 5060, Priority: 10}},
		"_sip._tcp.stream.test":  {{Target: "a.carrier.test.", Port: 5066}},
		"_sips._tcp.secure.test": {{Target: "a.carrier.test.", Port: 5099}},
	},
	hosts: map[string]string{
		"a.carrier.test": "192.0.2.2", "b.carrier.test": "192.0.2.3", "plain.test": "2001:db8::1 192.0.2.2 192.0.2.4", "secure.test": "192.0.2.9",
	},
}

func TestServersOfAName(t *testing.T) {
	s := NewStack(Config{Resolver: carrier})
	defer s.Close()
	for _, c := range []struct{ uri, want string }{
		{"sip:x@carrier.test", "192.0.2.2:5060 192.0.2.3:5070"},
		{"sip:x@carrier.test:5090", "no such host"}, // a port means no SRV
		{"sip:x@stream.test", "192.0.2.2:5066"},
		{"sip:x@secure.test;transport=tls", "192.0.2.2:5099"},
		{"sips:x@secure.test", "192.0.2.2:5099"},
		{"sip:x@secure.test", "192.0.2.9:5060"},
		{"sip:x@plain.test", "192.0.2.2:5060 192.0.2.4:5060 [2001:db8::1]:5060"},
		{"sip:x@plain.test:70", "192.0.2.2:70 192.0.2.4:70 [2001:db8::1]:70"},
		{"sip:x@192.0.2.7;transport=tls", "192.0.2.7:5061"},
		{"sip:x@nobody.test", "no such host"},
		{"sip:x@browser.invalid", "its own connection only"},
	} {
		addrs, err := s.Servers(t.Context(), Target{}, mustURI(t, c.uri))
		var got []string
		for _, a := range addrs {
			got = append(got, a.String())
		}
		if err != nil && !strings.Contains(err.Error(), c.want) || err == nil && strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v %v, want %s", c.uri, got, err, c.want)
		}
	}
}

func TestRecordsAreOrderedByPriorityAndWeight(t *testing.T) {
	list := []record{
		{port: 1, priority: 5, weight: 90}, {port: 2, priority: 5, weight: 9}, {port: 3, priority: 1}, {port: 4, priority: 9},
	}
	first := map[uint16]int{}
	for range 2000 {
		got := shuffled(list)
		if got[0].port != 3 || got[3].port != 4 || got[1].port == got[2].port {
			t.Fatalf("order %v", got)
		}
		first[got[1].port]++
	}
	if first[1] < 1650 || first[1] > 1950 || list[0].port != 1 { // 91 of 101
		t.Errorf("weight 90 came first %d times of 2000", first[1])
	}
}

// inCarrier runs fn with a stack that knows carrier.test and its two servers.
func inCarrier(t *testing.T, fn func(t *testing.T, s *Stack, c *call, a, b *wire)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		a, b := n.wire(t, "192.0.2.2:5060", stackAddr), n.wire(t, "192.0.2.3:5070", stackAddr)
		s := NewStack(Config{Resolver: carrier})
		defer s.Close()
		if _, err := s.servePackets(n.listen(stackAddr), ""); err != nil {
			t.Fatal(err)
		}
		fn(t, s, newCall(), a, b)
	})
}

func TestInviteGoesToTheNextServer(t *testing.T) {
	for name, first := range map[string]func(a *wire){
		"silence": func(a *wire) { a.expect("INVITE ") },
		"503": func(a *wire) {
			a.send(reply(a.expect("INVITE "), "503 Service Unavailable", "x", ""))
			a.expect("ACK ")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inCarrier(t, func(t *testing.T, s *Stack, c *call, a, b *wire) {
				start := time.Now()
				s.Invite(invite(t, "carrier.test"), c.events())
				first(a)
				inv := b.expect("INVITE sip:bob@carrier.test ")
				if waited := time.Since(start); waited > tryTime || field(inv, "CSeq") != "2 INVITE" {
					t.Errorf("CSeq %q after %v", field(inv, "CSeq"), waited)
				}
				b.send(reply(inv, "180 Ringing", "b", contact))
				wait(t, c.rang, "180")
				time.Sleep(2 * tryTime) // it may ring for long
				b.send(reply(inv, "200 OK", "b", "Contact: <sip:bob@192.0.2.3:5070>\r\n"))
				wait(t, c.answered, "answer")
				b.expect("ACK ")

				s.Invite(invite(t, "carrier.test"), c.events()) // the dead one is the last choice for a while
				b.expect("INVITE ")
			})
		})
	}
}

func TestLastServerDecides(t *testing.T) {
	inCarrier(t, func(t *testing.T, s *Stack, c *call, a, b *wire) {
		s.Invite(invite(t, "carrier.test"), c.events())
		a.send(reply(a.expect("INVITE "), "503 Service Unavailable", "x", ""))
		b.send(reply(b.expect("INVITE "), "503 Service Unavailable", "x", ""))
		if code := wait(t, c.failed, "end"); code != 503 {
			t.Errorf("failed %d", code)
		}
		s.Invite(invite(t, "carrier.test"), c.events())
		a.expect("ACK ")
		a.send(reply(a.expect("INVITE "), "486 Busy Here", "x", "")) // an answer: nobody else is asked
		if code := wait(t, c.failed, "end"); code != 486 {
			t.Errorf("failed %d", code)
		}
		b.expect("ACK ")
		b.silent(2 * tryTime)
	})
}

// A server that was given up and then wakes is told that it is too late.
func TestLateServerIsCancelledOrByed(t *testing.T) {
	for _, wakes := range []string{"180 Ringing", "200 OK"} {
		t.Run(wakes, func(t *testing.T) {
			inCarrier(t, func(t *testing.T, s *Stack, c *call, a, b *wire) {
				s.Invite(invite(t, "carrier.test"), c.events())
				inv := a.expect("INVITE ")
				b.send(reply(b.expect("INVITE "), "200 OK", "b", "Contact: <sip:bob@192.0.2.3:5070>\r\n"))
				b.expect("ACK ")
				d := wait(t, c.answered, "answer")
				for a.next(time.Millisecond) != "" { // retransmissions
				}
				a.send(reply(inv, wakes, "a", "Contact: <sip:bob@192.0.2.2>\r\n"))
				if strings.HasPrefix(wakes, "180") {
					cancel := a.expect("CANCEL ")
					a.send(reply(inv, "183 Session Progress", "a", ""))
					a.send(reply(cancel, "200 OK", "a", ""))
					a.silent(tryTime) // one is enough
				} else {
					a.expect("ACK ")
					a.expect("BYE ")
				}
				none(t, c.answered, "second answer")
				d.Bye()
				b.expect("BYE ")
			})
		})
	}
}

func TestBackupURIHasItsOwnServersAndRequestURI(t *testing.T) {
	inCarrier(t, func(t *testing.T, s *Stack, c *call, _, b *wire) {
		r := invite(t, "nobody.test")
		r.Backups = []Uri{mustURI(t, "sip:bob@b.carrier.test:5070")}
		s.Invite(r, c.events())
		b.expect("INVITE sip:bob@b.carrier.test:5070 ")
		s.Send(Outbound{Request: optionsTo(t, "sip:bob@nobody.test"), Backups: r.Backups}, func(*Response, error) {})
		b.expect("OPTIONS sip:bob@nobody.test ")
	})
}

func TestCancelWhileAServerIsSilentAsksNobodyElse(t *testing.T) {
	inCarrier(t, func(t *testing.T, s *Stack, c *call, a, b *wire) {
		o := s.Invite(invite(t, "carrier.test"), c.events())
		a.expect("INVITE ")
		o.Cancel()
		b.silent(2 * tryTime)
		if code := <-c.failed; code != 487 {
			t.Errorf("failed %d", code)
		}
	})
}
