package main

import (
	"context"

	"github.com/offhook/offhook/internal/api/native"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/exchange"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/sipedge"
)

// newAPI makes /api/v1.
func (n *node) newAPI() *native.API {
	return native.New(native.Config{
		Store: houseStore{n.store, n.bus}, Tokens: n.auth, Calls: n.loop, Audio: n.media, Events: liveEvents{n.bus}, Realm: n.cfg.SIP.Realm,
		Changed: n.directoryChanged, Version: version, Log: n.log,
		Rate: native.Rate{PerSecond: n.cfg.Limits.APIRate, Burst: n.cfg.Limits.APIBurst},
	}, n.directory.Load())
}

// directoryChanged takes changed resources to everybody who knows the old ones. If only
// one user changed, only says which, and nothing else is read again. The exchange comes
// last: it rings nobody whom the edges do not know yet.
func (n *node) directoryChanged(ctx context.Context, d *route.Directory, only core.UserID) error {
	if !only.IsZero() {
		if err := n.auth.Refresh(ctx, only); err != nil {
			return err
		}
		n.directory.Store(d)
		return n.post(exchange.DirectoryChanged{Directory: d})
	}
	trunks, err := n.trunks(ctx, d)
	if err != nil {
		return err
	}
	if err := n.auth.Reload(ctx); err != nil {
		return err
	}
	if err := n.apps.load(ctx, d); err != nil {
		return err
	}
	n.sip.SetTrunks(trunks)
	n.directory.Store(d)
	return n.post(exchange.DirectoryChanged{Directory: d})
}

// trunks returns the trunks with their passwords.
func (n *node) trunks(ctx context.Context, d *route.Directory) ([]sipedge.Trunk, error) {
	var trunks []sipedge.Trunk
	for _, t := range d.Resources().Trunks {
		password, err := n.store.TrunkPassword(ctx, t.Name)
		if err != nil {
			return nil, err
		}
		trunks = append(trunks, sipedge.Trunk{Trunk: t, Password: password})
	}
	return trunks, nil
}

// profile shows a user of the browser pages to himself.
func (n *node) profile(id core.UserID) core.Party {
	u, _ := n.directory.Load().User(id)
	return core.Party{User: id, Number: u.Number, Name: u.DisplayName}
}

// userSettings is how a user's phones are treated.
func (n *node) userSettings(id core.UserID) route.User {
	u, _ := n.directory.Load().User(id)
	return u
}
