package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/offhook/offhook/internal/api/voice"
	"github.com/offhook/offhook/internal/auth"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/events"
	"github.com/offhook/offhook/internal/store"
	"github.com/offhook/offhook/internal/store/sqlite"
)

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
	n.journal = journal
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
	return n.store.ApplyFile(ctx, out, n.cfg.SIP.Realm)
}
