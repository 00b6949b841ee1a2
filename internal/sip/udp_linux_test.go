package sip

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// TestQuietConn sends to and from each kind of socket, from and to plain ones.
func TestQuietConn(t *testing.T) {
	listen := func(network, addr string) *net.UDPConn {
		conn, err := net.ListenPacket(network, addr)
		if err != nil {
			t.Skip(err) // no IPv6 here
		}
		t.Cleanup(func() { _ = conn.Close() }) // most are closed by then
		return conn.(*net.UDPConn)
	}
	for _, tt := range []struct{ name, network, bind, peer, reach string }{
		{"IPv4", "udp", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1"},
		{"IPv6", "udp", "[::1]:0", "[::1]:0", "::1"},
		{"both, with IPv4", "udp", ":0", "127.0.0.1:0", "127.0.0.1"},
		{"both, with IPv6", "udp", ":0", "[::1]:0", "::1"},
		{"every IPv4", "udp4", ":0", "127.0.0.1:0", "127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			peer := listen("udp", tt.peer)
			own := listen(tt.network, tt.bind)
			conn, ours := quiet(own).(*quietConn)
			if !ours {
				t.Fatal("the socket is a plain one")
			}
			to := netip.AddrPortFrom(netip.MustParseAddr(tt.reach), addrOf(own.LocalAddr()).Port())
			if _, err := peer.WriteToUDPAddrPort([]byte("there"), to); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 100)
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
			if err != nil || string(buf[:n]) != "there" || from != addrOf(peer.LocalAddr()) {
				t.Fatalf("read %q from %v, %v; want it from %v", buf[:n], from, err, peer.LocalAddr())
			}
			if n, err := conn.WriteToUDPAddrPort([]byte("and back"), from); err != nil || n != len("and back") {
				t.Fatalf("wrote %d, %v", n, err)
			}
			if err := peer.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
				t.Fatal(err)
			}
			n, back, err := peer.ReadFromUDPAddrPort(buf)
			back = netip.AddrPortFrom(back.Addr().Unmap(), back.Port())
			if err != nil || string(buf[:n]) != "and back" || back != to {
				t.Errorf("the peer read %q from %v, %v; want it from %v", buf[:n], back, err, to)
			}
			if _, err := conn.WriteToUDPAddrPort(make([]byte, 70_000), from); !errors.Is(err, syscall.EMSGSIZE) {
				t.Errorf("too long a datagram: %v", err)
			}
			ended := make(chan error, 1)
			go func() { _, _, err := conn.ReadFromUDPAddrPort(buf); ended <- err }()
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Errorf("reading ended with %v", err)
			}
			if _, err := conn.WriteToUDPAddrPort([]byte("late"), from); !errors.Is(err, net.ErrClosed) {
				t.Errorf("writing to a closed socket: %v", err)
			}
		})
	}
	v4 := quiet(listen("udp4", "127.0.0.1:0"))
	if _, err := v4.WriteToUDPAddrPort([]byte("x"), netip.MustParseAddrPort("[::1]:9")); err == nil {
		t.Error("an IPv4 socket wrote to IPv6")
	}
}

// TestQuietConnMakesNoGarbage on the way of every message.
func TestQuietConnMakesNoGarbage(t *testing.T) {
	own, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	conn, message, buf, at := quiet(own), []byte("to itself"), make([]byte, 100), addrOf(own.LocalAddr())
	allocs := testing.AllocsPerRun(100, func() {
		_, err1 := conn.WriteToUDPAddrPort(message, at)
		_, _, err2 := conn.ReadFromUDPAddrPort(buf)
		if err := errors.Join(err1, err2); err != nil {
			t.Error(err)
		}
	})
	if allocs >= 1 {
		t.Errorf("%.1f allocations a message", allocs)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}
