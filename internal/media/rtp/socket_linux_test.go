package rtp

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/udp"
	"github.com/offhook/offhook/internal/testkit"
)

// packetOf is an RTP packet of type 0 with a number.
func packetOf(n uint16) []byte {
	b := make([]byte, headerSize+160)
	b[0], b[2], b[3] = 0x80, byte(n>>8), byte(n)
	return b
}

// listen opens the socket of a far end.
func listen(t *testing.T) *net.UDPConn {
	t.Helper()
	far, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	return far
}

// pair opens two paths of one allocator, each with a far end.
func pair(t *testing.T) (paths [2]*Path, fars [2]*net.UDPConn, to [2]netip.AddrPort) {
	t.Helper()
	testkit.CheckLeaks(t)
	a := NewAllocator(45000, 45999)
	for i := range paths {
		p, err := a.New(Config{LocalIP: localhost()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		far := listen(t)
		p.Start(media.Format{Codec: media.PCMU}, netip.MustParseAddrPort(far.LocalAddr().String()))
		paths[i], fars[i], to[i] = p, far, netip.AddrPortFrom(localhost(), p.LocalPort())
	}
	return paths, fars, to
}

// TestBurstsStayInOrder floods both sockets from several goroutines of the far
// end's machine and wants every packet once and in order.
func TestBurstsStayInOrder(t *testing.T) {
	const bursts, size = 50, 100
	paths, fars, to := pair(t)
	var wg sync.WaitGroup
	for i, p := range paths {
		got := make(chan uint16, bursts*size)
		p.Receive(func(packet *media.Packet) { got <- packet.Seq })
		wg.Go(func() {
			n := uint16(0)
			for range bursts {
				for range size {
					if _, err := fars[i].WriteToUDPAddrPort(packetOf(n), to[i]); err != nil {
						t.Error(err)
						return
					}
					n++
				}
				for want := n - size; want != n; want++ {
					select {
					case seq := <-got:
						if seq != want {
							t.Errorf("path %d: packet %d, want %d", i, seq, want)
							return
						}
					case <-time.After(5 * time.Second):
						t.Errorf("path %d: packet %d is missing", i, want)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestCloseWaitsForTheCallback(t *testing.T) {
	paths, fars, to := pair(t)
	inside, goOn := make(chan struct{}), make(chan struct{})
	var after atomic.Bool
	paths[0].Receive(func(*media.Packet) {
		if after.Load() {
			t.Error("called after Close")
		}
		inside <- struct{}{}
		<-goOn
	})
	send(t, fars[0], to[0], packetOf(1))
	<-inside
	send(t, fars[0], to[0], packetOf(2)) // waits in the socket
	closed := make(chan struct{}, 1)
	go func() {
		paths[0].Close()
		after.Store(true)
		closed <- struct{}{}
	}()
	select {
	case <-closed:
		t.Error("Close did not wait")
	case <-time.After(50 * time.Millisecond):
	}
	goOn <- struct{}{}
	testkit.Receive(t, closed, 5*time.Second, "Close")
	paths[0].Send(&media.Packet{Buf: make([]byte, 300), Len: 160})
	if got := paths[0].Stats().Dropped; got != 1 {
		t.Errorf("%d packets dropped behind Close, want 1", got)
	}
}

// TestWhatCameBeforeStartIsHeard: a callee may speak before its answer was read.
func TestWhatCameBeforeStartIsHeard(t *testing.T) {
	testkit.CheckLeaks(t)
	p, err := NewAllocator(45000, 45999).New(Config{LocalIP: localhost()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	far := listen(t)
	got := make(chan uint16, 10)
	p.Receive(func(packet *media.Packet) { got <- packet.Seq })
	for n := range uint16(3) {
		send(t, far, netip.AddrPortFrom(localhost(), p.LocalPort()), packetOf(n))
	}
	p.Start(media.Format{Codec: media.PCMU}, netip.MustParseAddrPort(far.LocalAddr().String()))
	for n := range uint16(3) {
		if seq := testkit.Receive(t, got, 5*time.Second, "an early packet"); seq != n {
			t.Errorf("packet %d, want %d", seq, n)
		}
	}
}

// TestBothFamilies binds to no address in particular and talks with far ends of
// IPv4 and of IPv6.
func TestBothFamilies(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		for _, local := range []netip.Addr{{}, netip.IPv6Unspecified(), netip.IPv4Unspecified(), netip.MustParseAddr(host)} {
			t.Run(host+" at "+local.String(), func(t *testing.T) {
				testkit.CheckLeaks(t)
				far, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(host), 0)))
				if err != nil {
					t.Skip("this machine has no ", host)
				}
				defer func() { _ = far.Close() }()
				p, err := NewAllocator(45000, 45999).New(Config{LocalIP: local})
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				p.Receive(p.Send)
				p.Start(media.Format{Codec: media.PCMU}, netip.MustParseAddrPort(far.LocalAddr().String()))
				send(t, far, netip.AddrPortFrom(netip.MustParseAddr(host), p.LocalPort()), packetOf(7))
				back := make([]byte, 1500)
				if err := far.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
					t.Fatal(err)
				}
				n, from, err := far.ReadFromUDPAddrPort(back)
				if err != nil || n != headerSize+160 || from.Port() != p.LocalPort() {
					t.Errorf("%d bytes from %v: %v", n, from, err)
				}
			})
		}
	}
}

// TestDescriptorsAreGivenBack opens and closes many paths while packets come and go.
func TestDescriptorsAreGivenBack(t *testing.T) {
	testkit.CheckLeaks(t)
	far, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = far.Close() }()
	before := descriptors(t)
	a := NewAllocator(46000, 49999)
	for range 10 {
		var paths []*Path
		for range 20 {
			p, err := a.New(Config{LocalIP: localhost()})
			if err != nil {
				t.Fatal(err)
			}
			p.Receive(p.Send)
			p.Start(media.Format{Codec: media.PCMU}, netip.MustParseAddrPort(far.LocalAddr().String()))
			send(t, far, netip.AddrPortFrom(localhost(), p.LocalPort()), packetOf(1))
			paths = append(paths, p)
		}
		var wg sync.WaitGroup
		for p := range slices.Values(paths) {
			wg.Go(p.Close)
		}
		wg.Wait()
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(list)
}

// TestRelayingAllocatesNothing is a rule of the packet path.
func TestRelayingAllocatesNothing(t *testing.T) {
	paths, fars, _ := pair(t)
	paths[0].Receive(paths[1].Send)
	d := &udp.Datagram{From: netip.MustParseAddrPort(fars[0].LocalAddr().String())}
	d.Size = copy(d.Room(), packetOf(1))
	if n := testing.AllocsPerRun(1000, func() { paths[0].arrived(d) }); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
	if got := paths[1].Stats().PacketsSent; got < 1000 {
		t.Errorf("%d packets sent", got)
	}
}

// A far end on IPv4 may announce an address of IPv6, by mistake or to reach a port
// of this machine through us.
func TestOtherFamilyIsNotThisMachine(t *testing.T) {
	paths, fars, _ := pair(t)
	at := netip.MustParseAddrPort(fars[0].LocalAddr().String())
	paths[0].Start(media.Format{Codec: media.PCMU}, netip.AddrPortFrom(netip.MustParseAddr("2001:db8::1"), at.Port()))
	paths[0].Send(voicePacket(1, "voice"))
	if s := paths[0].Stats(); s.PacketsSent != 0 || s.Dropped != 1 {
		t.Errorf("sent %d, dropped %d", s.PacketsSent, s.Dropped)
	}
	_ = fars[0].SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, _, err := fars[0].ReadFromUDPAddrPort(make([]byte, 1500)); err == nil {
		t.Errorf("%d bytes went to this machine", n)
	}
}
