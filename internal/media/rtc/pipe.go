package rtc

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/pion/transport/v4/deadline"
)

// pipeDepth is how many DTLS records wait for the handshake goroutine. The
// longest flight of a handshake has six; more is a flood and is dropped.
const pipeDepth = 32

// pipe is the packet connection below one DTLS association. Its reader gets what
// the server's readers deliver; what is written goes to wherever the
// path's far end is now.
type pipe struct {
	path    *Path
	in      chan []byte
	readBy  *deadline.Deadline
	closing sync.Once
	closed  chan struct{}
}

func newPipe(p *Path) *pipe {
	return &pipe{path: p, in: make(chan []byte, pipeDepth), readBy: deadline.New(), closed: make(chan struct{})}
}

// deliver queues a copy of record, or drops it if the reader is that far behind.
func (c *pipe) deliver(record []byte) {
	select {
	case c.in <- append([]byte(nil), record...):
	default:
		c.path.malformed.Add(1)
	}
}

// ReadFrom implements net.PacketConn.
func (c *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case record := <-c.in:
		return copy(b, record), c.RemoteAddr(), nil
	case <-c.closed:
		return 0, nil, net.ErrClosed
	case <-c.readBy.Done():
		return 0, nil, os.ErrDeadlineExceeded
	}
}

// WriteTo implements net.PacketConn; the address is ignored.
func (c *pipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case <-c.closed:
		return 0, net.ErrClosed
	default:
	}
	if to := c.path.peer.Load(); to != nil {
		c.path.srv.write(b, *to)
	}
	return len(b), nil
}

// Close implements net.PacketConn.
func (c *pipe) Close() error {
	c.closing.Do(func() { close(c.closed) })
	return nil
}

// LocalAddr implements net.PacketConn.
func (c *pipe) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.path.srv.Addr()) }

// RemoteAddr is constant on purpose: an association survives a change of the far
// end's address, and the DTLS package must not take it for another peer.
func (c *pipe) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(netip.AddrPort{}) }

// SetDeadline implements net.PacketConn.
func (c *pipe) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (c *pipe) SetReadDeadline(t time.Time) error {
	c.readBy.Set(t)
	return nil
}

// SetWriteDeadline implements net.PacketConn: writes never wait.
func (c *pipe) SetWriteDeadline(time.Time) error { return nil }
