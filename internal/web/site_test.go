package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

var built = fstest.MapFS{
	".gitkeep":              {},
	"index.html":            {Data: []byte(`<html lang="en">softphone`)},
	"demo.html":             {Data: []byte(`<html lang="en">demo`)},
	"assets/phone-AB12.js":  {Data: []byte(strings.Repeat("export const call = 1;\n", 50))},
	"assets/phone-CD34.css": {Data: []byte("a{}")},
	"sdk/offhook.js":        {Data: []byte("export {};")},
}

func siteFor(t *testing.T, files fstest.MapFS, demo bool) http.Handler {
	t.Helper()
	s, err := newSite(files, demo)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.register(mux)
	return securityHeaders(mux)
}

func TestPagesAndTheirCaching(t *testing.T) {
	h := siteFor(t, built, true)
	tests := []struct{ target, contentType, cache, body string }{
		{"/", "text/html; charset=utf-8", "no-cache", `<html data-demo lang="en">softphone`},
		{"/demo", "text/html; charset=utf-8", "no-cache", `<html lang="en">demo`},
		{"/assets/phone-AB12.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "export const call"},
		{"/assets/phone-CD34.css", "text/css; charset=utf-8", "public, max-age=31536000, immutable", "a{}"},
		{"/sdk/offhook.js", "text/javascript; charset=utf-8", "no-cache", "export {};"},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(t, http.MethodGet, tt.target))
		head := w.Header()
		if w.Code != 200 || head.Get("Content-Type") != tt.contentType || head.Get("Cache-Control") != tt.cache {
			t.Errorf("%s: %d, %v", tt.target, w.Code, head)
		}
		if !strings.HasPrefix(w.Body.String(), tt.body) {
			t.Errorf("%s: body %q", tt.target, w.Body)
		}
		if !strings.Contains(head.Get("Content-Security-Policy"), "script-src 'self' blob:") || head.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: no security headers: %v", tt.target, head)
		}
		if shared := head.Get("Access-Control-Allow-Origin") == "*"; shared != strings.HasPrefix(tt.target, "/sdk/") {
			t.Errorf("%s: may be loaded by other origins: %v", tt.target, shared)
		}
		again := httptest.NewRecorder()
		h.ServeHTTP(again, request(t, http.MethodGet, tt.target, "If-None-Match", head.Get("Etag")))
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s with its ETag: %d and %d bytes", tt.target, again.Code, again.Body.Len())
		}
	}
}

func TestCompressionIsNegotiated(t *testing.T) {
	h := siteFor(t, built, false)
	for accept, want := range map[string]string{"gzip, br": "gzip", "br;q=1, gzip;q=0.5": "gzip", "": "", "br": "", "gzip;q=0": "", "xgzip": ""} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(t, http.MethodGet, "/assets/phone-AB12.js", "Accept-Encoding", accept))
		if got := w.Header().Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: coded as %q, want %q", accept, got, want)
		}
		if w.Header().Get("Vary") != "Accept-Encoding" {
			t.Error("caches are not told that the answer varies")
		}
		var body io.Reader = w.Body
		if want == "gzip" {
			zip, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			body = zip
		}
		text, err := io.ReadAll(body)
		if err != nil || !strings.HasPrefix(string(text), "export const call") {
			t.Errorf("Accept-Encoding %q: %q, %v", accept, text, err)
		}
	}
}

func TestServeModeHasNoDemo(t *testing.T) {
	h := siteFor(t, built, false)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request(t, http.MethodGet, "/demo"))
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "offhook demo") {
		t.Errorf("/demo: %d %q", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, request(t, http.MethodGet, "/"))
	if strings.Contains(w.Body.String(), "data-demo") {
		t.Error("the softphone offers a demo that is not there")
	}
}

func TestBinaryWithoutPagesSaysWhatToRun(t *testing.T) {
	h := siteFor(t, fstest.MapFS{".gitkeep": {}}, true)
	for _, target := range []string{"/", "/demo"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(t, http.MethodGet, target))
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make build") {
			t.Errorf("%s: %d %q", target, w.Code, w.Body)
		}
	}
}
