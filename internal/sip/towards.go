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
	if err != nil || addr.Zone() != "" || addr.IsUnspecified() || addr.IsMulticast() || addr.Unmap().Is4() != from.Unmap().Is4() ||
		local(addr) && !local(from) {
		return f
	}
	if transport, ok := Param(contact.UriParams, "transport"); ok && !strings.EqualFold(transport, UDP) {
		return f
	}
	return Flow{link: f.link, remote: netip.AddrPortFrom(addr, uint16(orDefault(contact.Port, 5060)))} //nolint:gosec // parsed as a port
}

// behindNAT reports whether the last hop calls itself otherwise than where its
// request came from. A name may be anything.
func behindNAT(via *ViaHeader, f Flow) bool {
	host, err := netip.ParseAddr(trimBrackets(via.Host))
	return err != nil || netip.AddrPortFrom(host.Unmap(), uint16(orDefault(via.Port, 5060))) != //nolint:gosec // parsed as a port
		netip.AddrPortFrom(f.remote.Addr().Unmap(), f.remote.Port())
}

// local reports whether addr means something in one network only.
func local(addr netip.Addr) bool {
	return addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || notGlobal(addr)
}
