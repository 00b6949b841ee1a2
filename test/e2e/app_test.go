//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestAppCreateAndTail makes an application at a running exchange, without any token,
// uses what it wrote, calls its number, and follows the call.
func TestAppCreateAndTail(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir()) // where the exchange says that it runs
	o := harness.NewOffhook(t, "resources: {users: [{name: boss, role: admin}, {name: anna, password: tomato-soup}]}\n")
	folder := t.TempDir()
	command := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), offhookBinary(t), args...) //nolint:gosec // our own program
		cmd.Dir = folder
		return cmd
	}
	run := func(args ...string) string {
		t.Helper()
		var stderr bytes.Buffer
		cmd := command(args...)
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, stderr.String())
		}
		return strings.TrimSpace(string(out))
	}
	created := run("app", "create", "--url", o.URL(""), "--name", "hello", "--number", voiceNumber, "--answer-url", "http://127.0.0.1:1/answer")
	if key, err := os.ReadFile(filepath.Join(folder, "private.key")); err != nil || !bytes.HasPrefix(key, []byte("-----BEGIN PRIVATE KEY-----")) {
		t.Errorf("private.key: %v %.30s", err, key)
	}

	// The token that the key signs is good.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.URL("/v1/calls"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+run("token")) // of .env
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("GET /v1/calls: %s", resp.Status)
	}

	_, app, _ := strings.Cut(strings.SplitN(created, "\n", 2)[0], "application ")
	follower := harness.Start(t, "tail", command("tail", "--url", o.URL(""), "--app", app, "--json"))
	anna := harness.NewUser(t, o, "anna", "tomato-soup", phone.Config{})
	// tail subscribes at some time: calls come until it has seen one from its beginning.
	for len(follower.Log().Lines(`"kind":"began"`)) == 0 {
		if _, err := anna.Dial(voiceNumber, phone.DialOptions{}); err != nil {
			t.Fatal(err)
		}
		anna.Await(phone.Ended, soon)
	}
	line := follower.WaitFor(soon, `"kind":"ended"`)
	var event struct{ App, Kind, Direction string }
	if err := json.Unmarshal([]byte(line), &event); err != nil || event.App != app || event.Kind != "ended" || event.Direction != "inbound" {
		t.Errorf("tail printed %q: %v", line, err)
	}
}

func offhookBinary(t *testing.T) string {
	return cmp.Or(os.Getenv("OFFHOOK_BINARY"), filepath.Join(harness.Root(t), "bin", "offhook"))
}
