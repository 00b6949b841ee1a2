package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/coder/websocket"
)

// websocketLink is the link of a browser: SIP over WebSocket (RFC 7118).
type websocketLink struct {
	conn *websocket.Conn
	ctx  context.Context //nolint:containedctx // ended by close
	stop context.CancelFunc
}

// newWebAgent connects a browser to the server's pages at that address. Its media
// is on ip.
func newWebAgent(pages netip.AddrPort, ip string, number int) (*agent, error) {
	ctx, stop := context.WithCancel(context.Background())
	dialing, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(dialing, "ws://"+pages.String()+"/ws", &websocket.DialOptions{Subprotocols: []string{"sip"}}) //nolint:bodyclose // Dial closes it
	if err != nil {
		stop()
		return nil, fmt.Errorf("browser: %w", err)
	}
	name := fmt.Sprintf("web%d", number)
	a := &agent{
		link: &websocketLink{conn, ctx, stop}, name: name, addr: netip.AddrPortFrom(netip.MustParseAddr(ip), 0),
		via: "WS " + name + ".invalid", here: name + ".invalid;transport=ws", server: pages, reliable: true,
	}
	a.start()
	return a, nil
}

func (w *websocketLink) write(b []byte) {
	_ = w.conn.Write(w.ctx, websocket.MessageText, b) // who is gone is counted as a call without an end
}

func (w *websocketLink) next() ([]byte, error) {
	_, b, err := w.conn.Read(w.ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", net.ErrClosed, err)
	}
	return b, nil
}

func (w *websocketLink) close() {
	_ = w.conn.CloseNow()
	w.stop()
}
