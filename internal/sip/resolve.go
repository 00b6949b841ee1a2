package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// ErrNoRoute is reported for a request to which no listener or address fits.
var ErrNoRoute = errors.New("sip: no route")

// hop is the first hop of a request, before its name is looked up.
type hop struct {
	proto, host string
	port        uint16
}

// hopOf says where a request to uri goes, unless target says so (RFC 3263 without
// NAPTR and SRV records).
func hopOf(target Target, uri Uri) (hop, error) {
	h := hop{proto: strings.ToUpper(target.Transport), host: uri.Host}
	port := uri.Port
	if target.Addr != "" {
		at, err := parseHostPort(target.Addr)
		if err != nil {
			return hop{}, err
		}
		h.host, port = at.host, at.port
	}
	if h.proto == "" {
		p, _ := Param(uri.UriParams, "transport")
		h.proto = strings.ToUpper(p)
	}
	switch {
	case uri.Scheme == "sips" && (h.proto == "" || h.proto == TCP):
		h.proto = TLS
	case h.proto == "":
		h.proto = UDP
	case h.proto != UDP && h.proto != TCP && h.proto != TLS:
		return hop{}, fmt.Errorf("%w: cannot connect by %q", ErrNoRoute, h.proto)
	}
	if port == 0 {
		port = 5060
		if h.proto == TLS {
			port = 5061
		}
	}
	h.host = strings.Trim(h.host, "[]")
	if h.host == "" || port < 0 || port > 65535 {
		return hop{}, fmt.Errorf("%w: no address in %s", ErrNoRoute, uri.String())
	}
	h.port = uint16(port)
	return h, nil
}

// lookup resolves a host name, off the loops. Names below .invalid belong to
// browsers and are never asked for (RFC 7118 appendix A).
func (s *Stack) lookup(host string) (netip.Addr, error) {
	if strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), ".invalid") {
		return netip.Addr{}, fmt.Errorf("%w: %s is reached by its own connection only", ErrNoRoute, host)
	}
	ctx, cancel := context.WithTimeout(s.ctx, dialTimeout)
	defer cancel()
	addrs, err := s.cfg.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%w: %w", ErrNoRoute, err)
	}
	if len(addrs) == 0 {
		return netip.Addr{}, fmt.Errorf("%w: %s has no address", ErrNoRoute, host)
	}
	best := addrs[0].Unmap()
	for _, a := range addrs { // IPv4 first: what is configured more often
		if a = a.Unmap(); a.Is4() {
			best = a
			break
		}
	}
	s.names.put(host, best)
	return best, nil
}

// names remembers addresses for a short while, as the system's resolver does not:
// the requests of a dialog, and the calls to a trunk, go to the same few names.
type names struct {
	mu    sync.Mutex // guards known
	known map[string]named
}

type named struct {
	addr  netip.Addr
	until time.Time
}

const (
	namesLife = 30 * time.Second
	maxNames  = 256
)

// get returns the address of a literal or of a name looked up lately.
func (n *names) get(host string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap(), true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	e, ok := n.known[strings.ToLower(host)]
	return e.addr, ok && time.Now().Before(e.until)
}

func (n *names) put(host string, addr netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil || len(n.known) >= maxNames {
		n.known = make(map[string]named)
	}
	n.known[strings.ToLower(host)] = named{addr, time.Now().Add(namesLife)}
}
