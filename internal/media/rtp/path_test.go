package rtp

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/testkit"
)

func localhost() netip.Addr { return netip.MustParseAddr("127.0.0.1") }

func open(t *testing.T, c Config) (p *Path, far *net.UDPConn, to netip.AddrPort) {
	t.Helper()
	testkit.CheckLeaks(t)
	c.LocalIP = localhost()
	p, err := NewAllocator(43000, 43999).New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	far, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	p.Start(media.Format{Codec: media.PCMU, RecvDTMF: 101, SendDTMF: 101, DTMFClock: 8000}, far.LocalAddr().(*net.UDPAddr).AddrPort())
	return p, far, netip.AddrPortFrom(localhost(), p.LocalPort())
}

func send(t *testing.T, from *net.UDPConn, to netip.AddrPort, datagram []byte) {
	t.Helper()
	if _, err := from.WriteToUDPAddrPort(datagram, to); err != nil {
		t.Fatal(err)
	}
}

func TestPortsRestAndRunOut(t *testing.T) {
	a := NewAllocator(44001, 44007) // pairs 44002, 44004, 44006
	var paths []*Path
	for range 3 {
		p, err := a.New(Config{LocalIP: localhost()})
		if err != nil {
			t.Fatal(err)
		}
		if p.LocalPort()%2 != 0 || p.LocalPort() < 44002 || p.LocalPort() > 44006 {
			t.Errorf("port %d", p.LocalPort())
		}
		paths = append(paths, p)
	}
	if _, err := a.New(Config{LocalIP: localhost()}); core.KindOf(err) != core.Unavailable {
		t.Errorf("a fourth pair: %v", err)
	}
	if a.InUse() != 3 {
		t.Errorf("%d pairs in use", a.InUse())
	}
	for _, p := range paths {
		p.Close()
		p.Close()
	}
	if a.InUse() != 0 {
		t.Errorf("%d pairs in use after Close", a.InUse())
	}
	if _, err := a.New(Config{LocalIP: localhost()}); core.KindOf(err) != core.Unavailable {
		t.Errorf("a port is used again before its rest: %v", err)
	}
	a.wakeLocked(time.Now().Add(rest))
	p, err := a.New(Config{LocalIP: localhost()})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
}

func TestOnlyNegotiatedPacketsAreHeard(t *testing.T) {
	p, far, to := open(t, Config{})
	heard := make(chan string, 10)
	p.Receive(func(packet *media.Packet) { heard <- string(packet.Payload()) })
	send(t, far, to, []byte{0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 'x'})      // PCMA
	send(t, far, to, []byte{0x80, 203, 0, 1, 0, 0, 0, 1})                     // an RTCP BYE
	send(t, far, to, []byte("INVITE sip:nobody@example.com SIP/2.0\r\n\r\n")) // no RTP
	send(t, far, to, []byte{0x80, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 'o', 'k'})
	if got := testkit.Receive(t, heard, time.Second, "packet"); got != "ok" {
		t.Errorf("heard %q", got)
	}
	if s := p.Stats(); s.PacketsReceived != 1 || s.BytesReceived != 2 || s.Malformed != 1 || s.WrongType != 1 || s.Blocked != 0 {
		t.Errorf("%+v", s)
	}
}

// A fault in what is done with a packet costs that packet: the goroutine reads on,
// for this path and all others.
func TestPanicCostsOnePacket(t *testing.T) {
	var log bytes.Buffer
	p, far, to := open(t, Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
	heard := make(chan uint16, 10)
	p.Receive(func(packet *media.Packet) {
		if packet.Seq%2 == 1 {
			panic("a fault of ours")
		}
		heard <- packet.Seq
	})
	for seq := range uint16(4) {
		send(t, far, to, packetOf(seq))
	}
	for _, want := range []uint16{0, 2} {
		if got := testkit.Receive(t, heard, 5*time.Second, "packet"); got != want {
			t.Errorf("packet %d, want %d", got, want)
		}
	}
	testkit.Eventually(t, 5*time.Second, "both panics are counted", func() bool {
		return p.allocator.Panics() == 2 && p.Stats().Malformed == 2
	})
	p.Close() // the log is written by the goroutine that reads
	if said := log.String(); strings.Count(said, `doing="reading a datagram"`) != 1 || !strings.Contains(said, "a fault of ours") || !strings.Contains(said, "TestPanicCostsOnePacket") {
		t.Errorf("said:\n%s", said)
	}
}

func TestKeysAreReportedOnceAndPassedOn(t *testing.T) {
	keys := make(chan byte, 20)
	p, far, to := open(t, Config{OnDigit: func(key byte) { keys <- key }})
	events := make(chan uint8, 20)
	p.Receive(func(packet *media.Packet) { events <- packet.Type })
	for i, key := range []byte{1, 11} {
		for n := range byte(6) {
			end := n / 3 * 0x80
			send(t, far, to, []byte{0x80, 101, 0, byte(i)*6 + n, 0, 0, byte(i), 1, 0, 0, 0, 1, key, end, 0, n})
		}
	}
	for range 12 {
		if kind := testkit.Receive(t, events, time.Second, "event"); kind != 101 {
			t.Errorf("passed on as %d", kind)
		}
	}
	if len(keys) != 2 || <-keys != '1' || <-keys != '#' {
		t.Error("keys are not 1 and #, each once")
	}
}

func TestSendsWhereTheFarEndIs(t *testing.T) {
	p, far, to := open(t, Config{Peer: localhost()})
	packet := media.Packet{Buf: make([]byte, media.HeaderRoom+10+media.TailRoom), Len: 10, Seq: 5}
	other, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	expect := func(conn *net.UDPConn) {
		t.Helper()
		p.Send(&packet)
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, _, err := conn.ReadFromUDPAddrPort(make([]byte, 100)); n != 22 || err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
	expect(far)
	for n := range byte(probation) { // behind NAT, the signalled address never sends
		send(t, other, to, []byte{0x80, 0, 0, n, 0, 0, 0, 0, 0, 0, 0, 1, 'x'})
	}
	testkit.Eventually(t, time.Second, "the source is learnt", func() bool { return p.Stats().PacketsReceived > 0 })
	expect(other)
	p.Start(p.Format(), netip.AddrPort{}) // hold
	sent := p.Stats().PacketsSent
	p.Send(&packet)
	if p.Stats().PacketsSent != sent {
		t.Error("sent to one who asked for nothing")
	}
}

// reportReader lets p send its reports to a new socket and returns what reads one.
func reportReader(t *testing.T, p *Path) func() *rtcp.SenderReport {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	remote := netip.AddrPortFrom(to.Addr(), to.Port()-1)
	p.remote.Store(&remote)
	return func() *rtcp.SenderReport {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 500)
		n, _, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			t.Fatal(err)
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			t.Fatal(err)
		}
		return packets[0].(*rtcp.SenderReport)
	}
}

func TestReportAfterFiveSeconds(t *testing.T) {
	p, _, _ := open(t, Config{})
	report := reportReader(t, p)
	var r reports
	begin := time.Unix(1000, 0)
	for n := range uint16(251) {
		if n%5 != 1 { // one of five is lost
			r.arrived(p, &media.Packet{Seq: 65500 + n, SSRC: 7, Timestamp: uint32(n) * 160}, begin.Add(time.Duration(n)*20*time.Millisecond))
		}
	}
	about := report().Reports[0]
	if about.SSRC != 7 || about.TotalLost != 50 || about.FractionLost != 50 || about.LastSequenceNumber != 65500+250 || about.Jitter > 1 {
		t.Errorf("%+v", about)
	}
}

func TestReportToSilentFarEnd(t *testing.T) {
	p, _, _ := open(t, Config{})
	report := reportReader(t, p)
	packet := media.Packet{Buf: make([]byte, media.HeaderRoom+10+media.TailRoom), Len: 10}
	for range 250 {
		packet.Seq++
		packet.Timestamp += 160
		p.Send(&packet)
	}
	if sr := report(); sr.PacketCount != 250 || sr.OctetCount != 2500 || sr.RTPTime != 250*160 || len(sr.Reports) != 0 {
		t.Errorf("%+v", sr)
	}
}
