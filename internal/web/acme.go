package web

import (
	"crypto/tls"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACME says how to get a certificate from an authority that gives them without
// people (RFC 8555), such as Let's Encrypt. The authority connects to port 443 of
// each domain (challenge TLS-ALPN-01, RFC 8737): HTTPS must be reachable there.
type ACME struct {
	Domains   []string // what the certificates are for; the first for clients that name none
	Email     string   // where the authority writes about trouble; may be empty
	Directory string   // URL of the authority; "" is Let's Encrypt
	Folder    string   // where account and certificates are kept
}

// config returns a server configuration whose certificates come by themselves:
// with the first connection for a domain, and again before they end.
func (a ACME) config(log *slog.Logger) *tls.Config {
	manager := &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(a.Folder), HostPolicy: autocert.HostWhitelist(a.Domains...),
		Email: a.Email, RenewBefore: renewBefore,
	}
	if a.Directory != "" {
		manager.Client = &acme.Client{DirectoryURL: a.Directory}
	}
	get := func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if hello.ServerName == "" { // phones that were given an address
			named := *hello
			named.ServerName = a.Domains[0]
			hello = &named
		}
		begun := time.Now()
		cert, err := manager.GetCertificate(hello)
		switch took := time.Since(begun); {
		case err != nil && !slices.Contains(a.Domains, hello.ServerName): // who scans the Internet asks for anything
			log.Debug("no certificate", "domain", hello.ServerName, "error", err)
		case err != nil:
			log.Warn("no certificate", "domain", hello.ServerName, "error", err)
		case took > time.Second:
			log.Info("certificate obtained", "domain", hello.ServerName, "took", took)
		}
		return cert, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: get, NextProtos: []string{acme.ALPNProto}}
}
