//go:build e2e

package harness

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// API is /api/v1 of an Offhook with the rights of a user.
type API struct {
	o     *Offhook
	token string
}

// API returns it for a user, with a token that `offhook token` makes.
func (o *Offhook) API(t testing.TB, user string) *API {
	t.Helper()
	binary := cmp.Or(os.Getenv("OFFHOOK_BINARY"), filepath.Join(Root(t), "bin", "offhook"))
	token, err := exec.CommandContext(background(), binary, "token", "-c", o.file, "--user", user).Output() //nolint:gosec // our own program
	if err != nil {
		t.Fatalf("offhook token: %v", err)
	}
	return &API{o: o, token: strings.TrimSpace(string(token))}
}

// Do does a request below /api/v1, wants this status, and returns the decoded
// answer, nil if there is none.
func (a *API) Do(t testing.TB, method, path, body string, want int) map[string]any {
	t.Helper()
	req, err := http.NewRequestWithContext(background(), method, a.o.URL("/api/v1"+path), bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != want {
		t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, res.StatusCode, text, want)
	}
	if len(text) == 0 {
		return nil
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
	return out
}
