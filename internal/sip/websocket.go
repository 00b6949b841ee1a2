package sip

import (
	"bytes"
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// wsConn is a SIP WebSocket (RFC 7118): one message in each text or binary frame.
type wsConn struct {
	stack  *Stack
	conn   *websocket.Conn
	proto  string // WS or WSS
	remote netip.AddrPort
	out    outbox
	ctx    context.Context //nolint:containedctx // the connection's life, which has no other carrier
	cancel context.CancelFunc
	once   sync.Once
	missed int // by ping only, which never runs twice at a time
}

func (c *wsConn) transport() string     { return c.proto }
func (c *wsConn) local() netip.AddrPort { return netip.AddrPort{} }
func (c *wsConn) alive() bool           { return !c.out.isClosed() }

func (c *wsConn) sentBy(netip.AddrPort) hostPort { return c.stack.wsHost }

func (c *wsConn) send(data []byte, _ netip.AddrPort) error { return c.out.put(data) }

func (c *wsConn) writeNow(data []byte) error {
	ctx, cancel := context.WithTimeout(c.ctx, writeTimeout)
	defer cancel()
	return c.conn.Write(ctx, websocket.MessageText, data)
}

func (c *wsConn) fail(why error) {
	c.once.Do(func() {
		c.out.close()
		c.stack.log.Debug("sip: WebSocket closed", "remote", c.remote, "why", why)
		c.cancel()
		_ = c.conn.CloseNow() // no farewell to wait for
	})
}

// ServeWebSocket begins to serve a socket that was accepted with sub-protocol "sip",
// until it closes or the stack is closed; then it is closed. It returns at once, so
// that an idle browser does not keep the request that it came with. remote is the
// peer's address, secure says that it came over TLS.
func (s *Stack) ServeWebSocket(conn *websocket.Conn, remote netip.AddrPort, secure bool) {
	c := &wsConn{stack: s, conn: conn, proto: WS, remote: remote}
	if secure {
		c.proto = WSS
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.out = outbox{write: c.writeNow, fail: c.fail, wg: &s.wg}
	if !s.admit(c.proto, remote) || !s.enter(c, remote.Addr()) {
		c.cancel()
		_ = conn.CloseNow() // refused
		return
	}
	conn.SetReadLimit(maxMessage)
	go guard(s.log, c.run) // Close waits for it: enter has counted it
}

func (c *wsConn) run() {
	flow := Flow{link: c, remote: c.remote}
	defer c.stack.flowClosed(flow)
	c.pingLater()
	silent := time.AfterFunc(firstMessage, func() { c.fail(errSilent) })
	defer silent.Stop()
	for {
		_, msg, err := c.conn.Read(c.ctx)
		if err != nil {
			c.fail(err)
			return
		}
		silent.Stop()
		if len(bytes.Trim(msg, "\r\n\x00")) == 0 {
			if bytes.HasPrefix(msg, []byte("\r\n\r\n")) {
				_ = c.out.put(crlf) // keep-alive of RFC 5626; a closed outbox ends the loop
			}
			continue
		}
		if !c.stack.admit(c.proto, c.remote) {
			continue
		}
		if err := c.stack.receive(msg, flow); err != nil {
			c.fail(err)
			return
		}
	}
}

func (c *wsConn) pingLater() { time.AfterFunc(c.stack.cfg.PingInterval, c.ping) }

// ping asks whether the browser is still there. Its pong is read by run. The
// goroutine is the timer's and lives until the pong.
func (c *wsConn) ping() {
	if !c.out.enter() {
		return
	}
	defer c.stack.wg.Done()
	ctx, cancel := context.WithTimeout(c.ctx, c.stack.cfg.PingInterval)
	defer cancel()
	if err := c.conn.Ping(ctx); err == nil {
		c.missed = 0
	} else if c.missed++; c.missed >= 2 {
		c.fail(err)
		return
	}
	c.pingLater()
}
