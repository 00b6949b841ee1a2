package web

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
)

// contentPolicy lets a page load its own files and sockets and nothing else.
// blob: scripts are for audio worklets that the SDK makes from a string.
const contentPolicy = "default-src 'none'; script-src 'self' blob:; style-src 'self'; img-src 'self' data:; " +
	"font-src 'self'; media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

func securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("Permissions-Policy", "microphone=(self), camera=(), geolocation=()")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		if r.TLS != nil {
			// No includeSubDomains: they are not ours. Browsers ignore this for bare addresses and bad certificates.
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// recoverPanics keeps a fault in one handler from taking the calls of a node with
// it: the stack is logged and the client gets a 500 if nothing was sent yet.
func recoverPanics(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			reason := recover()
			if reason == nil {
				return
			}
			if err, ok := reason.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(reason) // the documented way to drop a connection
			}
			// Path only: the query may carry what belongs in no log.
			log.Error("panic in HTTP handler", "method", r.Method, "path", r.URL.Path, "reason", reason, "stack", string(debug.Stack()))
			if !isUpgrade(r) {
				plain(w, http.StatusInternalServerError, "internal error")
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// ownHostOnly refuses requests whose Host is a name that may lead anywhere. A
// foreign site can let its own name point to 127.0.0.1 and would then count as our
// page; it cannot do that with an address or with localhost.
func ownHostOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		host = strings.ToLower(strings.Trim(host, "[]"))
		_, err := netip.ParseAddr(host)
		if err != nil && host != "localhost" && !strings.HasSuffix(host, ".localhost") {
			plain(w, http.StatusMisdirectedRequest, "the demo answers for localhost and addresses only")
			return
		}
		next.ServeHTTP(w, r)
	})
}
