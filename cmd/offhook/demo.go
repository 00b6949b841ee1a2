package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/auth"
	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/demo"
	"github.com/offhook/offhook/internal/obs"
	"github.com/offhook/offhook/internal/sip"
)

type demoCmd struct {
	Listen  string `default:"127.0.0.1:8080" help:"Where to serve the pages; loopback only."`
	SIP     string `default:"127.0.0.1:5060" help:"Where phones reach offhook, UDP and TCP."`
	Carrier string `default:"127.0.0.2:5080" help:"Where the simulated carrier is; another loopback address than --sip."`
	WebRTC  string `default:"127.0.0.1:8189" help:"The port of the browsers' audio, UDP and TCP."`
	Data    string `type:"path" placeholder:"FOLDER" help:"Keep data there; without it the demo forgets everything."`
}

// Run serves the sample company until a signal.
func (d demoCmd) Run(ctx context.Context, stdout io.Writer) error {
	carrier, err := d.carrier()
	if err != nil {
		return err
	}
	folder, forget, err := d.folder()
	if err != nil {
		return err
	}
	defer forget()
	sample := demo.NewSample(carrier)
	cfg, err := d.config(folder, sample)
	if err != nil {
		return err
	}
	log, err := logger(cfg.Log)
	if err != nil {
		return err
	}
	defer obs.FlushLog(log)
	late := new(lateHandler)
	n, err := newNode(ctx, cfg, log, late)
	if err != nil {
		return err
	}
	softphones, err := n.softphones(sample)
	if err != nil {
		n.close()
		return err
	}
	network, err := demo.New(ctx, demo.Config{
		Sample: sample, Offhook: n.sipAddrs[sip.UDP], Carrier: carrier, Softphones: softphones, Log: log,
	})
	if err != nil {
		n.close()
		return busy("--carrier", d.Carrier, err)
	}
	late.handler = network
	watched := n.watch(network.Observe)
	n.onClose(func() { network.Close(); watched() })
	if _, err := io.WriteString(stdout, greeting(n.web.URL(), softphones, sample)); err != nil {
		log.Warn("cannot print where the pages are", "error", err)
	}
	return n.run(ctx)
}

// carrier returns where the simulated carrier is. A carrier is known by its address
// alone: phones at the same one would be taken for it.
func (d demoCmd) carrier() (netip.AddrPort, error) {
	at, err := netip.ParseAddrPort(d.Carrier)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("--carrier: %w", err)
	}
	if own, err := netip.ParseAddrPort(d.SIP); !at.Addr().IsLoopback() || err == nil && own.Addr() == at.Addr() {
		return netip.AddrPort{}, fmt.Errorf("--carrier %s: expected a loopback address other than that of --sip, such as 127.0.0.2:5080", d.Carrier)
	}
	return at, nil
}

// greeting says where to go.
func greeting(url string, softphones []demo.Softphone, sample demo.Sample) string {
	var b strings.Builder
	fmt.Fprintf(&b, "offhook %s, demo on this machine only\n\n", version)
	fmt.Fprintf(&b, "  1. The simulated phone network: place a call, watch the phones ring\n     %s/demo\n\n", url)
	for i, s := range softphones {
		fmt.Fprintf(&b, "  %d. The softphone of %s\n     %s%s\n\n", i+2, s.Name, url, s.URL)
	}
	fmt.Fprintf(&b, "  The guide to programs that answer calls\n     %s/docs\n\n", url)
	fmt.Fprintf(&b, "Or log in at %s as sales with the password %q. Stop with Ctrl-C.\n", url, sample.Passwords["sales"].Reveal())
	return b.String()
}

// folder returns where the demo keeps its data, and what forgets it at the end.
func (d demoCmd) folder() (string, func(), error) {
	if d.Data != "" {
		return d.Data, func() {}, nil
	}
	folder, err := os.MkdirTemp("", "offhook-demo-")
	if err != nil {
		return "", nil, err
	}
	return folder, func() { _ = os.RemoveAll(folder) }, nil // what is left is the system's to clean
}

// config is the default of one machine with the sample company in it.
func (d demoCmd) config(folder string, sample demo.Sample) (config.Config, error) {
	cfg := config.Default()
	cfg.HTTP.Listen, cfg.SIP.UDP, cfg.SIP.TCP, cfg.SIP.TLS = d.Listen, d.SIP, d.SIP, ""
	cfg.Media.WebRTCUDP, cfg.Media.WebRTCTCP = d.WebRTC, d.WebRTC
	cfg.Store = config.Store{Folder: folder, URL: "sqlite:" + folder + "/offhook.db"}
	cfg.Limits.Drain = 2 * time.Second
	cfg.Log.Level = "warn"
	r := sample.Resources
	cfg.Resources = config.Resources{Groups: r.Groups, Numbers: r.Numbers}
	for _, u := range r.Users {
		cfg.Resources.Users = append(cfg.Resources.Users, config.User{User: u, Password: sample.Passwords[u.Name]})
	}
	// Commands on this machine speak as admin, who has no password.
	cfg.Resources.Users = append(cfg.Resources.Users, config.User{User: route.User{Name: "admin", Role: route.RoleAdmin}})
	for _, t := range r.Trunks {
		cfg.Resources.Trunks = append(cfg.Resources.Trunks, config.Trunk{Trunk: t})
	}
	if err := cfg.Validate(); err != nil {
		return config.Config{}, err
	}
	// The page places calls without a login, so nobody else may reach it.
	if err := cfg.CheckExposure(); err != nil {
		return config.Config{}, fmt.Errorf("the demo is for this machine only: %w", err)
	}
	return cfg, nil
}

// softphones returns links that log sample users in.
func (n *node) softphones(sample demo.Sample) ([]demo.Softphone, error) {
	var list []demo.Softphone
	for _, u := range sample.Resources.Users {
		token, err := auth.MintToken(n.tokenKey, u.Name, time.Now(), demoTokenLife)
		if err != nil {
			return nil, err
		}
		list = append(list, demo.Softphone{User: u.Name, Name: u.DisplayName, URL: "/#token=" + token.Reveal()})
	}
	return list, nil
}

// demoTokenLife outlives any demonstration.
const demoTokenLife = 7 * 24 * time.Hour

// watch gives every change of a leg to see; the result stops and waits.
func (n *node) watch(see func(core.LegEntry)) func() {
	sub := n.bus.Subscribe(1024)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for entry := range sub.C() {
			see(entry)
		}
	}()
	return func() { sub.Close(); <-done }
}

// lateHandler is a handler that is known only after the listener is open, and
// before anything is served.
type lateHandler struct{ handler http.Handler }

// ServeHTTP implements http.Handler.
func (l *lateHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) { l.handler.ServeHTTP(w, r) }
