package testkit

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// FreePort takes ports of this range: below those that the kernel gives to whoever
// asks for any and to every connection that leaves (net.ipv4.ip_local_port_range),
// one of which may have the port before it is used; and below the RTP ports of
// test/e2e.
const firstPort, lastPort = 10000, 16383

// given are the addresses that FreePort has returned.
var given sync.Map // of netip.AddrPort

// FreePort returns a port that is free for TCP and UDP on addr, an IP address,
// another one each time. Another process may take it before it is used; ask a
// listener for port 0 where that is possible.
func FreePort(t testing.TB, addr string) uint16 {
	t.Helper()
	ip := netip.MustParseAddr(addr)
	for range 1000 {
		at := netip.AddrPortFrom(ip, uint16(firstPort+rand.IntN(lastPort-firstPort+1)))
		if _, taken := given.LoadOrStore(at, true); !taken && free(at) {
			return at.Port()
		}
	}
	t.Fatalf("no port of %s is free for both TCP and UDP", addr)
	return 0
}

// free reports whether at can be listened to.
func free(at netip.AddrPort) bool {
	tcp, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
	if err != nil {
		return false
	}
	defer tcp.Close()
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return false
	}
	udp.Close()
	return true
}
