//go:build e2e

package e2e

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/offhook/offhook/test/e2e/harness"
)

// TestWireTrunkByName: a trunk is a name, whose records a name server of the test's
// has: the transport is NAPTR's, the order of servers SRV's, and a server that is
// overloaded is left for the next one.
func TestWireTrunkByName(t *testing.T) {
	t.Parallel()
	first, second := sippAt(t), sippAt(t)
	srv := func(priority uint16, at netip.AddrPort) dnsmessage.ResourceBody {
		host := strings.ReplaceAll(at.Addr().String(), ".", "-") + ".carrier.test."
		return &dnsmessage.SRVResource{Priority: priority, Port: at.Port(), Target: dnsmessage.MustNewName(host)}
	}
	servers := func(service string) map[string][]dnsmessage.ResourceBody {
		return map[string][]dnsmessage.ResourceBody{
			service + ".carrier.test.": {srv(20, second), srv(10, first)},
			strings.ReplaceAll(first.Addr().String(), ".", "-") + ".carrier.test.":  {&dnsmessage.AResource{A: first.Addr().As4()}},
			strings.ReplaceAll(second.Addr().String(), ".", "-") + ".carrier.test.": {&dnsmessage.AResource{A: second.Addr().As4()}},
		}
	}
	for _, c := range []struct {
		name, service string
		naptr         bool
		sipp          []string
	}{
		{"SRV", "_sip._udp", false, nil},
		{"NAPTR says TCP", "_sip._tcp", true, []string{"-t", "t1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone := servers(c.service)
			if c.naptr {
				zone["carrier.test."] = []dnsmessage.ResourceBody{naptr("SIP+D2T", c.service+".carrier.test")}
			}
			o := harness.NewOffhookWith(t, harness.Fields{SIP: fmt.Sprintf("resolver: %q", nameServer(t, zone))},
				strings.Replace(fmt.Sprintf(wiredResources, "carrier.test", first.Addr(), ""), "accept_from", "codecs: [pcmu], accept_from", 1))
			w := &wired{Offhook: o, trunk: first}
			var busy, s script
			busy.want(`request="INVITE"`)
			busy.refuse("503 Service Unavailable", "Retry-After: 30")
			s.want(`request="INVITE"`, "To: sip:12125550100@")
			s.takes()
			sipp := func(name string, at netip.AddrPort, s *script) *harness.Process {
				args := append([]string{"-m", "1", "-timeout", "100s"}, c.sipp...)
				return harness.NewSipp(t, name, harness.Scenario(s.steps...), at.Addr().String(), int(at.Port()), args...)
			}
			refuses, takes := sipp("first", first, &busy), sipp("second", second, &s)
			w.dialOut(t, w.desk(t), takes)
			harness.WantSuccess(t, refuses, soon)
		})
	}
}

// naptr is a record that leads to a service's SRV records (RFC 3403 section 4.1).
func naptr(service, replacement string) dnsmessage.ResourceBody {
	data := binary.BigEndian.AppendUint32(nil, 10<<16|10)
	for _, text := range append([]string{"s", service, ""}, strings.Split(replacement, ".")...) {
		data = append(append(data, byte(len(text))), text...)
	}
	return &dnsmessage.UnknownResource{Type: 35, Data: append(data, 0)}
}

// nameServer serves zone by UDP and returns its address.
func nameServer(t *testing.T, zone map[string][]dnsmessage.ResourceBody) string {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			if answer := answerDNS(zone, buf[:n]); answer != nil {
				_, _ = conn.WriteToUDPAddrPort(answer, from) // it asks again
			}
		}
	}()
	return conn.LocalAddr().String()
}

// answerDNS answers a query with the records of its type that zone has.
func answerDNS(zone map[string][]dnsmessage.ResourceBody, query []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	for _, body := range zone[q.Name.String()] {
		kind := dnsmessage.TypeSRV
		switch b := body.(type) {
		case *dnsmessage.AResource:
			kind = dnsmessage.TypeA
		case *dnsmessage.UnknownResource:
			kind = b.Type
		}
		if kind == q.Type {
			h := dnsmessage.ResourceHeader{Name: q.Name, Type: kind, Class: dnsmessage.ClassINET, TTL: 60}
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: body})
		}
	}
	answer, err := m.Pack()
	if err != nil {
		return nil
	}
	return answer
}
