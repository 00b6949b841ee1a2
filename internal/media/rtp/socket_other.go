//go:build !linux

package rtp

import (
	"errors"
	"net"
	"net/netip"
	"sync"
)

// poller stands for that of Linux on systems where nobody runs an exchange, but
// somebody may work on one: each socket has a goroutine.
type poller struct{}

func newPoller() (*poller, error) { return new(poller), nil }

func (p *poller) close() error { return nil }

// socket is one UDP socket.
type socket struct {
	conn *net.UDPConn
	wg   sync.WaitGroup
}

// listen binds a socket.
func (p *poller) listen(at netip.AddrPort) (*socket, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	return &socket{conn: conn}, err
}

// start begins to call handle with what comes in, one datagram after the other.
func (s *socket) start(handle func(*datagram)) error {
	s.wg.Go(func() {
		var d datagram
		for {
			n, from, err := s.conn.ReadFromUDPAddrPort(d.room())
			switch {
			case err == nil:
				d.size, d.from = n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
				handle(&d)
			case errors.Is(err, net.ErrClosed):
				return
			}
		}
	})
	return nil
}

// close ends it; handle is not called any more when it returns.
func (s *socket) close() {
	_ = s.conn.Close() // UDP: nothing to lose
	s.wg.Wait()
}

// writeTo sends one datagram.
func (s *socket) writeTo(b []byte, to netip.AddrPort) error {
	_, err := s.conn.WriteToUDPAddrPort(b, to)
	return err
}
