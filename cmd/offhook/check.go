package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/sipedge"
)

type checkCmd struct {
	Config string `short:"c" type:"path" placeholder:"FILE" help:"Configuration to check; without it the default."`
	Trunk  string `placeholder:"NAME" help:"Also ask this trunk whether it is there (OPTIONS)."`
}

// Run prints one line for each check, "ok", "warn" or "FAIL", and fails if any
// does. The node must not run: its ports are tried.
func (c checkCmd) Run(ctx context.Context, stdout io.Writer) error {
	r := &report{out: stdout}
	cfg, err := config.Load(c.Config)
	if !r.result("configuration", err, "is understood") {
		return errReported
	}
	r.result("passwords", cfg.CheckExposure(), "are fit for what can be reached")
	r.result("data folder", writable(cfg.Store.Folder), cfg.Store.Folder+" can be written")
	r.ports(ctx, cfg)
	r.network(cfg)
	r.sounds(cfg)
	r.speech(ctx, cfg)
	if c.Trunk != "" {
		r.trunk(ctx, cfg, c.Trunk)
	}
	if r.failed {
		return errReported
	}
	return nil
}

// report prints results as they come.
type report struct {
	out    io.Writer
	failed bool
}

func (r *report) line(word, what, text string) {
	fmt.Fprintf(r.out, "%-5s %-14s %s\n", word, what, text) //nolint:errcheck // nowhere left to report
}

// result prints ok with text, or FAIL with err, and reports which.
func (r *report) result(what string, err error, text string) bool {
	if err != nil {
		r.failed = true
		r.line("FAIL", what, err.Error())
		return false
	}
	r.line("ok", what, text)
	return true
}

// ports tries every port of the configuration.
func (r *report) ports(ctx context.Context, cfg config.Config) {
	for _, p := range []struct{ key, network, addr string }{
		{"http.listen", "tcp", cfg.HTTP.Listen},
		{"sip.udp", "udp", cfg.SIP.UDP},
		{"sip.tcp", "tcp", cfg.SIP.TCP},
		{"sip.tls", "tcp", cfg.SIP.TLS},
		{"webrtc_udp", "udp", cfg.Media.WebRTCUDP},
		{"webrtc_tcp", "tcp", cfg.Media.WebRTCTCP},
		{"rtp_ports", "udp", net.JoinHostPort("", strconv.Itoa(int(cfg.Media.RTPPorts.First)))},
	} {
		if p.addr == "" {
			r.line("ok", p.key, "is off")
			continue
		}
		err := tryListen(ctx, p.network, p.addr)
		if err != nil {
			err = busy(p.key, p.addr, err)
		}
		r.result(p.key, err, p.network+" "+p.addr+" is free")
	}
}

func tryListen(ctx context.Context, network, addr string) error {
	var lc net.ListenConfig
	if network == "udp" {
		conn, err := lc.ListenPacket(ctx, network, addr)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	l, err := lc.Listen(ctx, network, addr)
	if err != nil {
		return err
	}
	return l.Close()
}

// network says how others reach this machine, as far as it can be known here.
func (r *report) network(cfg config.Config) {
	host, _, err := net.SplitHostPort(cfg.HTTP.Listen)
	loopback := err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback())
	switch {
	case loopback:
		r.line("ok", "microphones", "browsers allow them: pages are on this machine only")
	case cfg.HTTP.TLS:
		r.line("ok", "microphones", "browsers allow them: pages come by HTTPS")
	default:
		r.line("warn", "microphones", "browsers of other machines refuse them without HTTPS: set http.tls, or put a proxy with a certificate in front")
	}
	own, public := ownAddrs()
	switch {
	case cfg.Network.Public != config.Auto:
		r.line("ok", "public address", cfg.Network.Public+" is what peers outside network.local are told")
	case loopback:
		r.line("ok", "public address", "not needed: only this machine can reach us")
	case public:
		r.line("ok", "public address", fmt.Sprintf("auto: our own, %v", own))
	default:
		r.line("warn", "public address", fmt.Sprintf("auto: %v are private, so peers on the Internet cannot send us audio: set network.public to the address of your router or 1:1 NAT", own))
	}
}

// ownAddrs returns this machine's addresses but loopback, and whether one is public.
func ownAddrs() (own []netip.Addr, public bool) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, false
	}
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || p.Addr().IsLoopback() || p.Addr().IsLinkLocalUnicast() {
			continue
		}
		own = append(own, p.Addr())
		public = public || !p.Addr().IsPrivate()
	}
	return own, public
}

// trunk asks a trunk with OPTIONS.
func (r *report) trunk(ctx context.Context, cfg config.Config, name string) {
	for _, t := range cfg.Resources.Trunks {
		if t.Name != name {
			continue
		}
		text, err := askOptions(ctx, t, cfg.SIP.Domain)
		r.result("trunk "+name, err, text)
		return
	}
	r.result("trunk "+name, errors.New("is not in the configuration"), "")
}

// askOptions sends OPTIONS to a trunk and says what came back.
func askOptions(ctx context.Context, t config.Trunk, domain string) (string, error) {
	uri, err := sip.ParseURI(t.URI)
	if err != nil {
		return "", err
	}
	stack := sip.NewStack(sip.Config{Agent: "offhook/" + version})
	defer stack.Close()
	if _, err := stack.ListenUDP(ctx, sip.Listen{Addr: ":0"}); err != nil {
		return "", err
	}
	req := sip.NewRequest(sip.OPTIONS, uri)
	req.AppendHeader(&sip.FromHeader{Address: sip.Uri{Scheme: "sip", User: "offhook", Host: domain}, Params: sip.Params{}})
	req.AppendHeader(&sip.ToHeader{Address: uri, Params: sip.Params{}})
	type outcome struct {
		res *sip.Response
		err error
	}
	done := make(chan outcome, 1)
	start := time.Now()
	out := sip.Outbound{Request: req, ContactUser: "offhook"}
	if t.Username != "" {
		out.Credentials = &sip.Credentials{Username: t.Username, Password: t.Password.Reveal()}
	}
	stack.Send(out, func(res *sip.Response, err error) { done <- outcome{res, err} })
	ctx, cancel := context.WithTimeout(ctx, 8*time.Second)
	defer cancel()
	select {
	case <-ctx.Done():
		return "", fmt.Errorf("%s does not answer OPTIONS within 8 s: wrong address, a firewall, or a carrier that does not know this machine's address", t.URI)
	case o := <-done:
		if o.err != nil {
			return "", fmt.Errorf("%s: %w", t.URI, o.err)
		}
		if !sipedge.Alive(o.res.StatusCode) {
			return "", fmt.Errorf("%s answers OPTIONS with %d %s: it takes no calls now", t.URI, o.res.StatusCode, o.res.Reason)
		}
		return fmt.Sprintf("answers OPTIONS with %d %s after %d ms", o.res.StatusCode, o.res.Reason, time.Since(start).Milliseconds()), nil
	}
}

// writable reports why folder cannot be written; it is made if missing.
func writable(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, ".check-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
