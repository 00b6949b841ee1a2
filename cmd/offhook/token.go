package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/auth"
	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/store"
	"github.com/offhook/offhook/internal/store/sqlite"
)

type tokenCmd struct {
	User   string        `help:"Name of the user who shall log in with the token; with --app, a user of the application."`
	App    string        `placeholder:"ID" help:"Application that the token is of. Without --user and --app that of APP_ID, in the environment or in .env."`
	Key    string        `type:"path" placeholder:"FILE" help:"Private key of the application. Default: PRIVATE_KEY, or private.key."`
	For    time.Duration `aliases:"life" help:"How long the token is good, 1m to 720h. Default: 24h, 15m with --app."`
	Config string        `short:"c" type:"path" placeholder:"FILE" help:"Configuration of the node that shall accept the token."`
}

// Run prints a token.
func (t tokenCmd) Run(ctx context.Context, stdout io.Writer) error {
	var token core.Secret
	var err error
	if t.App != "" || t.User == "" {
		token, err = t.ofApplication()
	} else {
		token, err = t.ofHouse(ctx)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, token.Reveal())
	return err
}

// life is how long the token is good.
func (t tokenCmd) life(otherwise time.Duration) (time.Duration, error) {
	life := cmp.Or(t.For, otherwise)
	if life < time.Minute || life > 720*time.Hour {
		return 0, fmt.Errorf("--for: %v is outside 1m..720h", life)
	}
	return life, nil
}

// ofApplication signs a token with an application's private key. It needs no
// exchange.
func (t tokenCmd) ofApplication() (core.Secret, error) {
	life, err := t.life(15 * time.Minute)
	if err != nil {
		return "", err
	}
	env := readEnv()
	app := cmp.Or(t.App, os.Getenv("APP_ID"), env["APP_ID"])
	if app == "" {
		return "", errors.New("give --user for a token of the house, or --app for one of an application")
	}
	path := cmp.Or(t.Key, os.Getenv("PRIVATE_KEY"), env["PRIVATE_KEY"], "private.key")
	key, err := os.ReadFile(path) //nolint:gosec // the user's own path
	if err != nil {
		return "", fmt.Errorf("private key of the application: %w", err)
	}
	token, err := auth.MintAppToken(key, app, t.User, time.Now(), life)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return token, nil
}

// readEnv reads the lines NAME=value of .env, none if it is not there.
func readEnv() map[string]string {
	values := make(map[string]string)
	text, err := os.ReadFile(".env")
	if err != nil {
		return values
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			values[name] = strings.Trim(value, `"'`)
		}
	}
	return values
}

// ofHouse makes a token of a user. It needs the node's data folder, not the running
// node.
func (t tokenCmd) ofHouse(ctx context.Context) (core.Secret, error) {
	life, err := t.life(24 * time.Hour)
	if err != nil {
		return "", err
	}
	cfg, err := config.Load(t.Config)
	if err != nil {
		return "", err
	}
	keyFile := filepath.Join(cfg.Store.Folder, nodeKeyFile)
	if !exists(keyFile) {
		return "", fmt.Errorf("%s does not exist: start offhook serve once, or name its configuration with -c", keyFile)
	}
	key, err := store.LoadKey(keyFile)
	if err != nil {
		return "", err
	}
	s, err := sqlite.Open(ctx, cfg.Store.URL, key)
	if err != nil {
		return "", err
	}
	defer s.Close() //nolint:errcheck // nothing was written
	known, err := s.UserExists(ctx, core.UserID{Name: t.User})
	if err != nil {
		return "", err
	}
	if !known {
		return "", fmt.Errorf("no user %q", t.User)
	}
	return auth.MintToken(key.Derive(tokenPurpose), t.User, time.Now(), life)
}
