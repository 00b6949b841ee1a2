package sip

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Limits of stream connections.
const (
	firstMessage  = 30 * time.Second // until the first complete message
	messageTime   = 10 * time.Second // from the first byte of a message to its last
	writeTimeout  = 10 * time.Second
	handshakeTime = 10 * time.Second
	dialTimeout   = 8 * time.Second
	farewell      = time.Second // for what waits to go out before the connection closes
)

var (
	errSlowPeer = errors.New("sip: peer does not read")
	errSilent   = errors.New("sip: peer says nothing")
)

// streamConn is a TCP or TLS connection and its read loop.
type streamConn struct {
	stack  *Stack
	conn   net.Conn
	proto  string // TCP or TLS
	at     place
	remote netip.AddrPort
	out    outbox
	dialed dialKey // of an outgoing connection, for reuse

	once sync.Once
	late bool // read loop only: the deadline of a begun message is set
	seen bool // read loop only: a message came
}

func (s *Stack) newStream(conn net.Conn, proto string, at place, remote netip.AddrPort) *streamConn {
	c := &streamConn{stack: s, conn: conn, proto: proto, at: at, remote: remote}
	c.out = outbox{write: c.writeNow, fail: c.fail, wg: &s.wg}
	return c
}

func (c *streamConn) transport() string { return c.proto }
func (c *streamConn) alive() bool       { return !c.out.isClosed() }

func (c *streamConn) local() netip.AddrPort { return addrOf(c.conn.LocalAddr()) }

// sentBy names the listener of the same transport, so that others can connect to
// it, or else our end of the connection.
func (c *streamConn) sentBy(to netip.AddrPort) hostPort {
	if c.at.bound.IsValid() {
		return c.at.sentBy(to)
	}
	return place{bound: c.local()}.sentBy(to)
}

func (c *streamConn) send(data []byte, _ netip.AddrPort) error { return c.out.put(data) }

func (c *streamConn) writeNow(data []byte) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := c.conn.Write(data)
	return err
}

// fail closes the connection once. The read loop then ends and reports it.
func (c *streamConn) fail(why error) {
	c.once.Do(func() {
		c.out.close()
		c.stack.log.Debug("sip: connection closed", "transport", c.proto, "remote", c.remote, "why", why)
		// A TLS close waits for the peer to take the alert; the socket is what counts.
		if t, ok := c.conn.(*tls.Conn); ok {
			_ = t.NetConn().Close()
			return
		}
		_ = c.conn.Close() // the first error is the one that matters
	})
}

// run is the read loop. It returns when the connection is closed.
func (c *streamConn) run() {
	flow := Flow{link: c, remote: c.remote}
	defer c.stack.flowClosed(flow)
	if t, ok := c.conn.(*tls.Conn); ok && !c.handshake(t) {
		return
	}
	f := framer{r: c.conn, pong: func() { _ = c.out.put(crlf) }, partial: c.hurry, idle: c.rest}
	for {
		msg, err := f.next()
		if err != nil {
			if errors.Is(err, errLength) {
				if answer := refuseRaw(msg, 400, "Bad Content-Length"); answer != nil {
					_ = c.out.put(answer) // the connection closes either way
				}
			}
			c.leave(err)
			return
		}
		c.late, c.seen = false, true
		if !c.stack.admit(c.proto, c.remote) {
			continue
		}
		if err := c.stack.receive(msg, flow); err != nil {
			c.leave(err)
			return
		}
	}
}

// leave closes the connection, but lets the answers to what came before go out: a
// peer that says one thing wrong, or only stops sending, still gets them.
func (c *streamConn) leave(why error) {
	limit := time.AfterFunc(farewell, func() { c.fail(why) })
	defer limit.Stop()
	c.out.settle()
	c.fail(why)
}

func (c *streamConn) handshake(t *tls.Conn) bool {
	if err := c.conn.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		c.fail(err)
		return false
	}
	if err := t.HandshakeContext(c.stack.ctx); err != nil {
		c.fail(err)
		return false
	}
	return true
}

// hurry gives a message that has begun a fixed time to arrive whole, however
// often bytes drip in.
func (c *streamConn) hurry() {
	if !c.late {
		c.late = true
		c.readBefore(messageTime)
	}
}

func (c *streamConn) rest() {
	if c.seen {
		c.readBefore(c.stack.cfg.IdleTimeout)
		return
	}
	c.readBefore(firstMessage)
}

func (c *streamConn) readBefore(d time.Duration) {
	if err := c.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		c.fail(err)
	}
}
