package web

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/offhook/offhook/internal/testkit"
)

// What an operator must know is not lost among what scanners ask for, which reaches
// no authority either.
func TestForeignNamesAreNoNews(t *testing.T) {
	var asked atomic.Int32
	authority := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		http.Error(w, "not for you", http.StatusForbidden)
	}))
	defer authority.Close()
	for name, lines := range map[string]int{"scanner.example.net": 0, "phones.example.com": 1, "": 1} {
		log, logger := testkit.NewLog(t)
		a := ACME{Domains: []string{"phones.example.com"}, Directory: authority.URL, Folder: t.TempDir()}
		before := asked.Load()
		if _, err := a.config(logger).GetCertificate(&tls.ClientHelloInfo{ServerName: name}); err == nil {
			t.Errorf("%q: a certificate", name)
		}
		if n := len(log.Lines("WARN", "no certificate")); n != lines || (asked.Load() > before) != (lines == 1) {
			t.Errorf("%q: %d lines, the authority was asked %d times", name, n, asked.Load()-before)
		}
	}
}
