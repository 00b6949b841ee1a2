package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
)

// Handlers is what the routes lead to. A nil one is answered with 404.
type Handlers struct {
	// Signalling serves the JSON signalling of browsers on /ws.
	Signalling http.Handler
	// SIP serves SIP over WebSocket (RFC 7118): every upgrade that asks for the
	// sub-protocol "sip" on /, /sip, /ws or /wss.
	SIP http.Handler
	// Demo serves the socket of the simulated phone network, /demo/ws.
	Demo http.Handler
	// API serves everything below /api/.
	API http.Handler
	// Voice serves the Voice API: everything below /v1/, /v2/, /v3/, /v0.3/ and
	// /api/voice/.
	Voice http.Handler
	// Metrics serves /metrics.
	Metrics http.Handler
	// Ready says why no call can be taken, nil if all is well. It answers /readyz;
	// the reason is shown to anybody, so it must name no secret.
	Ready func(context.Context) error
}

// newHandler puts the routes together, with what guards all of them.
func newHandler(c Config, h Handlers, log *slog.Logger) (http.Handler, error) {
	site, err := loadSite(c.Demo)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	site.register(mux)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", ready(h.Ready))
	mount(mux, "GET /metrics", h.Metrics)
	mount(mux, "/api/", h.API)
	for _, path := range []string{"/v1/", "/v2/", "/v3/", "/v0.3/", "/api/voice/"} {
		mount(mux, path, h.Voice)
	}
	mux.HandleFunc("/npm/{scope}/{module}/dist/{file}", site.hostedSDK)
	mux.Handle("GET /ws", socketOnly(h.Signalling))
	if c.Demo {
		mux.Handle("GET /demo/ws", socketOnly(h.Demo))
	}

	guarded := sipUpgrades(h.SIP, missingPages(mux))
	guarded = http.MaxBytesHandler(guarded, maxBody)
	guarded = securityHeaders(guarded)
	if c.Demo {
		guarded = ownHostOnly(guarded)
	}
	return recoverPanics(guarded, log), nil
}

func mount(mux *http.ServeMux, pattern string, h http.Handler) {
	if h != nil {
		mux.Handle(pattern, h)
	}
}

func ready(check func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if check != nil {
			if err := check(r.Context()); err != nil {
				plain(w, http.StatusServiceUnavailable, err.Error())
				return
			}
		}
		plain(w, http.StatusOK, "ready")
	}
}

// sipUpgrades takes the SIP sockets out: the sub-protocol decides, not the path,
// because clients in the field use any of these four.
func sipUpgrades(sip, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/", "/sip", "/ws", "/wss":
			if sip != nil && isUpgrade(r) && hasToken(r.Header["Sec-Websocket-Protocol"], "sip") {
				sip.ServeHTTP(slim{w}, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// socketOnly refuses what is no WebSocket upgrade before h sees it.
func socketOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case h == nil:
			http.NotFound(w, r)
		case !isUpgrade(r):
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "websocket")
			plain(w, http.StatusUpgradeRequired, "this address takes WebSocket connections only")
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// isUpgrade reports whether r asks for a WebSocket (RFC 6455 section 4.1).
func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && hasToken(r.Header["Connection"], "upgrade") && hasToken(r.Header["Upgrade"], "websocket")
}

// hasToken looks for token in a header that is a list with commas, in any case.
func hasToken(values []string, token string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // the client may be gone: nobody to tell
}
