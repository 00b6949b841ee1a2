package sip

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
)

// maxMessage bounds a message, header and body, on every transport.
const maxMessage = 64 << 10

// udpReadBuffer is asked of the kernel: bursts of REGISTER wait there.
const udpReadBuffer = 4 << 20

// packetConn is the part of *net.UDPConn that is used; tests bring their own.
type packetConn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	LocalAddr() net.Addr
	Close() error
}

// udpSocket is a UDP socket and its read loop.
type udpSocket struct {
	stack  *Stack
	conn   packetConn
	at     place
	closed atomic.Bool
}

func (u *udpSocket) transport() string     { return UDP }
func (u *udpSocket) local() netip.AddrPort { return u.at.bound }
func (u *udpSocket) alive() bool           { return !u.closed.Load() }

func (u *udpSocket) sentBy(to netip.AddrPort) hostPort { return u.at.sentBy(to) }

// send has no size limit but the datagram's: an answer above 1300 bytes goes out
// (RFC 3261 section 18.1.1 limits requests, and only where TCP is an option).
func (u *udpSocket) send(data []byte, to netip.AddrPort) error {
	if u.at.bound.Addr().Is4() {
		to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	}
	_, err := u.conn.WriteToUDPAddrPort(data, to)
	return err
}

func (u *udpSocket) fail(error) {
	if u.closed.CompareAndSwap(false, true) {
		if err := u.conn.Close(); err != nil {
			u.stack.log.Debug("sip: closing UDP socket", "err", err)
		}
	}
}

// run is the read loop: datagrams in the order of arrival, one at a time.
func (u *udpSocket) run() {
	buf := make([]byte, maxMessage)
	for {
		n, from, err := u.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if u.closed.Load() || errors.Is(err, net.ErrClosed) {
				return
			}
			u.stack.log.Debug("sip: UDP read", "err", err)
			continue
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if u.keptAlive(buf[:n], from) {
			continue
		}
		data := bytes.TrimLeft(buf[:n], "\r\n")
		if !plausible(data) || !u.stack.admit(UDP, from) {
			continue
		}
		if err := u.stack.receive(data, Flow{link: u, remote: from}); err != nil {
			u.stack.log.Debug("sip: datagram dropped", "from", from, "err", err)
		}
	}
}

// keptAlive answers a STUN keep-alive.
func (u *udpSocket) keptAlive(data []byte, from netip.AddrPort) bool {
	answer := stunAnswer(data, from)
	if answer != nil && u.stack.admit(UDP, from) {
		if err := u.send(answer, from); err != nil {
			u.stack.log.Debug("sip: keep-alive not answered", "from", from, "err", err)
		}
	}
	return answer != nil
}

// plausible sorts out keep-alives, STUN, RTP and noise before anything is
// remembered of their source: a message begins with a letter and is not tiny.
func plausible(data []byte) bool {
	if len(data) < 16 {
		return false
	}
	c := data[0] | 0x20
	return c >= 'a' && c <= 'z' || data[0] == '%' || data[0] == '!' || data[0] == '-'
}
