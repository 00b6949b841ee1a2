package udp

import (
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/testkit"
)

var localhost = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// open binds a socket on loopback, and a far end that talks to it.
func open(t *testing.T, l *Loop) (*Socket, *net.UDPConn) {
	t.Helper()
	s, err := l.Listen(netip.AddrPortFrom(localhost, 0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	far, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(s.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	return s, far
}

func send(t *testing.T, from *net.UDPConn, what string) {
	t.Helper()
	if _, err := from.Write([]byte(what)); err != nil {
		t.Fatal(err)
	}
}

// TestLongWorkDelaysNobody: while one socket's datagram is worked on for long, those
// of others are delivered.
func TestLongWorkDelaysNobody(t *testing.T) {
	if n := runtime.GOMAXPROCS(0); n == 1 { // the poller has a worker for each
		runtime.GOMAXPROCS(2)
		t.Cleanup(func() { runtime.GOMAXPROCS(n) })
	}
	testkit.CheckLeaks(t)
	loop := new(Loop)
	slow, toSlow := open(t, loop)
	quick, toQuick := open(t, loop)
	inside, goOn, second := make(chan struct{}, 10), make(chan struct{}, 10), make(chan struct{}, 10)
	t.Cleanup(func() { close(goOn) }) // before the sockets, which wait for it
	var before atomic.Int32
	start(t, slow, func(*Datagram) {
		if before.Add(1) <= enough {
			time.Sleep(2 * tooLong) // from the last on known for it
		}
		inside <- struct{}{}
		<-goOn
	})
	start(t, quick, func(*Datagram) { second <- struct{}{} })
	for range enough {
		send(t, toSlow, "x")
		testkit.Receive(t, inside, 10*time.Second, "a datagram that takes long")
		goOn <- struct{}{}
	}
	testkit.Eventually(t, 10*time.Second, "the socket is known for long work", slow.busy)
	send(t, toSlow, "x")
	testkit.Receive(t, inside, 10*time.Second, "one more of those")
	for range 3 {
		send(t, toQuick, "x")
		testkit.Receive(t, second, 10*time.Second, "a datagram of the other socket")
	}
	goOn <- struct{}{}
}

// TestManyShortOnesAreNoLongWork: a socket that many share is not known for long
// work because much comes at once.
func TestManyShortOnesAreNoLongWork(t *testing.T) {
	for _, c := range []struct {
		took  time.Duration
		count int
		want  bool
	}{
		{long, 1, false}, {long + 1, 1, true}, {30 * long, 40, false}, {41 * long, 40, true}, {long + 1, 0, true},
	} {
		if got := tookLong(c.took, c.count); got != c.want {
			t.Errorf("%d datagrams in %v: %v", c.count, c.took, got)
		}
	}
}

// start begins to deliver to handle.
func start(t *testing.T, s *Socket, handle func(*Datagram)) {
	t.Helper()
	if err := s.Start(handle); err != nil {
		t.Fatal(err)
	}
}

// TestBurstOfMany reads more than one system call fetches, of several far ends on
// one socket, in the order of each.
func TestBurstOfMany(t *testing.T) {
	testkit.CheckLeaks(t)
	s, far := open(t, new(Loop))
	other, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(s.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	const each = 3*atOnce + 1
	type arrival struct {
		what byte
		from netip.AddrPort
	}
	got := make(chan arrival, 2*each)
	for i := range byte(each) {
		send(t, far, string(i))
		send(t, other, string(i))
	}
	start(t, s, func(d *Datagram) { got <- arrival{d.Bytes()[0], d.From} })
	heard := make(map[netip.AddrPort][]byte)
	for range 2 * each {
		a := testkit.Receive(t, got, 10*time.Second, "a datagram")
		heard[a.from] = append(heard[a.from], a.what)
	}
	for _, c := range []*net.UDPConn{far, other} {
		from := netip.MustParseAddrPort(c.LocalAddr().String())
		if !slices.IsSorted(heard[from]) || len(heard[from]) != each {
			t.Errorf("of %v: %v", from, heard[from])
		}
	}
}

func TestWritingAllocatesNothing(t *testing.T) {
	testkit.CheckLeaks(t)
	s, far := open(t, new(Loop))
	to := netip.MustParseAddrPort(far.LocalAddr().String())
	what := make([]byte, 172)
	if n := testing.AllocsPerRun(1000, func() { _ = s.WriteTo(what, to) }); n != 0 {
		t.Errorf("%v allocations a datagram", n)
	}
}

// TestClosedSocketWritesNothing: its number may be another's.
func TestClosedSocketWritesNothing(t *testing.T) {
	testkit.CheckLeaks(t)
	s, far := open(t, new(Loop))
	s.Close()
	if err := s.WriteTo([]byte("late"), netip.MustParseAddrPort(far.LocalAddr().String())); err == nil {
		t.Error("written")
	}
	if s.Addr().IsValid() || s.SetBuffers(1<<16) == nil {
		t.Error("a closed socket is used")
	}
	s.Close() // again
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		in   string
		v6   bool
		want string
	}{
		{"192.0.2.1:5004", false, "192.0.2.1:5004"},
		{"192.0.2.1:5004", true, "192.0.2.1:5004"},
		{"[::ffff:192.0.2.1]:5004", true, "192.0.2.1:5004"},
		{"[2001:db8::1]:65535", true, "[2001:db8::1]:65535"},
		{"[2001:db8::1]:5004", false, "0.0.0.0:5004"},
		{"[fe80::1%3]:256", true, "[fe80::1%3]:256"},
		{"0.0.0.0:9", true, "[::]:9"},
	} {
		var raw address
		encode(&raw, netip.MustParseAddrPort(c.in), c.v6)
		if got := decode(&raw); got.String() != c.want {
			t.Errorf("%s, IPv6 %v: %v, want %s", c.in, c.v6, got, c.want)
		}
	}
}
