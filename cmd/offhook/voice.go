package main

import (
	"context"
	"net"
	"sync/atomic"

	"github.com/offhook/offhook/internal/api/voice"
	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// openVoice makes the Voice API. It needs the store and the deliverer of webhooks,
// and tells the loop, which comes later, of nothing before it is asked.
func (n *node) openVoice(ctx context.Context) error {
	n.apps = &applications{node: n}
	if err := n.apps.load(ctx, n.directory.Load()); err != nil {
		return err
	}
	n.voice = voice.New(voice.Config{
		Exchange: loopOf{n}, Apps: n.apps, Tokens: n.auth, Hooks: n.webhooks, Calls: appRecords{n.store, n.bus}, Users: n.store, Files: recordings{n.recorder},
		Sessions: sessions{n}, Base: n.voiceURL, Log: n.log,
		Settings: voice.Settings{
			Files: n.cfg.Voice.FileBase, Region: n.cfg.Voice.RegionURL,
			LenientFinishedLeg: n.cfg.Voice.LenientFinishedLeg, TimedAside: n.cfg.Voice.RecordAside,
		},
	})
	n.onClose(n.voice.Close)
	n.tellOfCutOff()
	return nil
}

// tellOfCutOff tells applications how the legs ended that the last run left behind,
// unless they are told already.
func (n *node) tellOfCutOff() {
	for _, record := range n.cutOff {
		if record.App != "" && !n.webhooks.Ended(string(record.Leg)) {
			n.voice.CutOff(record)
		}
	}
	n.cutOff = nil
}

// voiceURL is our address as applications see it.
func (n *node) voiceURL() string {
	if n.cfg.Voice.URL != "" {
		return n.cfg.Voice.URL
	}
	if n.web == nil { // nobody can have asked yet
		return ""
	}
	if n.cfg.Network.Public == config.Auto {
		return n.web.URL()
	}
	scheme := "http"
	if n.cfg.HTTP.TLS {
		scheme = "https"
	}
	_, port, err := net.SplitHostPort(n.web.Addr().String())
	if err != nil {
		return n.web.URL()
	}
	return scheme + "://" + net.JoinHostPort(n.cfg.Network.Public, port)
}

// loopOf lets the Voice API reach the loop, which is made after it.
type loopOf struct{ node *node }

// Ask implements voice.Exchange.
func (l loopOf) Ask(ctx context.Context, do core.Request) (core.Reply, error) {
	return l.node.loop.Ask(ctx, do)
}

// Post implements voice.Exchange.
func (l loopOf) Post(ev core.Event) error { return l.node.loop.Post(ev) }

// applications are the applications with their secrets, in memory.
type applications struct {
	node *node
	of   atomic.Pointer[map[string]voice.Application]
}

// App implements voice.Apps.
func (a *applications) App(id string) (voice.Application, bool) {
	app, ok := (*a.of.Load())[id]
	return app, ok
}

// load reads the applications of a directory and the secrets of their accounts.
func (a *applications) load(ctx context.Context, d *route.Directory) error {
	resources := d.Resources()
	of := make(map[string]voice.Application, len(resources.Applications))
	for _, app := range resources.Applications {
		it := voice.Application{Application: app, APIKey: app.Account}
		if app.Account != "" {
			_, _, signature, err := a.node.store.Account(ctx, app.Account)
			if err != nil {
				return err
			}
			it.Signature = signature
		}
		for _, number := range resources.Numbers {
			if number.Application == app.ID && route.Normalise(number.Number) == number.Number {
				it.Numbers = append(it.Numbers, number.Number)
			}
		}
		of[app.ID] = it
	}
	a.of.Store(&of)
	return nil
}

// trusted reports whether an application may lead us to that host, wherever it is.
func (n *node) trusted(hostPort string) bool {
	host, port, err := net.SplitHostPort(hostPort)
	directory := n.directory.Load()
	if err != nil || directory == nil {
		return false
	}
	for _, app := range directory.Resources().Applications {
		if app.Trusts(host, port, false) {
			return true
		}
	}
	return false
}
