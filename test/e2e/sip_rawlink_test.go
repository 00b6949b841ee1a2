//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/test/e2e/harness"
)

// rawLink says any bytes to a SIP port and hears what comes back.
type rawLink interface {
	send(data []byte) error
	// next returns the next message that came, or why none will.
	next(within time.Duration) (string, error)
}

// newRawLink opens a link of a transport from an address of loopback. Over UDP its
// port is 5060, where answers go to a request whose Via has no rport.
func newRawLink(t *testing.T, o *harness.Offhook, transport, ip string) rawLink {
	t.Helper()
	local := netip.MustParseAddr(ip)
	var link rawLink
	var closer io.Closer
	switch transport {
	case "UDP":
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 5060)))
		if err != nil {
			t.Fatal(err)
		}
		link, closer = &udpLink{conn, netip.MustParseAddrPort(o.SIP)}, conn
	case "TCP":
		conn, err := dialFrom(local).DialContext(t.Context(), "tcp", o.SIP)
		if err != nil {
			t.Fatal(err)
		}
		tcp, ok := conn.(*net.TCPConn)
		if !ok {
			t.Fatalf("a %T", conn)
		}
		link, closer = &tcpLink{tcp, bufio.NewReader(tcp)}, tcp
	default:
		client := &http.Client{Transport: &http.Transport{DialContext: dialFrom(local).DialContext}}
		conn, _, err := websocket.Dial(t.Context(), "ws://"+o.HTTP+"/", &websocket.DialOptions{Subprotocols: []string{"sip"}, HTTPClient: client})
		if err != nil {
			t.Fatal(err)
		}
		link, closer = wsLink{conn}, closeNow{conn}
	}
	t.Cleanup(func() { _ = closer.Close() }) // the server may have closed it
	return link
}

func dialFrom(local netip.Addr) *net.Dialer {
	return &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0)), Timeout: soon}
}

type udpLink struct {
	conn *net.UDPConn
	to   netip.AddrPort
}

func (l *udpLink) send(data []byte) error {
	_, err := l.conn.WriteToUDPAddrPort(data, l.to)
	return err
}

func (l *udpLink) next(within time.Duration) (string, error) {
	buf := make([]byte, 65536)
	if err := l.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return "", err
	}
	n, err := l.conn.Read(buf)
	return string(buf[:n]), err
}

type tcpLink struct {
	conn *net.TCPConn
	r    *bufio.Reader
}

// end says that nothing more will come.
func (l *tcpLink) end(t *testing.T) {
	t.Helper()
	if err := l.conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

func (l *tcpLink) send(data []byte) error {
	_, err := l.conn.Write(data)
	return err
}

func (l *tcpLink) next(within time.Duration) (string, error) {
	if err := l.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return "", err
	}
	var text strings.Builder
	length := 0
	for {
		line, err := l.r.ReadString('\n')
		if err != nil {
			return text.String(), err
		}
		text.WriteString(line)
		if value, found := strings.CutPrefix(line, "Content-Length: "); found {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return text.String(), err
			}
		}
		if line == "\r\n" {
			_, err := io.CopyN(&text, l.r, int64(length))
			return text.String(), err
		}
	}
}

type wsLink struct{ conn *websocket.Conn }

func (l wsLink) send(data []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	return l.conn.Write(ctx, websocket.MessageBinary, data)
}

func (l wsLink) next(within time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	_, data, err := l.conn.Read(ctx)
	return string(data), err
}

// closeNow closes a WebSocket without farewell.
type closeNow struct{ conn *websocket.Conn }

func (c closeNow) Close() error { return c.conn.CloseNow() }
