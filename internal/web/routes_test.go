package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// says answers with its own text, so that a test sees where a request went.
func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, text)
	})
}

func handlerFor(t *testing.T, c Config, h Handlers) http.Handler {
	t.Helper()
	handler, err := newHandler(c, h, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func request(t *testing.T, method, target string, header ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://localhost:8080"+target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func TestUpgradesGoBySubProtocol(t *testing.T) {
	h := handlerFor(t, Config{Demo: true}, Handlers{Signalling: says("signalling"), SIP: says("sip"), Demo: says("demo")})
	upgrade := []string{"Connection", "keep-alive, Upgrade", "Upgrade", "WebSocket"}
	sip := append([]string{"Sec-WebSocket-Protocol", "sip"}, upgrade...)
	tests := []struct {
		name, target string
		header       []string
		status       int
		body         string
	}{
		{"sip on /", "/", sip, 200, "sip"},
		{"sip on /sip", "/sip", sip, 200, "sip"},
		{"sip on /ws", "/ws", sip, 200, "sip"},
		{"sip on /wss", "/wss", sip, 200, "sip"},
		{"sip among others", "/", append([]string{"Sec-WebSocket-Protocol", "msrp, SIP"}, upgrade...), 200, "sip"},
		{"sip with a query", "/sip?x=1", sip, 200, "sip"},
		{"sip elsewhere", "/demo/ws", sip, 200, "demo"},
		{"no sub-protocol on /ws", "/ws", upgrade, 200, "signalling"},
		{"another sub-protocol on /ws", "/ws", append([]string{"Sec-WebSocket-Protocol", "sipx"}, upgrade...), 200, "signalling"},
		{"no sub-protocol on /wss", "/wss", upgrade, 404, ""},
		{"/ws without upgrade", "/ws", nil, 426, ""},
		{"/ws with the sub-protocol but no upgrade", "/ws", []string{"Sec-WebSocket-Protocol", "sip"}, 426, ""},
		{"/demo/ws without upgrade", "/demo/ws", nil, 426, ""},
		{"upgrade to h2c is no socket", "/ws", []string{"Connection", "Upgrade", "Upgrade", "h2c"}, 426, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request(t, http.MethodGet, tt.target, tt.header...))
			if w.Code != tt.status || tt.body != "" && w.Body.String() != tt.body {
				t.Errorf("got %d %q, want %d %q", w.Code, w.Body, tt.status, tt.body)
			}
		})
	}
}

func TestNothingMountedIsNotFound(t *testing.T) {
	h := handlerFor(t, Config{}, Handlers{})
	for _, target := range []string{"/ws", "/demo/ws", "/metrics", "/demo", "/.gitkeep", "/assets/", "/../go.mod"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(t, http.MethodGet, target, "Connection", "Upgrade", "Upgrade", "websocket"))
		if w.Code != http.StatusNotFound && w.Code != http.StatusTemporaryRedirect && w.Code != http.StatusMovedPermanently {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}

func TestMissingPage(t *testing.T) {
	h := handlerFor(t, Config{}, Handlers{API: http.NotFoundHandler()})
	const browser = "text/html,application/xhtml+xml,*/*;q=0.8"
	for _, c := range []struct{ method, target, accept, want string }{
		{http.MethodGet, "/nosuch", browser, "There is no such page"},
		{http.MethodGet, "/nosuch", "*/*", "404 page not found\n"},
		{http.MethodPost, "/nosuch", browser, "404 page not found\n"},
		{http.MethodGet, "/api/nosuch", browser, "404 page not found\n"}, // is the API's
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(t, c.method, c.target, "Accept", c.accept))
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s: %d %q", c.method, c.target, w.Code, w.Body)
		}
	}
}

func TestHealthAndReadiness(t *testing.T) {
	fault := errors.New("draining")
	h := handlerFor(t, Config{}, Handlers{Metrics: says("metrics"), Ready: func(context.Context) error { return fault }})
	for target, want := range map[string]string{"/healthz": "ok\n", "/readyz": "draining\n", "/metrics": "metrics"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(t, http.MethodGet, target))
		status := http.StatusOK
		if target == "/readyz" {
			status = http.StatusServiceUnavailable
		}
		if w.Code != status || w.Body.String() != want {
			t.Errorf("%s: %d %q", target, w.Code, w.Body)
		}
	}
	fault = nil
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request(t, http.MethodGet, "/readyz"))
	if w.Code != http.StatusOK {
		t.Errorf("/readyz when ready: %d", w.Code)
	}
}

func TestPanicCostsOneRequest(t *testing.T) {
	var log strings.Builder
	faulty := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("wire crossed") })
	h, err := newHandler(Config{}, Handlers{Metrics: faulty, Signalling: faulty}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request(t, http.MethodGet, "/metrics?token=secret"))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "wire") {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "wire crossed") || !strings.Contains(log.String(), "routes_test.go") {
		t.Errorf("reason or stack is not in the log: %s", log.String())
	}
	if strings.Contains(log.String(), "secret") {
		t.Error("the query is in the log")
	}
	h.ServeHTTP(httptest.NewRecorder(), request(t, http.MethodGet, "/ws", "Connection", "Upgrade", "Upgrade", "websocket"))
}

func TestDemoAnswersForItsOwnHostOnly(t *testing.T) {
	h := handlerFor(t, Config{Demo: true}, Handlers{})
	tests := map[string]int{
		"localhost": 200, "LOCALHOST:8080": 200, "a.localhost:80": 200, "127.0.0.1:8080": 200, "[::1]:8080": 200, "192.0.2.7": 200,
		"evil.example": 421, "localhost.evil.example:8080": 421, "": 421,
	}
	for host, want := range tests {
		r := request(t, http.MethodGet, "/healthz")
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("Host %q: %d, want %d", host, w.Code, want)
		}
	}
	w := httptest.NewRecorder()
	r := request(t, http.MethodGet, "/healthz")
	r.Host = "pbx.example.com"
	handlerFor(t, Config{}, Handlers{}).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Errorf("serve mode behind a proxy: %d", w.Code)
	}
}
