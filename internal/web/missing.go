package web

import (
	_ "embed"
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
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write(missing) // the client may be gone: nobody to tell
	})
}
