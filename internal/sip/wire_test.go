package sip

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// wire is a peer without a stack: it sends what a test writes and shows what comes.
type wire struct {
	t    testing.TB
	at   string
	to   netip.AddrPort
	put  func(data []byte, to netip.AddrPort) (int, error)
	take func(within time.Duration) (data string, from netip.AddrPort)
}

// newWire opens a UDP socket that talks to a stack at to.
func newWire(t testing.TB, to string) *wire {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	buf := make([]byte, maxMessage)
	return &wire{
		t: t, at: conn.LocalAddr().String(), to: netip.MustParseAddrPort(to), put: conn.WriteToUDPAddrPort,
		take: func(within time.Duration) (string, netip.AddrPort) {
			if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
				t.Fatal(err)
			}
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return "", from
			}
			return string(buf[:n]), from
		},
	}
}

// wire makes a scripted peer on the fake network.
func (n *fakeNet) wire(t testing.TB, at, to string) *wire {
	t.Helper()
	p := n.listen(at)
	return &wire{
		t: t, at: at, to: netip.MustParseAddrPort(to), put: p.WriteToUDPAddrPort,
		take: func(within time.Duration) (string, netip.AddrPort) {
			select {
			case pkt := <-p.in:
				return string(pkt.data), pkt.from
			case <-time.After(within):
				return "", netip.AddrPort{}
			}
		},
	}
}

func (w *wire) addr() string { return w.at }

func (w *wire) send(msg string) {
	w.t.Helper()
	if _, err := w.put([]byte(msg), w.to); err != nil {
		w.t.Fatal(err)
	}
}

// next returns the next message, "" after within.
func (w *wire) next(within time.Duration) string {
	w.t.Helper()
	msg, from := w.take(within)
	if msg != "" {
		w.to = from
	}
	return msg
}

// expect returns the next message, which must begin like that. 100 Trying is
// passed over unless asked for.
func (w *wire) expect(begin string) string {
	w.t.Helper()
	for {
		msg := w.next(patience)
		if strings.HasPrefix(msg, "SIP/2.0 100") && !strings.HasPrefix(begin, "SIP/2.0 100") {
			continue
		}
		if !strings.HasPrefix(msg, begin) {
			w.t.Fatalf("want %q, got %q", begin, msg)
		}
		return msg
	}
}

// silent fails if something comes within d.
func (w *wire) silent(d time.Duration) {
	w.t.Helper()
	if msg := w.next(d); msg != "" {
		w.t.Fatalf("unexpected %q", msg)
	}
}

// field returns the value of a header of msg.
func field(msg, name string) string {
	for line := range strings.SplitSeq(msg, "\r\n") {
		if v, ok := strings.CutPrefix(line, name+": "); ok {
			return v
		}
	}
	return ""
}

// tagOf returns the tag of a From or To value.
func tagOf(value string) string {
	_, tag, _ := strings.Cut(value, ";tag=")
	return tag
}

// request writes a request as a peer at addr would; extra are further lines.
func request(method, uri, addr, branch, from, to string, seq int, extra string) string {
	return fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:alice@example.com>;tag=%s\r\nTo: <sip:bob@example.com>%s\r\nCall-ID: call1\r\nCSeq: %d %s\r\n"+
		"Contact: <sip:alice@%s>\r\n%sContent-Length: 0\r\n\r\n", method, uri, addr, branch, from, to, seq, method, addr, extra)
}

func (w *wire) request(method, branch, toTag string, seq int, extra string) string {
	if toTag != "" {
		toTag = ";tag=" + toTag
	}
	return request(method, "sip:bob@"+w.to.String(), w.addr(), branch, "a1", toTag, seq, extra)
}

// reply writes a response to req with our To-tag and lines.
func reply(req, status, tag, lines string) string {
	var b strings.Builder
	b.WriteString("SIP/2.0 " + status + "\r\n")
	for line := range strings.SplitSeq(req, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "Via", "From", "Call-ID", "CSeq", "Record-Route":
			b.WriteString(line + "\r\n")
		case "To":
			if !strings.Contains(line, "tag=") && tag != "" {
				line += ";tag=" + tag
			}
			b.WriteString(line + "\r\n")
		}
	}
	return b.String() + lines + "Content-Length: 0\r\n\r\n"
}

// fakePackets is a packetConn in memory, for tests on the clock of synctest.
type fakePackets struct {
	at   netip.AddrPort
	net  *fakeNet
	in   chan fakePacket
	done chan struct{}
}

type fakePacket struct {
	data []byte
	from netip.AddrPort
}

// fakeNet delivers at once, unless drop says otherwise.
type fakeNet struct {
	ends map[netip.AddrPort]*fakePackets
	drop func(from, to netip.AddrPort, msg string) bool
}

func newFakeNet() *fakeNet { return &fakeNet{ends: map[netip.AddrPort]*fakePackets{}} }

func (n *fakeNet) listen(addr string) *fakePackets {
	p := &fakePackets{at: netip.MustParseAddrPort(addr), net: n, in: make(chan fakePacket, 1000), done: make(chan struct{})}
	n.ends[p.at] = p
	return p
}

func (p *fakePackets) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case pkt := <-p.in:
		return copy(b, pkt.data), pkt.from, nil
	case <-p.done:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

func (p *fakePackets) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	end := p.net.ends[to]
	if end == nil || (p.net.drop != nil && p.net.drop(p.at, to, string(b))) {
		return len(b), nil
	}
	select {
	case end.in <- fakePacket{append([]byte(nil), b...), p.at}:
	default:
	}
	return len(b), nil
}

func (p *fakePackets) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(p.at) }

func (p *fakePackets) Close() error {
	close(p.done)
	return nil
}

// scripted is a stack and a scripted peer on a fake network, inside a synctest
// bubble: 64*T1 pass in no time.
type scripted struct {
	t testing.TB
	*Stack
	*call
	peer *wire
	net  *fakeNet
}

const stackAddr, peerAddr = "192.0.2.1:5060", "192.0.2.2:5060"

func inBubble(t *testing.T, fn func(s *scripted)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newCall()
		s := &scripted{t: t, Stack: NewStack(Config{Handler: c.handler()}), call: c, net: newFakeNet()}
		defer s.Close()
		if _, err := s.servePackets(s.net.listen(stackAddr), ""); err != nil {
			t.Fatal(err)
		}
		s.peer = s.net.wire(t, peerAddr, stackAddr)
		fn(s)
	})
}
