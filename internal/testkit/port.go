package testkit

import (
	"net"
	"net/netip"
	"sync"
	"testing"
)

// given are the addresses that FreePort has returned: the kernel gives a port that
// was just closed to the next who asks, and that may be another test.
var given sync.Map // of netip.AddrPort

// FreePort returns a port that is free for TCP and UDP on addr, an IP address,
// another one each time. Another process may take it before it is used; ask a
// listener for port 0 where that is possible.
func FreePort(t testing.TB, addr string) uint16 {
	t.Helper()
	ip := netip.MustParseAddr(addr)
	for range 100 {
		tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: ip.AsSlice()})
		if err != nil {
			t.Fatal(err)
		}
		port := tcp.Addr().(*net.TCPAddr).AddrPort().Port() //nolint:forcetypeassert // documented type
		udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, port)))
		tcp.Close()
		if err != nil {
			continue
		}
		udp.Close()
		if _, taken := given.LoadOrStore(netip.AddrPortFrom(ip, port), true); !taken {
			return port
		}
	}
	t.Fatalf("no port of %s is free for both TCP and UDP", addr)
	return 0
}
