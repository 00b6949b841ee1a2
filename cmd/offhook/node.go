package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/api/voice"
	"github.com/offhook/offhook/internal/auth"
	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/engine"
	"github.com/offhook/offhook/internal/events"
	"github.com/offhook/offhook/internal/loopedge"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/rtc"
	"github.com/offhook/offhook/internal/media/turn"
	"github.com/offhook/offhook/internal/media/udp"
	"github.com/offhook/offhook/internal/obs"
	"github.com/offhook/offhook/internal/record"
	"github.com/offhook/offhook/internal/rtcedge"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/sipedge"
	"github.com/offhook/offhook/internal/sounds"
	"github.com/offhook/offhook/internal/store"
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

	journal *events.Journal // behind bus
	folder  probes          // of the data

	loop  *engine.Loop
	media *media.Server
	rtc   *rtc.Server
	ports ports
	audio udp.Loop     // reads the sockets of rtc and ports
	turn  *turn.Server // nil without
	stack *sip.Stack
	sip   *sipedge.Edge
	rtcE  *rtcedge.Edge
	web   *web.Server

	sockets  *wsedge.Edge // of applications
	loops    *loopedge.Edge
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

// What the keys that sign the house's tokens and the relay's credentials are derived
// for.
const (
	tokenPurpose = "tokens"
	turnPurpose  = "turn"
)

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
	debug.FreeOSMemory() // of what was read at the start and nothing needs again
	obs.SpareCollector()
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
