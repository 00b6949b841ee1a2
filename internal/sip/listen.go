package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Listen says where to listen and what our messages call that place.
type Listen struct {
	// Addr is "host:port"; port 0 picks one.
	Addr string
	// Advertise is written into Via and Contact: "host" or "host:port". Empty is
	// the bound address, or, on a wildcard address, the local address that
	// reaches the peer.
	Advertise string
	// TLS is the configuration of ListenTLS.
	TLS *tls.Config
}

// ListenUDP opens a UDP socket and serves it until Close. It returns the bound address.
func (s *Stack) ListenUDP(ctx context.Context, l Listen) (netip.AddrPort, error) {
	var lc net.ListenConfig
	pc, err := lc.ListenPacket(ctx, "udp", l.Addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("sip: listen: %w", err)
	}
	conn, ok := pc.(*net.UDPConn)
	if !ok {
		return netip.AddrPort{}, errors.Join(fmt.Errorf("sip: listen: %T is not a UDP socket", pc), pc.Close())
	}
	if err := conn.SetReadBuffer(udpReadBuffer); err != nil {
		s.log.Debug("sip: UDP read buffer", "err", err)
	}
	return s.servePackets(quiet(conn), l.Advertise)
}

func (s *Stack) servePackets(conn packetConn, advertise string) (netip.AddrPort, error) {
	at, err := newPlace(addrOf(conn.LocalAddr()), advertise)
	if err != nil {
		return netip.AddrPort{}, errors.Join(err, conn.Close())
	}
	u := &udpSocket{stack: s, conn: conn, at: at}
	if !s.addSocket(u) {
		return netip.AddrPort{}, errors.Join(errClosed, conn.Close())
	}
	go func() {
		defer s.wg.Done()
		u.run()
	}()
	return at.bound, nil
}

// ListenTCP accepts TCP connections until Close. It returns the bound address.
func (s *Stack) ListenTCP(ctx context.Context, l Listen) (netip.AddrPort, error) {
	return s.listenStream(ctx, TCP, l)
}

// ListenTLS accepts TLS connections until Close. It returns the bound address.
func (s *Stack) ListenTLS(ctx context.Context, l Listen) (netip.AddrPort, error) {
	if l.TLS == nil {
		return netip.AddrPort{}, errors.New("sip: ListenTLS without a TLS configuration")
	}
	return s.listenStream(ctx, TLS, l)
}

// acceptor is a TCP or TLS listener and its accept loop.
type acceptor struct {
	stack *Stack
	ln    net.Listener
	proto string
	at    place
	tls   *tls.Config
}

func (s *Stack) listenStream(ctx context.Context, proto string, l Listen) (netip.AddrPort, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", l.Addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("sip: listen: %w", err)
	}
	at, err := newPlace(addrOf(ln.Addr()), l.Advertise)
	if err != nil {
		return netip.AddrPort{}, errors.Join(err, ln.Close())
	}
	a := &acceptor{stack: s, ln: ln, proto: proto, at: at, tls: l.TLS}
	if !s.addAcceptor(a) {
		return netip.AddrPort{}, errors.Join(errClosed, ln.Close())
	}
	go func() {
		defer s.wg.Done()
		a.run()
	}()
	return at.bound, nil
}

// run accepts. The TLS handshake is done by the connection's own loop, so a
// client that stays silent keeps nobody waiting.
func (a *acceptor) run() {
	for {
		conn, err := a.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors, or the peer left already
			a.stack.log.Warn("sip: accept", "err", err)
			time.Sleep(50 * time.Millisecond)
			continue
		}
		a.stack.serveStream(conn, a.proto, a.at, a.tls)
	}
}

// serveStream starts the read loop of an accepted connection.
func (s *Stack) serveStream(conn net.Conn, proto string, at place, conf *tls.Config) {
	remote := addrOf(conn.RemoteAddr())
	if proto == TLS {
		conn = tls.Server(conn, conf)
	}
	c := s.newStream(conn, proto, at, remote)
	if !s.admit(proto, remote) || !s.enter(c, remote.Addr()) {
		c.fail(errors.New("sip: connection refused by limits"))
		return
	}
	go c.run()
}
