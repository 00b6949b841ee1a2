package main

import (
	"cmp"
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/api/voice"
	"github.com/offhook/offhook/internal/auth"
	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/exchange"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/engine"
	"github.com/offhook/offhook/internal/events"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/rtc"
	"github.com/offhook/offhook/internal/media/turn"
	"github.com/offhook/offhook/internal/obs"
	"github.com/offhook/offhook/internal/record"
	"github.com/offhook/offhook/internal/rtcedge"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/sipedge"
	"github.com/offhook/offhook/internal/sounds"
	"github.com/offhook/offhook/internal/speech"
	"github.com/offhook/offhook/internal/store"
	"github.com/offhook/offhook/internal/store/sqlite"
	"github.com/offhook/offhook/internal/web"
	"github.com/offhook/offhook/internal/webhook"
	"github.com/offhook/offhook/internal/wsedge"
)

// node is one running exchange: every package, wired. Its parts are made by
// newNode, in the order in which they need each other, and ended by close, in
// the opposite order.
type node struct {
	cfg   config.Config
	log   *slog.Logger
	store *store.Store
	auth  *auth.Auth
	bus   *events.Bus
	loop  *engine.Loop
	media *media.Server
	rtc   *rtc.Server
	ports ports
	turn  *turn.Server // nil without
	stack *sip.Stack
	sip   *sipedge.Edge
	rtcE  *rtcedge.Edge
	web   *web.Server

	sockets  *wsedge.Edge // of applications
	recorder *record.Recorder

	voice *voice.API
	apps  *applications // those that the Voice API is for

	pressure *obs.Pressure

	webhooks    *webhook.Deliverer
	webhookTime *obs.Histogram

	cutOff []core.CDR // legs of the last run that were killed with it

	sounds *sounds.Library // files and URLs that callers hear

	directory atomic.Pointer[route.Directory] // who can be reached now

	// sipAddrs are the bound SIP listeners by transport.
	sipAddrs map[string]netip.AddrPort
	tokenKey []byte        // signs the house's tokens
	turnKey  []byte        // makes credentials of the relay
	draining chan struct{} // closed when new calls are refused
	closers  []func()      // what close runs, last first
}

// newNode opens the store and every listener. Nothing is served before run. On
// error everything opened is closed again.
func newNode(ctx context.Context, cfg config.Config, log *slog.Logger, demo http.Handler) (*node, error) {
	n := &node{cfg: cfg, log: log, draining: make(chan struct{}), sipAddrs: make(map[string]netip.AddrPort)}
	for _, step := range []func(context.Context) error{
		n.openStore, n.watchPressure, n.openMedia, n.openTURN, n.openEdges, n.listenSIP,
		func(ctx context.Context) error { return n.listenWeb(ctx, demo) },
	} {
		if err := step(ctx); err != nil {
			n.close()
			return nil, err
		}
	}
	return n, nil
}

// onClose adds a step to close.
func (n *node) onClose(f func()) { n.closers = append(n.closers, f) }

// close ends what newNode opened, in the opposite order.
func (n *node) close() {
	for _, f := range slices.Backward(n.closers) {
		f()
	}
	n.closers = nil
}

// openStore opens the database, applies the file's resources and opens the log of
// legs.
func (n *node) openStore(ctx context.Context) error {
	key, err := store.LoadKey(filepath.Join(n.cfg.Store.Folder, nodeKeyFile))
	if err != nil {
		return err
	}
	// A second node on the same store would take our calls for those of a crash.
	unlock, err := store.Lock(n.cfg.Store.Folder)
	if err != nil {
		return err
	}
	n.onClose(func() { n.logged("unlock store", unlock()) })
	n.tokenKey, n.turnKey = key.Derive(tokenPurpose), key.Derive(turnPurpose)
	n.store, err = sqlite.Open(ctx, n.cfg.Store.URL, key)
	if err != nil {
		return err
	}
	n.onClose(func() { n.logged("close store", n.store.Close()) })
	n.store.SetStatus(voice.Status)
	if err := n.applyResources(ctx); err != nil {
		return err
	}
	n.auth, err = auth.New(ctx, auth.Config{
		Users: n.store, TokenKey: n.tokenKey, DummyKey: key.Derive("digest dummy"), Log: n.log,
	})
	if err != nil {
		return err
	}
	return n.openLog(ctx)
}

// openLog opens the log of legs and closes what a crash left open in it.
func (n *node) openLog(ctx context.Context) error {
	journal, err := events.OpenJournal(ctx, n.cfg.Store.Folder, n.store, n.log)
	if err != nil {
		return err
	}
	n.onClose(func() { n.logged("close journal", journal.Close()) })
	n.cutOff, err = n.store.CloseUnfinished(ctx, time.Now())
	if bad, ok := errors.AsType[store.UnreadableErrors](err); ok {
		n.log.Error("records of the last run are damaged and are left as they are", "records", len(bad), "error", errors.Join(bad...))
	} else if err != nil {
		return err
	}
	if len(n.cutOff) > 0 {
		n.log.Warn("legs of the last run were cut off and are recorded as ended", "legs", len(n.cutOff), "cause", int(core.CauseTempFailure))
	}
	if err := n.openWebhooks(ctx); err != nil {
		return err
	}
	n.bus = events.New(toldFirst{journal, n}, n.log)
	n.onClose(func() { n.logged("flush events", withTimeout(10*time.Second, n.bus.Close)) })
	return nil
}

// What the keys that sign the house's tokens and the relay's credentials are derived
// for.
const (
	tokenPurpose = "tokens"
	turnPurpose  = "turn"
)

// nodeKeyFile is the name of the node key in the data folder.
const nodeKeyFile = "node.key"

// applyResources writes the file's resources into the store.
func (n *node) applyResources(ctx context.Context) error {
	r := n.cfg.Resources
	out := store.Resources{
		Groups: r.Groups, Numbers: r.Numbers, Schedules: r.Schedules, Callers: r.Callers,
		Dialling: r.Dialling, Limits: r.Limits, Parking: r.Parking,
	}
	for _, u := range r.Users {
		out.Users = append(out.Users, store.User{User: u.User, Password: u.Password})
	}
	for _, t := range r.Trunks {
		out.Trunks = append(out.Trunks, store.Trunk{Trunk: t.Trunk, Password: t.Password})
	}
	for _, a := range r.Accounts {
		out.Accounts = append(out.Accounts, store.Account{Account: a.Account, Secret: a.Secret, SignatureSecret: a.SignatureSecret})
	}
	for _, a := range r.Applications {
		out.Applications = append(out.Applications, a.Application)
	}
	return n.store.ApplyFile(ctx, out, n.cfg.SIP.Realm, auth.HashPassword)
}

// openMedia starts the media server and the port of the browsers.
func (n *node) openMedia(ctx context.Context) error {
	var err error
	if n.sounds, err = newSounds(n.cfg.Media, n.ownHost, n.log); err != nil {
		return err
	}
	n.onClose(n.sounds.Close)
	speaker, err := newSpeaker(ctx, n.cfg, n.log)
	if err != nil {
		return err
	}
	n.onClose(speaker.Close)
	n.media = media.NewServer(media.Config{
		Events: poster(n.post), Prompt: speech.Prompt, Files: n.sounds, Speaker: speaker,
		Ringback: n.cfg.Resources.Dialling.Country, Log: n.log,
	})
	n.onClose(n.media.Close)
	return n.openWebRTC(ctx)
}

// openWebRTC opens the ports of all browsers' audio.
func (n *node) openWebRTC(ctx context.Context) error {
	const udpKey, tcpKey = "media.webrtc_udp", "media.webrtc_tcp"
	cfg := rtc.Config{Loopback: true, Log: n.log}
	var err error
	if cfg.Listen, err = resolveListen(n.cfg.Media.WebRTCUDP); err != nil {
		return fmt.Errorf("%s: %w", udpKey, err)
	}
	if n.cfg.Media.WebRTCTCP != "" {
		if cfg.ListenTCP, err = resolveListen(n.cfg.Media.WebRTCTCP); err != nil {
			return fmt.Errorf("%s: %w", tcpKey, err)
		}
	}
	if cfg.Public, err = n.publicAddrs(ctx); err != nil {
		return err
	}
	n.rtc, err = rtc.NewServer(cfg)
	if failed, ok := errors.AsType[*net.OpError](err); ok && failed.Net == "tcp" {
		return busy(tcpKey, n.cfg.Media.WebRTCTCP, err)
	}
	if err != nil {
		return busy(udpKey, n.cfg.Media.WebRTCUDP, err)
	}
	n.onClose(func() { n.logged("close webrtc", n.rtc.Close()) })
	return nil
}

// publicAddrs resolves network.public; empty for auto.
func (n *node) publicAddrs(ctx context.Context) ([]netip.Addr, error) {
	if n.cfg.Network.Public == config.Auto {
		return nil, nil
	}
	if a, err := netip.ParseAddr(n.cfg.Network.Public); err == nil {
		return []netip.Addr{a}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", n.cfg.Network.Public)
	if err != nil {
		return nil, fmt.Errorf("network.public: %w", err)
	}
	return addrs, nil
}

// openEdges makes the exchange, its loop and both edges.
func (n *node) openEdges(ctx context.Context) error {
	directory, err := n.loadDirectory(ctx)
	if err != nil {
		return err
	}
	n.directory.Store(directory)
	n.warmSounds(directory.Resources().SoundFiles())
	trunks, err := n.trunks(ctx, directory)
	if err != nil {
		return err
	}
	public, err := n.publicAddrs(ctx)
	if err != nil {
		return err
	}
	n.ports = newPorts(n.cfg.Media.RTPPorts, n.log)
	edge := sipedge.Config{
		Poster: poster(n.post), Secrets: n.auth, Media: n.media, Ports: n.ports,
		Web: webPaths{n.rtc}, Log: n.log,
		Domain: n.cfg.SIP.Domain, Realm: n.cfg.SIP.Realm, Local: n.cfg.Network.Local,
		Cost: n.cfg.Media.Prefer == config.PreferCost, MessagesPerSecond: n.cfg.SIP.MessagesPerSecond, SRTP: n.cfg.SIP.SRTP, Overloaded: n.pressure.Overloaded,
		User: n.userSettings, MaxContacts: n.cfg.SIP.MaxContacts, KeepAlive: n.cfg.SIP.KeepAlive, SHA256: n.cfg.SIP.SHA256,
	}
	if len(public) > 0 {
		edge.PublicMedia = public[0]
	}
	n.sip = sipedge.New(edge)
	n.sip.SetTrunks(trunks)
	nameServer, err := n.cfg.SIP.NameServer()
	if err != nil {
		return fmt.Errorf("sip.resolver: %w", err)
	}
	n.stack = sip.NewStack(n.sip.StackConfig(sip.Config{
		Resolver: sip.NewDNS(nameServer), Log: n.log, Agent: "offhook/" + version, SessionExpires: cmp.Or(n.cfg.SIP.SessionExpires, -1),
	}))
	n.onClose(n.closeSIP)

	n.rtcE = rtcedge.New(rtcedge.Config{
		Version: version, Limits: rtcedge.DefaultLimits(), Log: n.log, Auth: n.auth, Post: poster(n.postUnlessOverloaded),
		Paths: rtcPaths{n.rtc}, Media: n.media, Profile: n.profile, ICE: n.iceServers,
	})
	n.onClose(n.rtcE.Close)

	n.openRecorder()
	if err := n.openVoice(ctx); err != nil {
		return err
	}
	n.onClose(n.recorder.Close) // it tells the Voice API of its last files
	if err := n.openSockets(); err != nil {
		return err
	}
	listener := n.newListener()
	n.onClose(listener.Close)
	var seed [32]byte
	crand.Read(seed[:]) // never fails, by contract
	n.loop = engine.New(engine.Config{
		Exchange: exchange.New(exchange.Config{Seed: seed, Directory: directory}),
		SIP:      n.sip, Browser: n.rtcE, Socket: n.sockets, Media: hearing{n.media, n.recorder, listener}, Apps: n.voice, Events: n.bus, Log: n.log, DrainLimit: n.cfg.Limits.Drain,
	})
	n.sip.Start(n.stack) // from now on it tells the loop of trunks
	return n.recorder.Start(ctx)
}

// farewellTime bounds the wait for the answers to our last BYEs.
const farewellTime = 2 * time.Second

// closeSIP ends the SIP edge and stack. A stack that is closed at once would
// leave the phones in their calls: a BYE on a stream is not sent yet, and one
// over UDP may have to be repeated.
func (n *node) closeSIP() {
	n.sip.Close()
	ctx, cancel := context.WithTimeout(context.Background(), farewellTime)
	defer cancel()
	n.stack.Settle(ctx)
	n.stack.Close()
}

// post hands an event to the loop. Every part gets this method before the loop
// exists, and posts nothing before it listens, or is started.
func (n *node) post(ev core.Event) error { return n.loop.Post(ev) }

// postUnlessOverloaded takes no new calls under overload. The SIP edge refuses them
// before it knows what they are.
func (n *node) postUnlessOverloaded(ev core.Event) error {
	if _, call := ev.(core.Offered); call && n.pressure.Overloaded() {
		return &core.Error{Op: "node", Kind: core.Unavailable, Err: errors.New("overloaded")}
	}
	return n.loop.Post(ev)
}

// watchPressure begins to measure whether new calls should be refused.
func (n *node) watchPressure(context.Context) error {
	n.pressure = obs.NewPressure()
	ctx, stop := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() { n.pressure.Run(ctx) })
	n.onClose(func() { stop(); watching.Wait() })
	return nil
}

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

// listenWeb opens the HTTP listener.
func (n *node) listenWeb(ctx context.Context, demo http.Handler) error {
	cfg := web.Config{Listen: n.cfg.HTTP.Listen, Demo: demo != nil}
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

// ready says why no call can be taken.
func (n *node) ready(ctx context.Context) error {
	select {
	case <-n.draining:
		return errors.New("draining")
	default:
		return n.store.Ping(ctx)
	}
}

// run serves until ctx ends, then drains: no new calls, running ones go on until
// they end or the limit is over. It returns when everything is closed.
func (n *node) run(ctx context.Context) error {
	defer n.close()
	n.announce()
	failed := make(chan error, 1)
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := n.web.Serve(); err != nil {
			failed <- err
		}
	})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(ctx, func() { close(n.draining) })
	serving.Go(func() { obs.Trim(ctx) })
	debug.FreeOSMemory() // hashing passwords at the start took 19 MB that nothing needs again
	var err error
	served := make(chan struct{})
	go func() { n.loop.Run(ctx); close(served) }()
	select {
	case <-served:
	case err = <-failed:
		cancel()
		<-served
	}
	n.close()
	serving.Wait()
	return err
}

// logged reports a failed step of closing.
func (n *node) logged(doing string, err error) {
	if err != nil {
		n.log.Warn("could not close", "doing", doing, "error", err)
	}
}

func withTimeout(d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return f(ctx)
}
