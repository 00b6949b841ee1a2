package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/obs"
)

type serveCmd struct {
	Config string `short:"c" type:"path" placeholder:"FILE" help:"Configuration (YAML). Without it a complete default runs on this machine only and keeps its data in ./offhook-data."`
}

// Run serves until a signal.
func (s serveCmd) Run(ctx context.Context, stdout io.Writer) error {
	cfg, err := config.Load(s.Config)
	if err != nil {
		return err
	}
	if err := cfg.CheckExposure(); err != nil {
		return err
	}
	first := s.Config == "" && !exists(filepath.Join(cfg.Store.Folder, firstUserFile))
	if s.Config == "" {
		if cfg.Resources, err = firstUser(cfg.Store.Folder, first); err != nil {
			return err
		}
	}
	log, err := logger(cfg.Log)
	if err != nil {
		return err
	}
	defer obs.FlushLog(log)
	defer surviveHangups(log)()
	n, err := newNode(ctx, cfg, log, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "offhook %s is ready: %s\n", version, n.web.URL()) //nolint:errcheck // a closed terminal is no reason to stop
	if s.Config == "" {
		u := cfg.Resources.Users[0]
		fmt.Fprintf(stdout, "Log in as %s with the password %s\n", u.Name, passwordHint(u.Password, first, cfg.Store.Folder)) //nolint:errcheck // as above
	}
	return n.run(ctx)
}

// firstUserFile keeps the generated password of the default without a file.
const firstUserFile = "admin-password"

// firstUser returns the one user of a default without a file, "admin", with a
// password that is generated at the first start and kept in the data folder.
func firstUser(folder string, first bool) (config.Resources, error) {
	path := filepath.Join(folder, firstUserFile)
	if first {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return config.Resources{}, err
		}
		if err := os.WriteFile(path, []byte(strings.ToLower(rand.Text()[:20])+"\n"), 0o600); err != nil {
			return config.Resources{}, err
		}
	}
	text, err := os.ReadFile(path) //nolint:gosec // the operator's own folder
	if err != nil {
		return config.Resources{}, err
	}
	return config.Resources{Users: []config.User{{
		User: route.User{Name: "admin", Role: route.RoleAdmin}, Password: core.Secret(strings.TrimSpace(string(text))),
	}}}, nil
}

// passwordHint shows a new password once; later it says where it is kept.
func passwordHint(password core.Secret, first bool, folder string) string {
	if first {
		return password.Reveal()
	}
	return "in " + filepath.Join(folder, firstUserFile)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func logger(c config.Log) (*slog.Logger, error) {
	return obs.NewLogger(os.Stderr, c.Level, c.Format)
}
