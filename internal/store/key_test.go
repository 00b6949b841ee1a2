package store

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestLoadKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "node.key")
	keys := make([]Key, 8)
	var wg sync.WaitGroup
	for i := range keys { // the first start of several processes at once
		wg.Go(func() {
			var err error
			if keys[i], err = LoadKey(path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range keys {
		if !bytes.Equal(k.secret, keys[0].secret) || len(k.secret) != keySize {
			t.Fatal("two starts have different keys")
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestLoadKeyRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"readable by others": {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 0o640, "can be read by others"},
		"too short":          {"AAAA\n", 0o600, "is not a node key"},
		"no base64":          {"?????\n", 0o600, "is not a node key"},
		"empty":              {"", 0o600, "is not a node key"},
	} {
		path := filepath.Join(t.TempDir(), "node.key")
		if err := os.WriteFile(path, []byte(tc.text), tc.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadKey(path); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
}

func TestSeal(t *testing.T) {
	key := NewKey()
	const place = "trunks/carrier"
	sealed := key.seal(place, "secret")
	if text, err := key.open(place, sealed); err != nil || text != "secret" {
		t.Errorf("open = %q, %v", text, err)
	}
	if key.seal(place, "secret") == sealed {
		t.Error("the same text is sealed the same way twice")
	}
	if key.seal(place, "") != "" {
		t.Error("nothing needs no seal")
	}
	broken := []byte(sealed)
	broken[len(broken)/2] ^= 1
	for what, try := range map[string]func() (string, error){
		"another key":   func() (string, error) { return NewKey().open(place, sealed) },
		"another place": func() (string, error) { return key.open("trunks/other", sealed) },
		"broken":        func() (string, error) { return key.open(place, string(broken)) },
		"short":         func() (string, error) { return key.open(place, "AAAA") },
		"not sealed":    func() (string, error) { return key.open(place, "plain text!") },
	} {
		if text, err := try(); err == nil || text != "" {
			t.Errorf("%s opens: %q", what, text)
		}
	}
}

func TestDerive(t *testing.T) {
	key := NewKey()
	if a, b := key.Derive("tokens"), key.Derive("digest"); bytes.Equal(a, b) || len(a) != keySize || bytes.Equal(a, key.secret) {
		t.Error("purposes share secrets")
	}
	if !bytes.Equal(key.Derive("tokens"), key.Derive("tokens")) {
		t.Error("a purpose has two secrets")
	}
}
