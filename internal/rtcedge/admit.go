package rtcedge

import (
	"net/http"
	"net/netip"

	"github.com/offhook/offhook/internal/source"
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
func (e *Edge) admit(from netip.Addr) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	from = source.Of(from)
	if e.closed || e.strangers >= e.Limits.Strangers || e.sources[from] >= e.Limits.SourceStrangers {
		return false
	}
	e.strangers++
	e.sources[from]++
	e.running.Add(1)
	return true
}

// leave takes a stranger back who logged in or left.
func (e *Edge) leave(from netip.Addr) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.strangers--
	from = source.Of(from)
	if e.sources[from]--; e.sources[from] == 0 {
		delete(e.sources, from)
	}
}
