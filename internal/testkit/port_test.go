package testkit

import (
	"net"
	"net/netip"
	"testing"
)

// TestFreePortIsAnotherEachTime asks often enough for a port to come twice, and
// wants none that a connection may get that leaves meanwhile.
func TestFreePortIsAnotherEachTime(t *testing.T) {
	seen := map[uint16]bool{}
	for range 1000 {
		port := FreePort(t, "127.0.0.1")
		if seen[port] || port > lastPort {
			t.Fatalf("port %d came twice, or is not below %d", port, lastPort)
		}
		seen[port] = true
	}
}

// What a program has for UDP alone or for TCP alone is not free.
func TestFreePortIsFree(t *testing.T) {
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), FreePort(t, "127.0.0.1"))
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	if free(at) {
		t.Error("free with a UDP socket")
	}
	udp.Close()
	tcp, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	if free(at) {
		t.Error("free with a TCP listener")
	}
	tcp.Close()
}
