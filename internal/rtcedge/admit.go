package rtcedge

import (
	"net/http"
	"net/netip"
)

// sourceOf says where a request comes from; the zero Addr is unknown.
func (e *Edge) sourceOf(r *http.Request) netip.Addr {
	if e.Source != nil {
		return e.Source(r)
	}
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return ap.Addr().Unmap()
	}
	return netip.Addr{}
}

// admit lets one more stranger in and counts a handler that Close waits for. One
// source alone cannot keep all others out.
func (e *Edge) admit(source netip.Addr) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	net := network(source)
	if e.closed || e.strangers >= e.Limits.Strangers || e.sources[net] >= e.Limits.SourceStrangers {
		return false
	}
	e.strangers++
	e.sources[net]++
	e.running.Add(1)
	return true
}

// leave takes a stranger back who logged in or left.
func (e *Edge) leave(source netip.Addr) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.strangers--
	net := network(source)
	if e.sources[net]--; e.sources[net] == 0 {
		delete(e.sources, net)
	}
}

// network is what one client may own: an IPv4 address or an IPv6 /64.
func network(source netip.Addr) netip.Prefix {
	bits := 64
	if source.Is4() {
		bits = 32
	}
	p, err := source.Prefix(bits)
	if err != nil { // unknown source: all of them share one entry
		return netip.Prefix{}
	}
	return p
}
