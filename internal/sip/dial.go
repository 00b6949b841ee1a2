package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
)

// ErrNoRoute is reported for a request to which no listener or address fits.
var ErrNoRoute = errors.New("sip: no route")

// dialKey names an outgoing connection for reuse.
type dialKey struct {
	proto string
	addr  netip.AddrPort
	name  string // server name of TLS
}

// dialer owns the outgoing connections. Several requests to one place share one
// attempt and then its connection.
type dialer struct {
	mu      sync.Mutex // guards the maps; not held while dialling or calling back
	conns   map[dialKey]*streamConn
	waiting map[dialKey][]func(Flow, error)
}

// hop is a resolved first hop: what it is called and where it is.
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

// open finds or makes a flow and calls back, at once if nothing has to be looked
// up or dialled, else from another goroutine.
func (s *Stack) open(target Target, uri Uri, done func(Flow, error)) {
	h, err := hopOf(target, uri)
	if err != nil {
		done(Flow{}, err)
		return
	}
	if addr, err := netip.ParseAddr(h.host); err == nil {
		s.connect(h, addr.Unmap(), done)
		return
	}
	if !s.spawn(func() {
		addr, err := s.lookup(h.host)
		if err != nil {
			done(Flow{}, err)
			return
		}
		s.connect(h, addr, done)
	}) {
		done(Flow{}, errClosed)
	}
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
	for _, a := range addrs { // IPv4 first: what is configured more often
		if a = a.Unmap(); a.Is4() {
			return a, nil
		}
	}
	if len(addrs) == 0 {
		return netip.Addr{}, fmt.Errorf("%w: %s has no address", ErrNoRoute, host)
	}
	return addrs[0], nil
}

func (s *Stack) connect(h hop, addr netip.Addr, done func(Flow, error)) {
	to := netip.AddrPortFrom(addr, h.port)
	if h.proto == UDP {
		u := s.socketFor(addr)
		if u == nil {
			done(Flow{}, fmt.Errorf("%w: no UDP listener for %s", ErrNoRoute, to))
			return
		}
		done(Flow{link: u, remote: to}, nil)
		return
	}
	key := dialKey{proto: h.proto, addr: to}
	if h.proto == TLS {
		key.name = h.host
	}
	s.dials.mu.Lock()
	if c := s.dials.conns[key]; c != nil && c.alive() {
		s.dials.mu.Unlock()
		done(Flow{link: c, remote: to}, nil)
		return
	}
	first := s.dials.waiting[key] == nil
	s.dials.waiting[key] = append(s.dials.waiting[key], done)
	s.dials.mu.Unlock()
	if first && !s.spawn(func() { s.dial(key) }) {
		s.dialled(key, nil, errClosed)
	}
}

// dial connects and tells everybody who waits.
func (s *Stack) dial(key dialKey) {
	ctx, cancel := context.WithTimeout(s.ctx, dialTimeout)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", key.addr.String())
	if err != nil {
		s.dialled(key, nil, fmt.Errorf("%w: %w", ErrNoRoute, err))
		return
	}
	if key.proto == TLS {
		conf := s.cfg.TLSClient.Clone()
		if conf.ServerName == "" {
			conf.ServerName = key.name
		}
		t := tls.Client(conn, conf)
		if err := t.HandshakeContext(ctx); err != nil {
			_ = conn.Close() // the handshake's error says more
			s.dialled(key, nil, fmt.Errorf("%w: %w", ErrNoRoute, err))
			return
		}
		conn = t
	}
	c := s.newStream(conn, key.proto, s.placeOf(key.proto, key.addr.Addr()), key.addr)
	c.dialed = key
	c.seen = true // it is we who speak first
	if !s.enter(c, key.addr.Addr()) {
		c.fail(errClosed)
		s.dialled(key, nil, errClosed)
		return
	}
	go c.run()
	s.dialled(key, c, nil)
}

func (s *Stack) dialled(key dialKey, c *streamConn, err error) {
	s.dials.mu.Lock()
	waiting := s.dials.waiting[key]
	delete(s.dials.waiting, key)
	flow := Flow{}
	if c != nil {
		s.dials.conns[key] = c
		flow = Flow{link: c, remote: key.addr}
	}
	s.dials.mu.Unlock()
	for _, done := range waiting {
		done(flow, err)
	}
}

// forget drops a connection that is closed.
func (d *dialer) forget(l link) {
	c, ok := l.(*streamConn)
	if !ok || c.dialed.proto == "" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conns[c.dialed] == c {
		delete(d.conns, c.dialed)
	}
}
