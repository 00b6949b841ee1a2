package sip

import (
	"net/netip"
	"strings"
)

// Towards returns the flow on which the sender of req, which came on f, is reached at
// contact: f itself, or, over UDP, the address that contact names, if nothing says
// that the sender sits behind a NAT. What a Via or Contact claims is worth little
// there: only the way that req came leads back (RFC 3581, RFC 5626 section 4.2).
func (f Flow) Towards(req *Request, contact Uri) Flow {
	if f.Transport() != UDP || behindNAT(req.Via(), f) || !strings.EqualFold(contact.Scheme, "sip") {
		return f
	}
	addr, err := netip.ParseAddr(trimBrackets(contact.Host))
	from := f.remote.Addr()
	port, ok := portOf(contact.Port)
	if err != nil || !ok || addr.Zone() != "" || addr.IsUnspecified() || addr.IsMulticast() || addr.Unmap().Is4() != from.Unmap().Is4() ||
		local(addr) && !local(from) {
		return f
	}
	if transport, ok := Param(contact.UriParams, "transport"); ok && !strings.EqualFold(transport, UDP) {
		return f
	}
	return Flow{link: f.link, remote: netip.AddrPortFrom(addr, port)}
}

// portOf returns the port that a Via or Contact on UDP names, the usual one if that is
// 0; the parser lets any number pass.
func portOf(port int) (uint16, bool) {
	return uint16(orDefault(port, int(defaultPort(UDP)))), port >= 0 && port <= 65535 //nolint:gosec // in range where it counts
}

// behindNAT reports whether the last hop calls itself otherwise than where its
// request came from. A name may be anything.
func behindNAT(via *ViaHeader, f Flow) bool {
	host, err := netip.ParseAddr(trimBrackets(via.Host))
	port, ok := portOf(via.Port)
	return err != nil || !ok ||
		netip.AddrPortFrom(host.Unmap(), port) != netip.AddrPortFrom(f.remote.Addr().Unmap(), f.remote.Port())
}

// local reports whether addr means something in one network only.
func local(addr netip.Addr) bool {
	return addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || notGlobal(addr)
}
