package sip

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// dialKey names an outgoing connection for reuse.
type dialKey struct {
	proto string
	addr  netip.AddrPort
	name  string // server name of TLS
	tls   *tls.Config
}

// dialer owns the outgoing connections. Several requests to one place share one
// attempt and then its connection.
type dialer struct {
	mu      sync.Mutex // guards the maps; not held while dialling or calling back
	conns   map[dialKey]*streamConn
	waiting map[dialKey][]func(Flow, error)
}

// open finds or makes a flow to the best server and calls back, at once if nothing
// has to be looked up or dialled, else from another goroutine.
func (s *Stack) open(target Target, uri Uri, done func(Flow, error)) {
	s.locate(target, uri, func(servers []server, err error) {
		if err != nil {
			done(Flow{}, err)
			return
		}
		s.connect(servers[0], done)
	})
}

func (s *Stack) connect(at server, done func(Flow, error)) {
	to := at.addr
	if at.proto == UDP {
		u := s.socketFor(to.Addr())
		if u == nil {
			done(Flow{}, fmt.Errorf("%w: no UDP listener for %s", ErrNoRoute, to))
			return
		}
		done(Flow{link: u, remote: to}, nil)
		return
	}
	key := dialKey{proto: at.proto, addr: to}
	if at.proto == TLS {
		key.name, key.tls = at.name, at.tls
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
		conf := s.cfg.TLSClient
		if key.tls != nil {
			conf = key.tls
		}
		conf = conf.Clone()
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
		flow = Flow{link: c, remote: key.addr}
		if c.alive() { // else forget has been here, or comes
			s.dials.conns[key] = c
		}
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
