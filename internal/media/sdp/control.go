package sdp

import (
	"net/netip"
	"strconv"
	"strings"
)

// Control says where the author of a description wants RTCP.
type Control struct {
	// Mux is the port of RTP (RFC 5761).
	Mux bool
	// At is where "a=rtcp" (RFC 3605) says; not valid, it is the port above RTP.
	At netip.AddrPort
}

// control reads where the author of s, who wants RTP at remote, wants RTCP.
func (s *Section) control(remote netip.AddrPort) Control {
	var c Control
	_, c.Mux = s.Attr("rtcp-mux")
	value, _ := s.Attr("rtcp")
	f := strings.Fields(value)
	if len(f) == 0 || !remote.IsValid() {
		return c
	}
	port, err := strconv.ParseUint(f[0], 10, 16)
	if err != nil || port == 0 {
		return c
	}
	host := remote.Addr()
	if len(f) >= 4 {
		if a, err := netip.ParseAddr(f[3]); err == nil && a.Zone() == "" && !a.IsUnspecified() && !a.IsMulticast() {
			host = a.Unmap()
		}
	}
	c.At = netip.AddrPortFrom(host, uint16(port))
	return c
}
