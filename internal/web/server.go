package web

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// The limits of one connection. A request is small here: the largest is the resources
// of a whole configuration, in one request of the API; audio and signalling live in
// WebSockets with limits of their own.
const (
	headerTimeout   = 10 * time.Second // from the first byte, or from accept, to the end of the headers
	requestTimeout  = 30 * time.Second // headers and body
	responseTimeout = 60 * time.Second // from the end of the headers to the end of the response
	idleTimeout     = 120 * time.Second
	maxHeader       = 32 << 10 // bytes; a token with many claims fits
	maxBody         = 16 << 20 // bytes, for who reads more than the handlers allow
)

// Config says where and how to listen.
type Config struct {
	// Listen is the TCP address, "host:port" or ":port". Port 0 takes a free one.
	Listen string
	// TLS turns HTTPS on; the zero value is plain HTTP.
	TLS TLS
	// MaxConns bounds the connections that speak HTTP, default 20000, and
	// MaxConnsPerSource those of one IPv4 address or IPv6 /64, default 1000. A source on
	// this machine, a proxy perhaps, is bounded by MaxConns only.
	MaxConns, MaxConnsPerSource int
	// Demo serves the page of the simulated phone network and, because that has no
	// login, refuses requests for foreign host names (DNS rebinding).
	Demo bool
}

// Server listens for HTTP or HTTPS.
type Server struct {
	http     *http.Server
	listener net.Listener
	secure   bool
}

// Listen opens the address of c and prepares the routes. A busy port is a
// core.Conflict error, a missing right to it core.Forbidden, both in words for
// people. Nothing is served before Serve.
func Listen(ctx context.Context, c Config, h Handlers, log *slog.Logger) (*Server, error) {
	var tlsConfig *tls.Config
	if c.TLS.Enabled() {
		var err error
		if tlsConfig, err = c.TLS.Load(log); err != nil {
			return nil, err
		}
		// A WebSocket needs HTTP/1.1; a browser asks for it by name on its own connection.
		tlsConfig.NextProtos = append([]string{"h2", "http/1.1"}, tlsConfig.NextProtos...)
	}
	handler, err := newHandler(c, h, log)
	if err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return nil, listenError(c.Listen, err)
	}
	guests := newCrowd(cmp.Or(c.MaxConns, 20000), cmp.Or(c.MaxConnsPerSource, 1000), log)
	return &Server{
		http: &http.Server{
			Handler:           handler,
			ConnState:         guests.state,
			TLSConfig:         tlsConfig,
			ReadHeaderTimeout: headerTimeout,
			ReadTimeout:       requestTimeout,
			WriteTimeout:      responseTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeader,
			// Broken handshakes and the like: any scanner causes them, so they are no errors of ours.
			ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
		listener: quiet(l),
		secure:   tlsConfig != nil,
	}, nil
}

// Serve answers requests until Shutdown or Close; it then returns nil.
func (s *Server) Serve() error {
	var err error
	if s.secure {
		err = s.http.ServeTLS(s.listener, "", "")
	} else {
		err = s.http.Serve(s.listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("web: serve: %w", err)
}

// Shutdown closes the listener and waits for running requests, at most until ctx
// ends. WebSockets are not waited for: their owners close them.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("web: shutdown: %w", err), s.http.Close())
	}
	return nil
}

// Addr is the address that is listened on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// URL is the address to open in a browser on this machine, "http://localhost:8080".
func (s *Server) URL() string {
	scheme, host := "http", "localhost"
	if s.secure {
		scheme = "https"
	}
	addr, ok := s.listener.Addr().(*net.TCPAddr)
	if !ok {
		return scheme + "://" + s.listener.Addr().String()
	}
	if !addr.IP.IsUnspecified() && !addr.IP.IsLoopback() {
		host = addr.IP.String()
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
	} else if addr.IP.IsLoopback() && !addr.IP.Equal(net.IPv4(127, 0, 0, 1)) && !addr.IP.Equal(net.IPv6loopback) {
		host = addr.IP.String() // "localhost" would not lead to 127.0.0.2
	}
	return fmt.Sprintf("%s://%s:%d", scheme, host, addr.Port)
}

// listenError says what to do about an address that cannot be listened on.
func listenError(addr string, err error) error {
	fail := &core.Error{Op: "web.Listen", Kind: core.Invalid, Err: fmt.Errorf("http.listen %q: %w", addr, err)}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		fail.Kind = core.Conflict
		fail.Err = fmt.Errorf("http.listen %q: another program uses this port; stop it, or choose another port in http.listen: %w", addr, err)
	case errors.Is(err, syscall.EACCES):
		fail.Kind = core.Forbidden
		fail.Err = fmt.Errorf("http.listen %q: not allowed; ports below 1024 need a capability (CAP_NET_BIND_SERVICE) or root: %w", addr, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		fail.Err = fmt.Errorf("http.listen %q: no network interface of this machine has this address: %w", addr, err)
	}
	return fail
}
