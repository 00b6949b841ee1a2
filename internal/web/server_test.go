package web

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// start serves on a free loopback port until the test ends. adjust may be nil.
func start(t *testing.T, c Config, h Handlers, adjust func(*http.Server)) *Server {
	t.Helper()
	c.Listen = "127.0.0.1:0"
	s, err := Listen(t.Context(), c, h, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if adjust != nil {
		adjust(s.http)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

func dial(t *testing.T, s *Server) net.Conn {
	t.Helper()
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSlowHeadersAreCutOff(t *testing.T) {
	s := start(t, Config{}, Handlers{}, func(h *http.Server) {
		if h.ReadHeaderTimeout != headerTimeout || h.ReadTimeout != requestTimeout || h.IdleTimeout != idleTimeout {
			t.Errorf("time-outs are not set: %v %v %v", h.ReadHeaderTimeout, h.ReadTimeout, h.IdleTimeout)
		}
		h.ReadHeaderTimeout = 100 * time.Millisecond
	})
	c := dial(t, s)
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow:"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if netErr, ok := errors.AsType[net.Error](err); ok && netErr.Timeout() {
		t.Fatal("the connection is still open")
	}
	if strings.Contains(string(answer), "200 OK") {
		t.Errorf("half a request was answered: %q", answer)
	}
}

func TestOversizedInputIsRefused(t *testing.T) {
	read := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		_, _ = fmt.Fprint(w, n)
	})
	s := start(t, Config{}, Handlers{Metrics: read}, nil)
	tests := []struct{ name, head, body, want string }{
		{"headers beyond the limit", "X-Long: " + strings.Repeat("a", maxHeader+8<<10) + "\r\n", "", "431"},
		{"a body of the limit", fmt.Sprintf("Content-Length: %d\r\n", maxBody), strings.Repeat("a", maxBody), "200"},
		{"a body beyond the limit", fmt.Sprintf("Content-Length: %d\r\n", maxBody+1), strings.Repeat("a", maxBody+1), "413"},
		{"a chunked body beyond the limit", "Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", maxBody+1, strings.Repeat("a", maxBody+1)), "413"},
		{"two lengths (request smuggling)", "Content-Length: 1\r\nContent-Length: 2\r\n", "ab", "400"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, s)
			go func() { // the answer may come before all is written
				_, _ = io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"+tt.head+"\r\n"+tt.body)
			}()
			status, err := bufio.NewReader(c).ReadString('\n')
			if err != nil || !strings.HasPrefix(status, "HTTP/1.1 "+tt.want) {
				t.Errorf("got %q, %v; want %s", status, err, tt.want)
			}
		})
	}
}

func TestSocketOutlivesTheTimeouts(t *testing.T) {
	const limit = 50 * time.Millisecond
	var served sync.WaitGroup
	defer served.Wait()
	served.Add(1)
	echo := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer served.Done()
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = c.Close() }()
		line, err := rw.ReadString('\n')
		if err != nil {
			t.Errorf("the server cut the socket off: %v", err)
		}
		_, _ = io.WriteString(c, line)
	})
	s := start(t, Config{}, Handlers{Signalling: echo}, func(h *http.Server) {
		h.ReadHeaderTimeout, h.ReadTimeout, h.WriteTimeout, h.IdleTimeout = limit, limit, limit, limit
	})
	c := dial(t, s)
	if _, err := io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-time.After(4 * limit)
	if _, err := io.WriteString(c, "still here\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(c).ReadString('\n'); line != "still here\n" {
		t.Errorf("got %q, %v", line, err)
	}
}

func TestBusyPortIsExplained(t *testing.T) {
	s := start(t, Config{}, Handlers{}, nil)
	_, err := Listen(t.Context(), Config{Listen: s.Addr().String()}, Handlers{}, slog.New(slog.DiscardHandler))
	if core.KindOf(err) != core.Conflict || !strings.Contains(fmt.Sprint(err), "another program uses this port") {
		t.Errorf("busy port: %v", err)
	}
	_, err = Listen(t.Context(), Config{Listen: "192.0.2.1:0"}, Handlers{}, slog.New(slog.DiscardHandler))
	if core.KindOf(err) != core.Invalid || !strings.Contains(fmt.Sprint(err), "no network interface") {
		t.Errorf("foreign address: %v", err)
	}
}

func TestHTTPSWithAGeneratedCertificate(t *testing.T) {
	dir := t.TempDir()
	s := start(t, Config{TLS: TLS{SelfSignedDir: dir}}, Handlers{}, nil)
	if !strings.HasPrefix(s.URL(), "https://localhost:") {
		t.Errorf("URL %q", s.URL())
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: poolOf(t, dir)}}}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK || res.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s %v", res.Status, res.Header)
	}
}
