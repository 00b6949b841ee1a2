package web

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// reloadEvery is how often, at most, the certificate files are looked at for a
// renewal, and renewBefore is how long before its end a generated one is replaced.
const (
	reloadEvery = time.Minute
	renewBefore = 30 * 24 * time.Hour
)

// TLS says where the certificate comes from: two files, an authority, or a
// generated one that is kept in a folder. The zero value is no TLS.
type TLS struct {
	// CertFile and KeyFile are PEM files: the certificate with its chain, and its
	// key. They are read again when they change, so a renewal needs no restart.
	CertFile, KeyFile string
	// ACME gets certificates from an authority; used when CertFile is empty and it has
	// a domain.
	ACME ACME
	// SelfSignedDir is the folder in which to keep a generated certificate; used
	// when CertFile is empty and ACME has no domain. Browsers warn about such a certificate.
	SelfSignedDir string
	// Hosts are the names and addresses that a generated certificate is for, beside
	// localhost and this machine's name.
	Hosts []string
}

// Enabled reports whether t asks for TLS at all.
func (t TLS) Enabled() bool {
	return t.CertFile != "" || t.KeyFile != "" || len(t.ACME.Domains) > 0 || t.SelfSignedDir != ""
}

// Load returns a server configuration with t's certificate. It may be used for
// SIP over TLS as well. Missing, unreadable or mismatched files are core.Invalid.
func (t TLS) Load(log *slog.Logger) (*tls.Config, error) {
	certFile, keyFile := t.CertFile, t.KeyFile
	if certFile == "" && keyFile == "" && len(t.ACME.Domains) > 0 {
		return t.ACME.config(log), nil
	}
	if certFile == "" && keyFile == "" {
		certFile = filepath.Join(t.SelfSignedDir, "selfsigned.crt")
		keyFile = filepath.Join(t.SelfSignedDir, "selfsigned.key")
		if err := keepSelfSigned(certFile, keyFile, t.Hosts, log); err != nil {
			return nil, &core.Error{Op: "web.TLS", Err: err}
		}
	}
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	if err := c.read(); err != nil {
		return nil, &core.Error{Op: "web.TLS", Kind: core.Invalid, Err: fmt.Errorf("http.tls: %w", err)}
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: c.get,
	}, nil
}

// certificate is a key pair in two files, read again when they change.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex // guards the rest
	pair    *tls.Certificate
	changed time.Time // of certFile, when pair was read
	looked  time.Time
}

// get implements tls.Config.GetCertificate. A renewal that cannot be read is
// logged, and the certificate in use goes on.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) >= reloadEvery {
		if err := c.readLocked(); err != nil {
			c.log.Error("cannot read the renewed certificate; the old one goes on", "file", c.certFile, "error", err)
		}
	}
	return c.pair, nil
}

func (c *certificate) read() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.readLocked()
}

func (c *certificate) readLocked() error {
	c.looked = time.Now()
	info, err := os.Stat(c.certFile)
	if err != nil {
		return err
	}
	if c.pair != nil && info.ModTime().Equal(c.changed) {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.pair, c.changed = &pair, info.ModTime()
	return nil
}
