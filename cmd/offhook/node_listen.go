package main

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"path/filepath"
	"syscall"
	"time"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/web"
)

// listenSIP opens the SIP listeners.
func (n *node) listenSIP(ctx context.Context) error {
	advertise := ""
	if n.cfg.Network.Public != config.Auto {
		advertise = n.cfg.Network.Public
	}
	for _, l := range []struct {
		key, transport, addr string
		listen               func(context.Context, sip.Listen) (netip.AddrPort, error)
	}{
		{"sip.udp", sip.UDP, n.cfg.SIP.UDP, n.stack.ListenUDP},
		{"sip.tcp", sip.TCP, n.cfg.SIP.TCP, n.stack.ListenTCP},
		{"sip.tls", sip.TLS, n.cfg.SIP.TLS, n.stack.ListenTLS},
	} {
		if l.addr == "" {
			continue
		}
		how := sip.Listen{Addr: l.addr, Advertise: advertise}
		if l.transport == sip.TLS {
			var err error
			if how.TLS, err = n.certificate().Load(n.log); err != nil {
				return fmt.Errorf("%s: %w", l.key, err)
			}
		}
		at, err := l.listen(ctx, how)
		if err != nil {
			return busy(l.key, l.addr, err)
		}
		n.sipAddrs[l.transport] = at
	}
	return nil
}

// certificate is the one of the configuration, or a generated one.
func (n *node) certificate() web.TLS {
	if n.cfg.TLS.CertFile != "" {
		return web.TLS{CertFile: n.cfg.TLS.CertFile, KeyFile: n.cfg.TLS.KeyFile}
	}
	if c := n.cfg.TLS; len(c.ACMEDomains) > 0 {
		return web.TLS{ACME: web.ACME{Domains: c.ACMEDomains, Email: c.ACMEEmail, Directory: c.ACMEDirectory, Folder: filepath.Join(n.cfg.Store.Folder, "acme")}}
	}
	hosts := []string{n.cfg.SIP.Domain, "localhost", "127.0.0.1", "::1"}
	if n.cfg.Network.Public != config.Auto {
		hosts = append(hosts, n.cfg.Network.Public)
	}
	return web.TLS{SelfSignedDir: n.cfg.Store.Folder, Hosts: hosts}
}

// maxConns is how many connections a listener may hold: one part in so many of the
// files that this process may open, so that strangers who only connect cannot take
// those that calls need for their sockets.
func maxConns(part uint64) int {
	const most = 20000
	var files syscall.Rlimit // the runtime has raised it as far as it may
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return most
	}
	return int(min(files.Cur/part, most)) //nolint:gosec // at most 20000
}

// listenWeb opens the HTTP listener.
func (n *node) listenWeb(ctx context.Context, demo http.Handler) error {
	cfg := web.Config{Listen: n.cfg.HTTP.Listen, MaxConns: maxConns(4), Demo: demo != nil}
	if n.cfg.HTTP.TLS {
		cfg.TLS = n.certificate()
	}
	api := n.newAPI()
	var err error
	n.web, err = web.Listen(ctx, cfg, web.Handlers{
		Signalling: n.rtcE, SIP: sipSocket{n.stack}, Demo: demo, API: n.voice.Extensions(api), Voice: n.voice, Metrics: n.metrics(), Ready: n.ready,
	}, n.log)
	if err != nil {
		return err
	}
	n.onClose(func() { n.logged("close http", withTimeout(3*time.Second, n.web.Shutdown)) })
	n.onClose(api.Close)
	return nil
}
