package web

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strings"
)

// missing is what a person sees at an address where nothing is.
//
//go:embed missing.html
var missing []byte

// missingPages answers a browser that asks for a page which mux does not have; programs
// get the usual line of text.
func missingPages(mux *http.ServeMux) http.Handler {
	policy := missingPolicy()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html")
		if page {
			_, pattern := mux.Handler(r)
			page = pattern == ""
		}
		if !page {
			mux.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", policy)
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write(missing) // the client may be gone: nobody to tell
	})
}

// missingPolicy allows the style that is in the page, which needs no other file, so that
// it is whole also where the pages were not built.
func missingPolicy() string {
	_, style, _ := strings.Cut(string(missing), "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
}
