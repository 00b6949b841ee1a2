package web

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
)

// TestHostedSDK: pages written for a hosted platform load our SDK from the path
// that they know.
func TestHostedSDK(t *testing.T) {
	s, err := newSite(fstest.MapFS{
		"sdk/vonageClientSDK.js":  {Data: []byte("umd")},
		"sdk/vonageClientSDK.mjs": {Data: []byte("module")},
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/npm/{scope}/{module}/dist/{file}", s.hostedSDK)
	for _, tt := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/npm/@vonage/client-sdk@latest/dist/vonageClientSDK.min.js", 200, "umd"},
		{"GET", "/npm/@vonage/client-sdk@2.3.1/dist/vonageClientSDK.js", 200, "umd"},
		{"GET", "/npm/@vonage/client-sdk/dist/vonageClientSDK.js", 200, "umd"},
		{"GET", "/npm/@vonage/client-sdk@latest/dist/vonageClientSDK.mjs", 200, "module"},
		{"GET", "/npm/@vonage/client-sdk@latest/dist/vonageClientSDK.esm.min.js", 200, "module"},
		{"OPTIONS", "/npm/@vonage/client-sdk@latest/dist/vonageClientSDK.min.js", 204, ""},
		{"POST", "/npm/@vonage/client-sdk@latest/dist/vonageClientSDK.min.js", 405, "GET only\n"},
		{"GET", "/npm/@vonage/server-sdk@latest/dist/vonageClientSDK.min.js", 404, "404 page not found\n"},
		{"GET", "/npm/@other/client-sdk@latest/dist/vonageClientSDK.min.js", 404, "404 page not found\n"},
		{"GET", "/npm/@vonage/client-sdk@latest/dist/other.js", 404, "404 page not found\n"},
	} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, http.NoBody))
		if w.Code != tt.status || w.Body.String() != tt.body {
			t.Errorf("%s %s: %d %q", tt.method, tt.path, w.Code, w.Body)
		}
		if w.Code >= 300 {
			continue
		}
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("%s: CORS %q", tt.path, got)
		}
		if got := w.Header().Get("Content-Type"); w.Code == 200 && got != "application/javascript" {
			t.Errorf("%s: type %q", tt.path, got)
		}
	}
}

// TestVoicePaths: which paths belong to the Voice API.
func TestVoicePaths(t *testing.T) {
	voice := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	h, err := newHandler(Config{}, Handlers{Voice: voice}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"/v1/calls": 418, "/v2/calls/": 418, "/v3/files/1": 418, "/v0.3/users": 418, "/api/voice/openapi.json": 418,
		"/v4/calls": 404, "/api/v1/calls": 404,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, http.NoBody))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}
