package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRemoveOwn leaves alone what another node has written since.
func TestRemoveOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node-8080.json")
	for text, stays := range map[string]bool{"ours": false, "another's": true} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		removeOwn(path, []byte("ours"))
		if _, err := os.Stat(path); (err == nil) != stays {
			t.Errorf("%s: %v", text, err)
		}
	}
	removeOwn(path+".none", nil)
}

func TestOperatorTokenWithoutHost(t *testing.T) {
	for _, base := range []string{"foo", "", "http://"} {
		if _, err := operatorToken(t.Context(), base); err == nil || !strings.Contains(err.Error(), "is not an address such as") {
			t.Errorf("%q: %v", base, err)
		}
	}
}
