//go:build !linux

package udp

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// poller stands for that of Linux on systems where nobody runs an exchange, but
// somebody may work on one: each socket has a goroutine.
type poller struct{}

func newPoller() (*poller, error) { return new(poller), nil }

func (p *poller) close() error { return nil }

// listen binds a socket.
func (p *poller) listen(at netip.AddrPort) (*Socket, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	return &Socket{conn: conn}, err
}

// Socket is one UDP socket.
type Socket struct {
	loop   *Loop
	conn   *net.UDPConn
	closed atomic.Bool
	wg     sync.WaitGroup
}

// Addr returns where the socket is bound.
func (s *Socket) Addr() netip.AddrPort {
	addr, ok := s.conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	return addr.AddrPort()
}

// SetBuffers asks the kernel for as many bytes each way; it may grant fewer.
func (s *Socket) SetBuffers(bytes int32) error {
	return errors.Join(s.conn.SetReadBuffer(int(bytes)), s.conn.SetWriteBuffer(int(bytes)))
}

// Start begins to call handle with what comes in, one datagram after the other.
func (s *Socket) Start(handle func(*Datagram)) error {
	s.wg.Go(func() {
		var d Datagram
		for {
			n, from, err := s.conn.ReadFromUDPAddrPort(d.Room())
			switch {
			case err == nil:
				d.Size, d.From = n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
				handle(&d)
			case errors.Is(err, net.ErrClosed):
				return
			}
		}
	})
	return nil
}

// Close ends it; handle is not called any more when it returns.
func (s *Socket) Close() {
	if s.closed.Swap(true) {
		return
	}
	_ = s.conn.Close() // UDP: nothing to lose
	s.wg.Wait()
	s.loop.leave()
}

// WriteTo sends one datagram.
func (s *Socket) WriteTo(b []byte, to netip.AddrPort) error {
	_, err := s.conn.WriteToUDPAddrPort(b, to)
	return err
}
