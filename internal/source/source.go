// Package source says what counts as one client wherever many are bounded: an IPv4
// address, or an IPv6 /64, which one customer gets whole.
package source

import "net/netip"

// Of returns the source that an address belongs to, by the first address of its
// network. Addresses of this machine stay as they are; the zero Addr is a source of
// its own, that of all who are unknown.
func Of(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() && !addr.IsLoopback() {
		network, _ := addr.Prefix(64) // 64 is in range
		return network.Addr()
	}
	return addr
}

// OfRemote returns the source of a far end as net and net/http write it, "host:port".
func OfRemote(remote string) netip.Addr {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return Of(at.Addr())
}
