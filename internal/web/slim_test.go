package web

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/testkit"
)

// echo serves the pages' handler with a SIP socket that sends everything back. The
// channel gets the size of each socket's read buffer.
func echo(t *testing.T) (addr string, buffers <-chan int) {
	t.Helper()
	testkit.CheckLeaks(t)
	sizes := make(chan int, 10)
	sip := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(sizing{w, sizes}, r, &websocket.AcceptOptions{Subprotocols: []string{"sip"}})
		if err != nil {
			t.Error(err)
			return
		}
		conn.SetReadLimit(1 << 20)
		for {
			typ, message, err := conn.Read(r.Context())
			if err != nil {
				_ = conn.CloseNow()
				return
			}
			if err := conn.Write(r.Context(), typ, message); err != nil {
				t.Error(err)
			}
		}
	})
	h, err := newHandler(Config{}, Handlers{SIP: sip}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), sizes
}

// sizing tells what the connection was upgraded with.
type sizing struct {
	http.ResponseWriter
	sizes chan<- int
}

// Hijack implements http.Hijacker.
func (s sizing) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err == nil {
		s.sizes <- buffers.Reader.Size()
	}
	return conn, buffers, err
}

// TestSlimSocketCarriesLongMessages sends what no buffer of ours holds.
func TestSlimSocketCarriesLongMessages(t *testing.T) {
	addr, buffers := echo(t)
	conn, _, err := websocket.Dial(t.Context(), "ws://"+addr+"/ws", &websocket.DialOptions{Subprotocols: []string{"sip"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	conn.SetReadLimit(1 << 20)
	if got := testkit.Receive(t, buffers, 10*time.Second, "the upgrade"); got != slimRead {
		t.Errorf("a read buffer of %d bytes, want %d", got, slimRead)
	}
	for _, size := range []int{1, slimRead, slimWrite - 1, slimWrite, 3000, 100_000} {
		sent := bytes.Repeat([]byte("x"), size)
		if err := conn.Write(t.Context(), websocket.MessageText, sent); err != nil {
			t.Fatal(err)
		}
		if _, got, err := conn.Read(t.Context()); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes: %d came back, %v", size, len(got), err)
		}
	}
}

// TestSlimSocketOfAClientInAHurry sends the first message with the upgrade, before
// any answer.
func TestSlimSocketOfAClientInAHurry(t *testing.T) {
	addr, _ := echo(t)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	upgrade := "GET /ws HTTP/1.1\r\nHost: " + addr + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
	hello := "\x81\x85\x00\x00\x00\x00hello" // text, masked with nothing
	if _, err := fmt.Fprint(conn, upgrade, hello); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(answer, err)
	}
	defer func() { _ = answer.Body.Close() }()
	got := make([]byte, 7)
	if _, err := io.ReadFull(in, got); err != nil || !strings.HasSuffix(string(got), "hello") {
		t.Errorf("%q, %v", got, err)
	}
}
