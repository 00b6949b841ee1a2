package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// TestMissingPageIsWhole: the page for people brings its style along, and its policy
// allows that one and nothing else.
func TestMissingPageIsWhole(t *testing.T) {
	h := securityHeaders(missingPages(http.NewServeMux()))
	r := httptest.NewRequest(http.MethodGet, "/nothing", http.NoBody)
	r.Header.Set("Accept", "text/html,*/*")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusNotFound || style == nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	sum := sha256.Sum256([]byte(style[1]))
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	r.Header.Set("Accept", "*/*")
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "<html") {
		t.Errorf("a program got %d %s", w.Code, w.Body)
	}
}
