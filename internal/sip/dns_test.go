package sip

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// The types of DNS records that are asked for (RFC 1035, RFC 2782).
const (
	typeA   = 1
	typeSRV = 33
)

// nameServer is a DNS server on loopback that answers from a table.
type nameServer struct {
	conn    *net.UDPConn
	records map[string][][]byte // data by "name/type"
	asked   chan string         // the questions, in order
}

// newNameServer starts one, and returns the resolver of the standard library that asks it.
func newNameServer(t *testing.T) (*nameServer, *net.Resolver) {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	s := &nameServer{conn: conn, records: map[string][][]byte{}, asked: make(chan string, 100)}
	return s, &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (s *nameServer) add(name string, kind byte, data []byte) {
	key := name + "/" + string(kind)
	s.records[key] = append(s.records[key], data)
}

// srv adds a server of a service.
func (s *nameServer) srv(name, target string, port, priority, weight uint16) {
	data := binary.BigEndian.AppendUint16(nil, priority)
	data = binary.BigEndian.AppendUint16(data, weight)
	data = binary.BigEndian.AppendUint16(data, port)
	for label := range strings.SplitSeq(target, ".") {
		data = append(append(data, byte(len(label))), label...)
	}
	s.add(name, typeSRV, append(data, 0))
}

func (s *nameServer) a(name, addr string) { s.add(name, typeA, netip.MustParseAddr(addr).AsSlice()) }

// serve answers until the test is over.
func (s *nameServer) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if _, err := s.conn.WriteToUDPAddrPort(s.answer(buf[:n]), from); err != nil {
			return
		}
	}
}

// answer answers the first question of a query (RFC 1035 section 4.1).
func (s *nameServer) answer(query []byte) []byte {
	var labels []string
	at := 12
	for query[at] != 0 {
		n := int(query[at])
		labels = append(labels, string(query[at+1:at+1+n]))
		at += 1 + n
	}
	name, kind := strings.Join(labels, "."), query[at+2]
	s.asked <- name
	found := s.records[name+"/"+string(kind)]
	header := []byte{query[0], query[1], 0x85, 0x80, 0, 1, 0, byte(len(found)), 0, 0, 0, 0}
	out := append(header, query[12:at+5]...)
	for _, data := range found {
		out = append(out, 0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, byte(len(data)))
		out = append(out, data...)
	}
	return out
}

// TestCallFailsOverBetweenServersOfDNS asks a real name server, by real datagrams, and
// calls the server that it names second because the first is overloaded.
func TestCallFailsOverBetweenServersOfDNS(t *testing.T) {
	names, resolver := newNameServer(t)
	n := newNode(t, Config{Resolver: resolver})
	first, second := newWire(t, n.addr), newWire(t, n.addr)
	names.srv("_sip._udp.carrier.test", "b.carrier.test", netip.MustParseAddrPort(second.addr()).Port(), 20, 0)
	names.srv("_sip._udp.carrier.test", "a.carrier.test", netip.MustParseAddrPort(first.addr()).Port(), 10, 0)
	names.a("a.carrier.test", "127.0.0.1")
	names.a("b.carrier.test", "127.0.0.1")
	go names.serve()

	c := newCall()
	n.Invite(invite(t, "carrier.test"), c.events())
	first.send(reply(first.expect("INVITE sip:bob@carrier.test "), "503 Service Unavailable", "x", ""))
	first.expect("ACK ")
	second.send(reply(second.expect("INVITE sip:bob@carrier.test "), "200 OK", "y", "Contact: <sip:bob@"+second.addr()+">\r\n"))
	second.expect("ACK ")
	wait(t, c.answered, "200")
	if asked := <-names.asked; asked != "_sip._udp.carrier.test" {
		t.Errorf("asked for %s first", asked)
	}
	if len(c.failed) != 0 {
		t.Error("the call failed as well")
	}
}
