package webhook

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// raw is a server that does what it likes with each connection.
func raw(t *testing.T, do func(net.Conn)) (url string, connections *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	connections = new(atomic.Int32)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			do(c)
		}
	}()
	return "http://" + l.Addr().String() + "/", connections
}

// readRequest waits for a request.
func readRequest(c net.Conn) {
	if req, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
		_, _ = io.Copy(io.Discard, req.Body)
	}
}

// Contract 8.1: one more attempt after a time-out, a reset, 429, 503 and 504, and
// after nothing else.
func TestWhatIsTriedAgain(t *testing.T) {
	reset := func(c net.Conn) {
		readRequest(c)
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
	for _, c := range []struct {
		name     string
		answer   http.HandlerFunc
		conn     func(net.Conn)
		attempts int
		reason   string // "" is delivered
	}{
		{"200", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "[]") }, nil, 1, ""},
		{"204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, nil, 1, ""},
		{"205", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(205) }, nil, 1, ""},
		{"429", status(429), nil, 2, "Response status 429."},
		{"503", status(503), nil, 2, "Response status 503."},
		{"504", status(504), nil, 2, "Response status 504."},
		{"500", status(500), nil, 1, "Response status 500."},
		{"502", status(502), nil, 1, "Response status 502."},
		{"400", status(400), nil, 1, "Response status 400."},
		{"404", status(404), nil, 1, "Response status 404."},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, nil, 1, "Response status 302."},
		{"slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, nil, 2, "Response timed out."},
		{"slow body", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "[")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, nil, 2, "Response timed out."},
		{"endless", func(w http.ResponseWriter, r *http.Request) {
			for block := make([]byte, 1<<16); r.Context().Err() == nil; {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}, nil, 1, "Response too long."},
		{"garbage", nil, func(c net.Conn) {
			readRequest(c)
			_, _ = io.WriteString(c, "\x00\x01 what do you mean?\r\n\r\n")
			_ = c.Close()
		}, 1, "Invalid response."},
		{"reset", nil, reset, 2, "Connection closed."},
		{"closed after the request", nil, func(c net.Conn) { readRequest(c); _ = c.Close() }, 2, "Connection closed."},
		{"closed before the request", nil, func(c net.Conn) { _ = c.Close() }, 2, "Connection closed."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newTest(t, Config{Agent: "offhook/test"}, testLimits())
			var attempts func() int
			var url string
			if c.answer != nil {
				r := newReceiver(t, c.answer)
				url, attempts = r.URL, func() int { return len(r.all()) }
			} else {
				var n *atomic.Int32
				url, n = raw(t, c.conn)
				attempts = func() int { return int(n.Load()) }
			}
			timeout := 15 * time.Second // of a machine that runs all these at once, and more
			if c.reason == "Response timed out." {
				timeout = time.Second
			}
			res := ask(t, d, Job{App: "app", Target: Target{URL: url, Timeout: timeout, ConnectTimeout: 5 * time.Second}})
			if res.Reason != c.reason || (res.Err == nil) != (c.reason == "") || attempts() != c.attempts {
				t.Errorf("%d attempts, %q, %v; want %d, %q", attempts(), res.Reason, res.Err, c.attempts, c.reason)
			}
			want := Stats{Delivered: 1}
			if c.reason != "" {
				want = Stats{Failed: 1, Retried: uint64(c.attempts - 1)} //nolint:gosec // 1 or 2
			}
			eventually(t, "nothing is queued", func() bool { return d.Stats() == want })
		})
	}
}

// TestCompressedAnswer: receivers whose framework compresses all that it sends.
func TestCompressedAnswer(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, `[{"action":"talk"}]`); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	bomb := func() []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(make([]byte, 4<<20))
		_ = w.Close()
		return b.Bytes()
	}()
	d := newTest(t, Config{}, testLimits())
	for _, c := range []struct {
		name   string
		code   int
		sent   []byte
		body   string
		reason string
	}{
		{"an NCCO", 200, packed.Bytes(), `[{"action":"talk"}]`, ""},
		{"nothing", 204, nil, "", ""},
		{"no gzip", 200, []byte(`[{"action":"talk"}]`), "", "Invalid response."},
		{"a bomb", 200, bomb, "", "Response too long."},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newReceiver(t, func(w http.ResponseWriter, r *http.Request) {
				if asked := r.Header.Get("Accept-Encoding"); asked != "" {
					t.Errorf("%s is asked for", asked)
				}
				w.Header().Set("Content-Encoding", "gzip")
				w.WriteHeader(c.code)
				_, _ = w.Write(c.sent)
			})
			if res := ask(t, d, Job{Target: Target{URL: r.URL}}); string(res.Body) != c.body || res.Reason != c.reason {
				t.Errorf("%q, %q, %v", res.Body, res.Reason, res.Err)
			}
		})
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func TestDeadReceivers(t *testing.T) {
	d := newTest(t, Config{}, testLimits())
	if res := ask(t, d, Job{Target: Target{URL: deadURL(t)}}); res.Reason != "Connection refused." || d.retried.Load() != 1 {
		t.Errorf("%+v, %d tried again", res, d.retried.Load())
	}
	if res := ask(t, d, Job{Target: Target{URL: "gopher://x/"}}); res.Reason != "Invalid URL." || res.Err == nil {
		t.Errorf("%+v", res)
	}
	// Whoever takes a connection and then says nothing to TLS.
	var open []net.Conn
	url, _ := raw(t, func(c net.Conn) { open = append(open, c) })
	res := ask(t, d, Job{Target: Target{URL: strings.Replace(url, "http", "https", 1), ConnectTimeout: 100 * time.Millisecond}})
	if res.Reason != "Connection timed out." || d.retried.Load() != 2 {
		t.Errorf("%+v, %d tried again", res, d.retried.Load())
	}
}

// A certificate that is not trusted is no better at the second attempt.
func TestTLSFailureIsNotTriedAgain(t *testing.T) {
	var handshakes atomic.Int32
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { handshakes.Add(1); return nil, nil }}
	s.StartTLS()
	defer s.Close()
	d := newTest(t, Config{}, testLimits())
	res := ask(t, d, Job{Target: Target{URL: s.URL, ConnectTimeout: 10 * time.Second}})
	if res.Reason != "TLS failed." || handshakes.Load() != 1 {
		t.Errorf("%+v after %d handshakes", res, handshakes.Load())
	}

	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	d = newTest(t, Config{RootCAs: roots}, testLimits())
	if res := ask(t, d, Job{Target: Target{URL: s.URL, ConnectTimeout: 10 * time.Second}}); res.Status != 404 {
		t.Errorf("%+v with the certificate's authority", res)
	}
}

func TestFallback(t *testing.T) {
	var down atomic.Int32
	down.Store(1)
	spare := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
		if down.Add(-1) >= 0 {
			w.WriteHeader(503)
			return
		}
		_, _ = io.WriteString(w, `[{"action":"talk"}]`)
	})
	first := newReceiver(t, status(404))
	d := newTest(t, Config{}, testLimits())
	key := &Signer{Key: []byte("k"), App: "app"}
	res := ask(t, d, Job{
		App: "app", Target: Target{URL: first.URL + "/answer", Method: "GET"}, Params: []Param{String("to", "100")}, Sign: key,
		Fallback: &Fallback{Target{URL: spare.URL + "/fallback", Method: "GET"}, "answer"},
	})
	if res.Err != nil || string(res.Body) != `[{"action":"talk"}]` || len(first.all()) != 1 {
		t.Errorf("%+v after %d first requests", res, len(first.all()))
	}
	seen := spare.all()
	if len(seen) != 2 || seen[0].uri != seen[1].uri {
		t.Fatalf("%+v", seen)
	}
	want := "/fallback?to=100&reason=Response+status+404.&original_request=" +
		strings.NewReplacer(":", "%3A", "/", "%2F", `"`, "%22", ",", "%2C", "{", "%7B", "}", "%7D").Replace(fmt.Sprintf(`{"url":%q,"type":"answer"}`, first.URL+"/answer"))
	if seen[0].uri != want {
		t.Errorf("%s\nwant\n%s", seen[0].uri, want)
	}
	if seen[0].auth == "" || seen[0].auth == first.all()[0].auth {
		t.Error("the fallback has no signature of its own")
	}
	if res := ask(t, d, Job{Target: Target{URL: first.URL}, Fallback: &Fallback{Target{URL: first.URL}, "event"}}); res.Err == nil || res.Status != 404 {
		t.Errorf("%+v", res)
	}
}

// A receiver that is restarted between two events, and drops the connections that
// were kept, misses nothing.
func TestReceiverRestarts(t *testing.T) {
	r := newReceiver(t, nil)
	d := newTest(t, Config{}, testLimits())
	for n := range 20 {
		if res := ask(t, d, event(r.URL, "leg", n)); res.Err != nil {
			t.Fatal(res)
		}
		r.CloseClientConnections()
	}
	if seen := r.bodies(); len(seen) != 20 || d.Stats().Failed != 0 {
		t.Errorf("%d came, %+v", len(seen), d.Stats())
	}
}

// An application behind a name of its own, such as a test's, is found elsewhere and
// sees its name all the same.
func TestRewriteKeepsTheHost(t *testing.T) {
	r := newReceiver(t, nil)
	d := newTest(t, Config{Agent: "offhook/1.2.3", Rewrite: map[string]string{"https://app.test": r.URL}}, testLimits())
	if res := ask(t, d, Job{Target: Target{URL: "https://App.test/event?x=1", Foreign: true}, Body: []byte("{}")}); res.Err != nil {
		t.Fatal(res)
	}
	g := r.all()[0]
	if g.host != "App.test" || g.uri != "/event?x=1" || g.header.Get("Content-Type") != "application/json" || g.header.Get("User-Agent") != "offhook/1.2.3" {
		t.Errorf("%+v", g)
	}
	for name := range g.header {
		if strings.Contains(name, "Idempotency") {
			t.Error("a header for our own transport went out")
		}
	}
}

// A URL that came with a call leads into our network only if the operator says so;
// the application's own may.
func TestForeignURLs(t *testing.T) {
	r := newReceiver(t, nil)
	d := newTest(t, Config{Setting: "webhooks.hosts"}, testLimits())
	if res := ask(t, d, Job{Target: Target{URL: r.URL}}); res.Err != nil {
		t.Fatal(res)
	}
	res := ask(t, d, Job{Target: Target{URL: r.URL, Foreign: true}})
	if res.Reason != "Address not allowed." || !strings.Contains(fmt.Sprint(res.Err), "webhooks.hosts") || len(r.all()) != 1 {
		t.Errorf("%+v, %d came", res, len(r.all()))
	}
	d = newTest(t, Config{Hosts: []string{"127.0.0.0/8"}}, testLimits())
	if res := ask(t, d, Job{Target: Target{URL: r.URL, Foreign: true}}); res.Err != nil {
		t.Error(res)
	}
}
