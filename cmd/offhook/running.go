package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/offhook/offhook/internal/auth"
	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/store"
	"github.com/offhook/offhook/internal/store/sqlite"
)

// running says where a running node keeps its data. Its file is in the cache folder of
// the user who started it, so that commands of that user need no token: who can
// read the data folder can make one.
type running struct {
	Store config.Store `json:"store"`
}

// runningFile is the file of the node whose pages are at port.
func runningFile(port string) (string, error) {
	folder, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, "offhook", "node-"+port+".json"), nil
}

// announce writes the file of this node, and removes it at the end. Without a home
// there is none, and commands need a token.
func (n *node) announce() {
	path, text, err := n.writeRunning()
	if err != nil {
		n.log.Debug("commands on this machine need a token", "error", err)
		return
	}
	n.onClose(func() { removeOwn(path, text) })
}

// removeOwn removes a file unless it has another text by now: that of another node with
// the same port, in another container say.
func removeOwn(path string, text []byte) {
	if is, err := os.ReadFile(path); err == nil && bytes.Equal(is, text) { //nolint:gosec // the user's own cache
		_ = os.Remove(path) // a left-over leads to a message that says the same
	}
}

func (n *node) writeRunning() (path string, text []byte, err error) {
	_, port, err := net.SplitHostPort(n.web.Addr().String())
	if err != nil {
		return "", nil, err
	}
	if path, err = runningFile(port); err != nil {
		return "", nil, err
	}
	folder, err := filepath.Abs(n.cfg.Store.Folder)
	if err != nil {
		return "", nil, err
	}
	text, err = json.Marshal(running{config.Store{Folder: folder, URL: absolute(n.cfg.Store.URL)}})
	if err != nil {
		return "", nil, err
	}
	return path, text, errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, text, 0o600))
}

// absolute makes the path of a store good for every folder.
func absolute(storeURL string) string {
	const scheme = "sqlite:"
	if len(storeURL) > len(scheme) && storeURL[:len(scheme)] == scheme {
		if path, err := filepath.Abs(storeURL[len(scheme):]); err == nil {
			return scheme + path
		}
	}
	return storeURL
}

// operatorToken makes a token of an admin for the node at an address of this machine.
func operatorToken(ctx context.Context, base string) (core.Secret, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	if u.Hostname() == "" {
		return "", fmt.Errorf("%q is not an address such as http://localhost:8080", base)
	}
	if addr, err := netip.ParseAddr(u.Hostname()); u.Hostname() != "localhost" && (err != nil || !addr.IsLoopback()) {
		return "", fmt.Errorf("%s is another machine: give --token, which offhook token makes there", u.Hostname())
	}
	path, err := runningFile(u.Port())
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(path) //nolint:gosec // the user's own cache
	if err != nil {
		return "", fmt.Errorf("no exchange of yours runs at %s: start offhook serve or offhook demo, or give --url and --token", base)
	}
	var r running
	if err := json.Unmarshal(text, &r); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return mintForAdmin(ctx, r.Store)
}

// mintForAdmin makes a token for the first admin in a store.
func mintForAdmin(ctx context.Context, at config.Store) (core.Secret, error) {
	key, err := store.LoadKey(filepath.Join(at.Folder, nodeKeyFile))
	if err != nil {
		return "", err
	}
	s, err := sqlite.Open(ctx, at.URL, key)
	if err != nil {
		return "", err
	}
	defer s.Close() //nolint:errcheck // nothing was written
	r, err := s.Resources(ctx)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(r.Users, func(u route.User) bool { return u.Role == route.RoleAdmin && u.App == "" })
	if i < 0 {
		return "", errors.New("the exchange has no user with role: admin")
	}
	return auth.MintToken(key.Derive(tokenPurpose), r.Users[i].Name, time.Now(), operatorLife)
}

// operatorLife is the life of a token for one command. tail may run for long, and
// comes back with a new one.
const operatorLife = time.Hour
