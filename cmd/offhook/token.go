package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/offhook/offhook/internal/auth"
	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/store"
	"github.com/offhook/offhook/internal/store/sqlite"
)

type tokenCmd struct {
	User   string        `required:"" help:"Name of the user who shall log in with the token."`
	Life   time.Duration `default:"24h" help:"How long the token is good, 1m to 720h."`
	Config string        `short:"c" type:"path" placeholder:"FILE" help:"Configuration of the node that shall accept the token."`
}

// Run prints a token. It needs the node's data folder, not the running node.
func (t tokenCmd) Run(ctx context.Context, stdout io.Writer) error {
	if t.Life < time.Minute || t.Life > 720*time.Hour {
		return fmt.Errorf("--life: %v is outside 1m..720h", t.Life)
	}
	cfg, err := config.Load(t.Config)
	if err != nil {
		return err
	}
	keyFile := filepath.Join(cfg.Store.Folder, nodeKeyFile)
	if !exists(keyFile) {
		return fmt.Errorf("%s does not exist: start offhook serve once, or name its configuration with -c", keyFile)
	}
	key, err := store.LoadKey(keyFile)
	if err != nil {
		return err
	}
	s, err := sqlite.Open(ctx, cfg.Store.URL, key)
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // nothing was written
	known, err := s.UserExists(ctx, core.UserID{Name: t.User})
	if err != nil {
		return err
	}
	if !known {
		return fmt.Errorf("no user %q", t.User)
	}
	token, err := auth.MintToken(key.Derive(tokenPurpose), t.User, time.Now(), t.Life)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, token.Reveal())
	return err
}
