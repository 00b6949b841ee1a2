package turn

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	pion "github.com/pion/turn/v5"

	"github.com/offhook/offhook/internal/testkit"
)

const realm = "offhook.test"

// server starts a Server that leads to target.
func server(t *testing.T, target netip.AddrPort) *Server {
	t.Helper()
	s, err := NewServer(Config{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Realm: realm, Secret: []byte("secret"), Target: target})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// socket is a UDP socket at an address of this machine.
func socket(t *testing.T, ip string) (*net.UDPConn, netip.AddrPort) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn, conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// client connects to s over a network, "udp" or "tcp", with credentials.
func client(t *testing.T, s *Server, network string, c Credentials) *pion.Client {
	t.Helper()
	var conn net.PacketConn
	if network == "tcp" {
		stream, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn = pion.NewSTUNConn(stream)
	} else {
		conn, _ = socket(t, "127.0.0.1")
	}
	x, err := pion.NewClient(&pion.ClientConfig{
		STUNServerAddr: s.Addr().String(), TURNServerAddr: s.Addr().String(), Conn: conn,
		Username: c.Name, Password: c.Password, Realm: realm, RTO: 100 * time.Millisecond,
	})
	if err == nil {
		err = x.Listen()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close(); _ = conn.Close() })
	return x
}

// TestRelayLeadsToOurPortOnly lets a client with good credentials try everything: our
// port answers, every other port and host hears nothing, and nobody else is heard.
func TestRelayLeadsToOurPortOnly(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			testkit.CheckLeaks(t)
			ours, target := socket(t, "127.0.0.1")
			port, portAt := socket(t, "127.0.0.1")
			host, hostAt := socket(t, "127.0.0.2")
			s := server(t, target)
			x := client(t, s, network, s.Credentials("sales", time.Now().Add(time.Hour)))
			relay, err := x.Allocate()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = relay.Close() }()
			if s.Relays() != 1 {
				t.Errorf("%d relays, want 1", s.Relays())
			}
			buf := make([]byte, 100)
			for range 3 { // indications first, then a channel
				for _, to := range []netip.AddrPort{hostAt, portAt, target} {
					_, err := relay.WriteTo([]byte("hello"), net.UDPAddrFromAddrPort(to))
					if refused := err != nil; refused != (to == hostAt) {
						t.Errorf("to %v: %v", to, err)
					}
				}
				n, from := receive(t, ours, buf)
				if string(buf[:n]) != "hello" || from.String() != relay.LocalAddr().String() {
					t.Errorf("our port received %q from %v, want it from the relay %v", buf[:n], from, relay.LocalAddr())
				}
				for _, c := range []*net.UDPConn{port, host, ours} { // only the last may
					if _, err := c.WriteTo([]byte(c.LocalAddr().String()), relay.LocalAddr()); err != nil {
						t.Fatal(err)
					}
				}
				if n, from := receive(t, relay, buf); string(buf[:n]) != target.String() || from.String() != target.String() {
					t.Errorf("the client received %q from %v, want what our port said", buf[:n], from)
				}
			}
			for _, c := range []*net.UDPConn{port, host} {
				_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
				if n, _, err := c.ReadFrom(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%v received %q", c.LocalAddr(), buf[:n])
				}
			}
		})
	}
}

func receive(t *testing.T, c net.PacketConn, buf []byte) (int, net.Addr) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, from, err := c.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	return n, from
}

func TestCredentials(t *testing.T) {
	testkit.CheckLeaks(t)
	_, target := socket(t, "127.0.0.1")
	s := server(t, target)
	hour := time.Now().Add(time.Hour)
	good := s.Credentials("acme/sales", hour)
	for _, c := range []struct {
		name string
		with Credentials
		ok   bool
	}{
		{"good", good, true},
		{"too old", s.Credentials("acme/sales", time.Now().Add(-2*time.Second)), false},
		{"of another secret", (&Server{cfg: Config{Secret: []byte("other")}}).Credentials("acme/sales", hour), false},
		{"another user's name", Credentials{good.Name + "2", good.Password}, false},
		{"no time", Credentials{"sales", good.Password}, false},
		{"none", Credentials{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			relay, err := client(t, s, "udp", c.with).Allocate()
			if (err == nil) != c.ok {
				t.Errorf("%v, want a relay: %v", err, c.ok)
			}
			if err == nil {
				_ = relay.Close()
			}
		})
	}
}

// TestRelaysOfAUserAreBounded shows the limit, and that a relay that ends makes room.
func TestRelaysOfAUserAreBounded(t *testing.T) {
	testkit.CheckLeaks(t)
	_, target := socket(t, "127.0.0.1")
	s := server(t, target)
	for range maxRelaysOfUser - 1 {
		s.created(net.UDPAddrFromAddrPort(target), nil, "", "sales", "", nil, 0)
	}
	allocate := func(user string) (net.PacketConn, error) {
		return client(t, s, "udp", s.Credentials(user, time.Now().Add(time.Hour))).Allocate()
	}
	last, err := allocate("sales")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := allocate("sales"); err == nil {
		t.Error("one relay too many")
	}
	other, err := allocate("support")
	if err != nil {
		t.Errorf("another user: %v", err)
	} else {
		_ = other.Close()
	}
	_ = last.Close()
	testkit.Eventually(t, 10*time.Second, "there is room again", func() bool {
		relay, err := allocate("sales")
		if err == nil {
			_ = relay.Close()
		}
		return err == nil
	})
}

// TestStreamsOfStrangers shows that connections without a relay end, by time and by
// number, and that one with a relay stays.
func TestStreamsOfStrangers(t *testing.T) {
	testkit.CheckLeaks(t)
	_, target := socket(t, "127.0.0.1")
	s := server(t, target)
	s.streams.mu.Lock()
	s.streams.most = 4
	s.streams.mu.Unlock()
	x := client(t, s, "tcp", s.Credentials("sales", time.Now().Add(time.Hour)))
	relay, err := x.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = relay.Close() }()
	var strangers []net.Conn
	for range 10 {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		strangers = append(strangers, c)
	}
	for _, c := range strangers[:7] {
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !isReset(err) {
			t.Errorf("%v stays: %v", c.LocalAddr(), err)
		}
	}
	if s.Relays() != 1 {
		t.Errorf("%d relays, want the one", s.Relays())
	}
	s.streams.mu.Lock()
	open, fresh := len(s.streams.open), len(s.streams.fresh)
	s.streams.mu.Unlock()
	if open != 4 || fresh != 3 {
		t.Errorf("%d connections, %d without relay; want 4 and 3", open, fresh)
	}
	s.streams.mu.Lock()
	s.streams.most, s.streams.prove = 100, 50*time.Millisecond
	s.streams.mu.Unlock()
	silent, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	_ = silent.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !isReset(err) {
		t.Errorf("who says nothing stays: %v", err)
	}
}

func isReset(err error) bool {
	_, ok := errors.AsType[*net.OpError](err)
	return ok && !errors.Is(err, os.ErrDeadlineExceeded)
}
