package webhook

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/offhook/offhook/internal/outward"
)

const (
	// maxAnswer is how much of an answer is taken, maxIgnored how much is read of one
	// that nobody wants, so that its connection can be used again.
	maxAnswer  = 1 << 20
	maxIgnored = 64 << 10
)

// client makes single attempts.
type client struct {
	agent   string
	rewrite map[string]string
	// Connections that were made without the guard are not for foreign URLs.
	own, foreign *http.Transport
}

func newClient(c Config, guard outward.Guard) *client {
	dialer := net.Dialer{Timeout: defaultConnectTimeout}
	return &client{
		agent: c.Agent, rewrite: c.Rewrite,
		own: newTransport(dialer.DialContext, c.RootCAs), foreign: newTransport(guard.Dial, c.RootCAs),
	}
}

// newTransport speaks HTTP/1.1 and asks no proxy, which would connect where the
// guard forbids it.
func newTransport(dial func(ctx context.Context, network, addr string) (net.Conn, error), roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		DialContext: dial, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConns: 256, MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
	}
}

func (c *client) close() {
	c.own.CloseIdleConnections()
	c.foreign.CloseIdleConnections()
}

// Why an attempt failed.
var (
	errConnect = errors.New("no connection in time")
	errAnswer  = errors.New("no answer in time")
	errTooLong = errors.New("the answer is too long")
	errStatus  = errors.New("refused")
)

// do makes an attempt. Again says that another one may help. The body of the
// answer is read only if somebody asks for it.
func (c *client) do(ctx context.Context, r request, asks bool) (res Result, again bool) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var connected atomic.Bool
	limit := time.AfterFunc(r.connectTimeout(), func() {
		if connected.Load() {
			cancel(errAnswer)
		} else {
			cancel(errConnect)
		}
	})
	defer limit.Stop()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		if limit.Stop() { // else it is too late, and must not be taken for a late answer
			connected.Store(true)
			limit.Reset(r.timeout())
		}
	}})
	req, transport, err := c.request(ctx, r)
	if err == nil {
		res, err = exchange(transport, req, asks)
	}
	if err == nil {
		return res, false
	}
	if cause := context.Cause(ctx); errors.Is(cause, errConnect) || errors.Is(cause, errAnswer) {
		err = cause
	}
	res.Err = fmt.Errorf("webhook: %s %s: %w", r.method(), plain(r.URL), err)
	res.Reason, again = explain(err, res.Status)
	return res, again
}

// request makes the HTTP request of an attempt and says who shall send it.
func (c *client) request(ctx context.Context, r request) (*http.Request, *http.Transport, error) {
	req, err := http.NewRequestWithContext(ctx, r.method(), r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return nil, nil, err
	}
	req.Header = http.Header{
		"User-Agent": {c.agent},
		// Sends no header, but has the transport repeat the request by itself if the
		// receiver closed an idle connection in the same instant.
		"X-Idempotency-Key": nil,
	}
	if r.method() == http.MethodPost {
		req.Header["Content-Type"] = []string{"application/json"}
	}
	if r.Token != "" {
		req.Header["Authorization"] = []string{"Bearer " + r.Token}
	}
	transport := c.own
	if r.Foreign {
		transport = c.foreign
	}
	if to, ok := c.rewrite[strings.ToLower(req.URL.Scheme+"://"+req.URL.Host)]; ok {
		req.URL.Scheme, req.URL.Host, _ = strings.Cut(to, "://")
		transport = c.own
	}
	return req, transport, nil
}

// exchange sends a request and reads the answer. It follows no redirects.
func exchange(transport *http.Transport, req *http.Request, asks bool) (res Result, err error) {
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return Result{}, err
	}
	defer resp.Body.Close()
	res.Status, res.ContentType = resp.StatusCode, resp.Header.Get("Content-Type")
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		_, _ = io.CopyN(io.Discard, resp.Body, maxIgnored) // for the connection's sake only
		return res, fmt.Errorf("%w with status %d", errStatus, resp.StatusCode)
	}
	if !asks {
		_, _ = io.CopyN(io.Discard, resp.Body, maxIgnored) // as above
		return res, nil
	}
	body, err := decoded(resp)
	if err != nil {
		return res, err
	}
	res.Body, err = io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err == nil && len(res.Body) > maxAnswer {
		res.Body, err = nil, errTooLong
	}
	return res, err
}

// decoded is the body of an answer as it was meant. We ask for no compression, but some
// receivers have it written in front of whatever they answer.
func decoded(resp *http.Response) (io.Reader, error) {
	switch strings.ToLower(resp.Header.Get("Content-Encoding")) {
	case "gzip", "x-gzip": // the same (RFC 9110 section 8.4.1.3)
		body, err := gzip.NewReader(resp.Body)
		if errors.Is(err, io.EOF) {
			return http.NoBody, nil // as of a 204
		}
		return body, err
	}
	return resp.Body, nil
}

// explain says for people why an attempt failed and whether another may help:
// after time-outs and broken connections, and if the receiver says that it is only
// now that it cannot.
func explain(err error, status int) (reason string, again bool) {
	switch {
	case errors.Is(err, errConnect):
		return "Connection timed out.", true
	case errors.Is(err, errAnswer):
		return "Response timed out.", true
	case errors.Is(err, errStatus):
		again := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
		return fmt.Sprintf("Response status %d.", status), again
	case errors.Is(err, errTooLong):
		return "Response too long.", false
	case errors.Is(err, outward.ErrPrivate):
		return "Address not allowed.", false
	case is[*net.DNSError](err):
		return "Host not found.", false
	case is[*tls.CertificateVerificationError](err), is[tls.AlertError](err), is[tls.RecordHeaderError](err):
		return "TLS failed.", false
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Connection refused.", true
	case isClosed(err):
		return "Connection closed.", true
	case is[*net.OpError](err):
		return "Connection failed.", true
	}
	return "Invalid response.", false
}

// isClosed reports whether the receiver closed the connection instead of answering.
func isClosed(err error) bool {
	for _, closed := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, closed) {
			return true
		}
	}
	// What net/http says, without a name, if that was before the request was written.
	return strings.HasSuffix(err.Error(), "server closed idle connection")
}

// is reports whether err is, or wraps, an error of type T.
func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// plain returns a URL without its query, which is about people, for logs.
func plain(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	u.RawQuery, u.User = "", nil
	return u.String()
}
