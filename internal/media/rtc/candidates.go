package rtc

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/offhook/offhook/internal/media/sdp"
)

// hostCandidates lists where browsers can reach the socket at local, best first:
// public addresses, IPv4, IPv6, loopback; with Near loopback first.
func (c Config) hostCandidates(local netip.AddrPort, public []netip.Addr) ([]sdp.Candidate, error) {
	addrs := slices.Clone(public)
	if bound := local.Addr().Unmap(); bound.IsUnspecified() {
		all, err := net.InterfaceAddrs()
		if err != nil {
			return nil, err
		}
		// An IPv4 wildcard socket hears no IPv6.
		addrs = append(addrs, c.usable(all, bound.Is4())...)
	} else {
		addrs = append(addrs, bound)
	}
	var list []sdp.Candidate
	for _, a := range addrs {
		c := sdp.Candidate{Addr: netip.AddrPortFrom(a.Unmap(), local.Port())}
		if !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no address of this machine can be offered for %s", local)
	}
	return list, nil
}

// usable picks the addresses that another machine, or with Loopback or Near a
// browser on this one, can send to. A machine without network has its loopback only.
func (c Config) usable(all []net.Addr, only4 bool) []netip.Addr {
	var global, local []netip.Addr
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		addr := prefix.Addr().Unmap()
		switch {
		case err != nil || only4 && !addr.Is4() || addr.IsLinkLocalUnicast():
		case addr.IsLoopback():
			local = append(local, addr)
		default:
			global = append(global, addr)
		}
	}
	ipv4First := func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() }
	slices.SortStableFunc(global, ipv4First)
	slices.SortStableFunc(local, ipv4First)
	switch {
	case c.Near:
		return append(local, global...)
	case c.Loopback || len(global) == 0:
		return append(global, local...)
	}
	return global
}
