package testkit

import (
	"net"
	"net/netip"
	"testing"
)

// FreePort returns a port that is free for TCP and UDP on addr, an IP address.
// It may be taken before it is used; ask a listener for port 0 where that is
// possible.
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
		if err == nil {
			udp.Close()
			return port
		}
	}
	t.Fatalf("no port of %s is free for both TCP and UDP", addr)
	return 0
}
