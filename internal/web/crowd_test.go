package web

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// from is a connection of which only the far address is known.
type from struct {
	net.Conn
	at string
}

func (c *from) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.at)) }

func (c *from) Close() error { return nil }

func TestCrowd(t *testing.T) {
	for _, tt := range []struct {
		name string
		open []string
		next string
		in   bool
	}{
		{"one of many", []string{"192.0.2.1:1"}, "192.0.2.1:2", true},
		{"one too many of an address", []string{"192.0.2.1:1", "192.0.2.1:2"}, "192.0.2.1:3", false},
		{"the same, mapped", []string{"192.0.2.1:1", "[::ffff:192.0.2.1]:2"}, "192.0.2.1:3", false},
		{"another address", []string{"192.0.2.1:1", "192.0.2.1:2"}, "192.0.2.2:3", true},
		{"another address of the same network", []string{"[2001:db8::1]:1", "[2001:db8::2]:1"}, "[2001:db8::3]:1", false},
		{"another network", []string{"[2001:db8::1]:1", "[2001:db8::2]:1"}, "[2001:db8:0:1::3]:1", true},
		{"a proxy of ours", []string{"127.0.0.1:1", "127.0.0.1:2"}, "127.0.0.1:3", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCrowd(4, 2, slog.New(slog.DiscardHandler))
			var all []net.Conn
			for _, at := range tt.open {
				all = append(all, &from{at: at})
				c.state(all[len(all)-1], http.StateNew)
			}
			if len(c.inside) != len(tt.open) {
				t.Fatalf("%d of %d are in", len(c.inside), len(tt.open))
			}
			next := &from{at: tt.next}
			c.state(next, http.StateNew)
			if _, in := c.inside[next]; in != tt.in {
				t.Errorf("let in: %v, want %v", in, tt.in)
			}
			for _, conn := range append(all, next) { // also the one that was never in
				c.state(conn, http.StateClosed)
			}
			if len(c.inside) != 0 || len(c.sources) != 0 || c.quiet.Len() != 0 {
				t.Errorf("left: %d connections of %d sources", len(c.inside), len(c.sources))
			}
		})
	}
}

// TestSilentConnectionsMakeRoom fills the listener with silence. The oldest leaves for
// who comes next, one that asks stays, and a WebSocket is counted no more.
func TestSilentConnectionsMakeRoom(t *testing.T) {
	begun, goOn, hijacked := make(chan struct{}, 1), make(chan struct{}), make(chan net.Conn, 1)
	s := start(t, Config{MaxConns: 3}, Handlers{
		Signalling: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
			}
			hijacked <- conn
		}),
		API: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			begun <- struct{}{}
			<-goOn
			plain(w, http.StatusOK, "done")
		}),
	}, nil)
	ask := func(conn net.Conn, request string) {
		t.Helper()
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
	}
	ask(dial(t, s), "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	socket := <-hijacked
	defer socket.Close()
	slow := dial(t, s)
	ask(slow, "GET /api/slow HTTP/1.0\r\n\r\n")
	<-begun
	first := dial(t, s)
	_ = dial(t, s) // and a second silent one
	last := dial(t, s)
	ask(last, "GET /healthz HTTP/1.0\r\n\r\n")
	if answer, err := io.ReadAll(last); err != nil || !strings.Contains(string(answer), "200 OK") {
		t.Errorf("who comes last: %q, %v", answer, err)
	}
	if n, err := first.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the oldest silent one: %d bytes, %v", n, err)
	}
	close(goOn)
	if answer, err := io.ReadAll(slow); err != nil || !strings.Contains(string(answer), "done") {
		t.Errorf("one that asks: %q, %v", answer, err)
	}
}
