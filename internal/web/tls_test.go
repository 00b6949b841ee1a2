package web

import (
	"bytes"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

func poolOf(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(dir, "selfsigned.crt"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate in the file")
	}
	return pool
}

func TestGeneratedCertificateIsKept(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	dir := filepath.Join(t.TempDir(), "tls")
	crt, key := filepath.Join(dir, "selfsigned.crt"), filepath.Join(dir, "selfsigned.key")
	load := func(hosts ...string) []byte {
		t.Helper()
		if _, err := (TLS{SelfSignedDir: dir, Hosts: hosts}).Load(log); err != nil {
			t.Fatal(err)
		}
		pem, err := os.ReadFile(crt)
		if err != nil {
			t.Fatal(err)
		}
		return pem
	}

	first := load()
	if again := load(); !bytes.Equal(first, again) {
		t.Error("the second start made another certificate")
	}
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info.Mode(), err)
	}
	named := load("pbx.example.com", "192.0.2.7")
	if bytes.Equal(first, named) {
		t.Error("a new host name did not lead to a new certificate")
	}
	if again := load("pbx.example.com", "192.0.2.7"); !bytes.Equal(named, again) {
		t.Error("the named certificate was made twice")
	}
	if err := os.WriteFile(key, []byte("half a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again := load("pbx.example.com"); bytes.Equal(named, again) {
		t.Error("a broken key did not lead to a new pair")
	}
}

func TestBadCertificateFilesAreInvalid(t *testing.T) {
	dir := t.TempDir()
	certPEM, keyPEM, err := selfSign([]string{"a.example"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	_, otherKey, err := selfSign([]string{"a.example"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"a.crt": certPEM, "a.key": keyPEM, "other.key": otherKey} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name, cert, key string
		ok              bool
	}{
		{"a pair", "a.crt", "a.key", true},
		{"no certificate", "none.crt", "a.key", false},
		{"no key", "a.crt", "none.key", false},
		{"the key of another", "a.crt", "other.key", false},
		{"swapped", "a.key", "a.crt", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := TLS{CertFile: filepath.Join(dir, tt.cert), KeyFile: filepath.Join(dir, tt.key)}.Load(slog.New(slog.DiscardHandler))
			if tt.ok != (err == nil) || err != nil && core.KindOf(err) != core.Invalid {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRenewedCertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	c := &certificate{certFile: filepath.Join(dir, "a.crt"), keyFile: filepath.Join(dir, "a.key"), log: slog.New(slog.DiscardHandler)}
	put := func(changed time.Time) {
		t.Helper()
		certPEM, keyPEM, err := selfSign([]string{"a.example"}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{c.certFile: certPEM, c.keyFile: keyPEM} {
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(name, changed, changed); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(time.Now().Add(-time.Hour))
	if err := c.read(); err != nil {
		t.Fatal(err)
	}
	first, _ := c.get(nil)
	put(time.Now())
	if soon, _ := c.get(nil); soon != first {
		t.Error("the files are read on every handshake")
	}
	c.looked = time.Now().Add(-reloadEvery)
	renewed, _ := c.get(nil)
	if renewed == first {
		t.Error("the renewal was not seen")
	}
	if err := os.WriteFile(c.certFile, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.looked = time.Now().Add(-reloadEvery)
	if kept, err := c.get(nil); kept != renewed || err != nil {
		t.Errorf("a broken renewal took the certificate away: %v", err)
	}
}
