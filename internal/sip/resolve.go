package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// ErrNoRoute is reported for a request to which no listener or address fits.
var ErrNoRoute = errors.New("sip: no route")

// Resolver looks up names: *net.Resolver.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, addrs []*net.SRV, err error)
}

// hop is the first hop of a request, before its name is looked up.
type hop struct {
	proto, host string
	port        uint16 // 0 lets SRV records say it
	free        bool   // the transport was not given: SRV records may choose it
	tls         *tls.Config
}

// hopOf says where a request to uri goes, unless target says so (RFC 3263 section 4).
func hopOf(target Target, uri Uri) (hop, error) {
	h := hop{proto: strings.ToUpper(target.Transport), host: uri.Host, tls: target.TLS}
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
		h.proto, h.free = UDP, true
	case h.proto != UDP && h.proto != TCP && h.proto != TLS:
		return hop{}, fmt.Errorf("%w: cannot connect by %q", ErrNoRoute, h.proto)
	}
	h.host = strings.ToLower(strings.Trim(h.host, "[]"))
	if h.host == "" || port < 0 || port > 65535 {
		return hop{}, fmt.Errorf("%w: no address in %s", ErrNoRoute, uri.String())
	}
	h.port = uint16(port)
	return h, nil
}

func defaultPort(proto string) uint16 {
	if proto == TLS {
		return 5061
	}
	return 5060
}

// server is one address of a hop.
type server struct {
	proto string
	name  string // what a TLS certificate must be for
	addr  netip.AddrPort
	tls   *tls.Config
}

// serviceOf is the SRV record of each transport (RFC 3263 section 4.1).
var serviceOf = map[string][2]string{UDP: {"sip", "udp"}, TCP: {"sip", "tcp"}, TLS: {"sips", "tcp"}}

// locate finds the servers of a hop, best first, and calls back: at once for an
// address, or a name looked up lately, else from another goroutine.
func (s *Stack) locate(target Target, uri Uri, done func([]server, error)) {
	h, err := hopOf(target, uri)
	if err != nil {
		done(nil, err)
		return
	}
	if addr, err := netip.ParseAddr(h.host); err == nil {
		done([]server{h.server(h.proto, addr.Unmap(), h.port)}, nil)
		return
	}
	if found, ok := s.names.get(h); ok {
		done(s.inOrder(h, found), nil)
		return
	}
	if !s.spawn(func() {
		found, err := s.lookup(h)
		if err != nil {
			done(nil, err)
			return
		}
		s.names.put(h, found)
		done(s.inOrder(h, found), nil)
	}) {
		done(nil, errClosed)
	}
}

// server is one address of h; port 0 is the usual one.
func (h hop) server(proto string, addr netip.Addr, port uint16) server {
	if port == 0 {
		port = defaultPort(proto)
	}
	return server{proto: proto, name: h.host, addr: netip.AddrPortFrom(addr, port), tls: h.tls}
}

// lookup asks for the records of a name, off the loops: SRV unless a port is given
// (RFC 3263 section 4.2), else addresses. Which transports a name takes is told by
// its NAPTR records, if the resolver knows those, else by its SRV records. Names below
// .invalid belong to browsers and are never asked for (RFC 7118 appendix A).
func (s *Stack) lookup(h hop) ([]record, error) {
	if strings.HasSuffix(strings.TrimSuffix(h.host, "."), ".invalid") {
		return nil, fmt.Errorf("%w: %s is reached by its own connection only", ErrNoRoute, h.host)
	}
	ctx, cancel := context.WithTimeout(s.ctx, dialTimeout)
	defer cancel()
	if h.port == 0 {
		if found := s.lookupServices(ctx, h); len(found) > 0 {
			return found, nil
		}
		for _, proto := range h.transports() {
			service := serviceOf[proto]
			if found := s.lookupSRV(ctx, proto, "_"+service[0]+"._"+service[1]+"."+h.host); len(found) > 0 {
				return found, nil
			}
		}
	}
	addrs, err := s.lookupAddrs(ctx, h.host)
	if err != nil {
		return nil, err
	}
	return []record{{proto: h.proto, port: h.port, weight: 1, addrs: addrs}}, nil
}

// transports are those to ask SRV records for.
func (h hop) transports() []string {
	if h.free {
		return []string{UDP, TCP}
	}
	return []string{h.proto}
}

// services are the transports that NAPTR records name (RFC 3263 section 4.1).
var services = map[string]string{"SIP+D2U": UDP, "SIP+D2T": TCP, "SIPS+D2T": TLS}

// lookupServices follows the NAPTR records of a name whose transport is open.
func (s *Stack) lookupServices(ctx context.Context, h hop) []record {
	dns, ok := s.cfg.Resolver.(*DNS)
	if !ok || !h.free {
		return nil
	}
	list, err := dns.lookupNAPTR(ctx, h.host)
	if err != nil {
		s.log.Debug("sip: no NAPTR record", "name", h.host, "err", err)
	}
	for _, r := range list {
		proto, known := services[r.service]
		if !known || r.flags != "s" {
			continue
		}
		if found := s.lookupSRV(ctx, proto, r.replacement); len(found) > 0 {
			return found
		}
	}
	return nil
}

// lookupSRV asks for the servers of a service, such as _sip._udp.example.com.
func (s *Stack) lookupSRV(ctx context.Context, proto, name string) []record {
	_, found, err := s.cfg.Resolver.LookupSRV(ctx, "", "", name)
	if err != nil {
		s.log.Debug("sip: no SRV record", "name", name, "transport", proto, "err", err)
		return nil
	}
	var list []record
	for _, srv := range found {
		addrs, err := s.lookupAddrs(ctx, strings.TrimSuffix(srv.Target, "."))
		if err != nil {
			s.log.Info("sip: SRV target without address", "name", name, "target", srv.Target, "err", err)
			continue
		}
		list = append(list, record{proto: proto, port: srv.Port, priority: srv.Priority, weight: srv.Weight, addrs: addrs})
	}
	return list
}

// lookupAddrs returns the addresses of a host, IPv4 first: what is configured more often.
func (s *Stack) lookupAddrs(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs, err := s.cfg.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("%w: no address for %s: %w", ErrNoRoute, host, err)
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("%w: %s has no address", ErrNoRoute, host)
	}
	list := make([]netip.Addr, 0, len(addrs))
	for _, a := range addrs {
		list = append(list, a.Unmap())
	}
	slices.SortStableFunc(list, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	return list, nil
}

// inOrder brings the servers of records into the order of RFC 2782, anew for each
// request, with those that failed lately last.
func (s *Stack) inOrder(h hop, records []record) []server {
	var list []server
	for _, r := range shuffled(records) {
		for _, addr := range r.addrs {
			list = append(list, h.server(r.proto, addr, r.port))
		}
	}
	now := time.Now()
	slices.SortStableFunc(list, func(a, b server) int { return s.names.failed(a, now) - s.names.failed(b, now) })
	return list
}

// Servers returns the addresses that a request would try, best first. It blocks for
// a look-up and belongs on a goroutine of the caller's.
func (s *Stack) Servers(ctx context.Context, target Target, uri Uri) ([]netip.AddrPort, error) {
	type result struct {
		servers []server
		err     error
	}
	found := make(chan result, 1)
	s.locate(target, uri, func(servers []server, err error) { found <- result{servers, err} }) //nolint:contextcheck // a look-up is shared: it has the stack's life
	select {
	case r := <-found:
		addrs := make([]netip.AddrPort, 0, len(r.servers))
		for _, at := range r.servers {
			addrs = append(addrs, at.addr)
		}
		return addrs, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrNoRoute, ctx.Err())
	}
}
