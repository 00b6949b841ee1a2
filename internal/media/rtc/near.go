package rtc

import (
	"net"
	"net/netip"
)

// ownAddrs returns the addresses of this machine, without zones.
func ownAddrs() (map[netip.Addr]bool, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	own := make(map[netip.Addr]bool, len(all))
	for _, a := range all {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			own[prefix.Addr().Unmap()] = true
		}
	}
	return own, nil
}

// serves reports whether browsers at an address are served: all of them, or with
// Config.Near those on this machine.
func (s *Server) serves(at netip.Addr) bool {
	return !s.cfg.Near || at.IsLoopback() || s.own[at]
}
