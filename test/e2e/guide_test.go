//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// command finds the commands of the guide that are to be run.
var command = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// TestGuideCommands runs every command of docs/guide against an exchange with a
// call, and wants each request to succeed.
func TestGuideCommands(t *testing.T) {
	t.Parallel()
	w := newProgramTown(t)
	w.phone("desk", deskHz, phone.Config{AutoAnswer: true})
	w.acceptWebhooks()
	binary := os.Getenv("OFFHOOK_BINARY")
	if binary == "" {
		binary = filepath.Join(harness.Root(t), "bin", "offhook")
	}
	token, err := exec.CommandContext(t.Context(), binary, "token", "--app", programID, "--key", filepath.Join(w.folder, "private.key")).Output() //nolint:gosec // our own program
	if err != nil {
		t.Fatal(err)
	}
	env := slices.Concat(os.Environ(), []string{"OFFHOOK=" + w.URL(""), "TOKEN=" + strings.TrimSpace(string(token))})
	leg := w.firstLeg(env)
	pages, err := filepath.Glob(filepath.Join(harness.Root(t), "docs", "guide", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range command.FindAllSubmatch(text, -1) {
			out, status := w.runCommand(string(found[1]), append(env, "LEG="+leg))
			if status < 200 || status > 299 {
				t.Errorf("%s: %d %s of\n%s", filepath.Base(page), status, out, found[1])
			}
			ran++
		}
	}
	if ran < 20 {
		t.Errorf("only %d commands were found", ran)
	}
}

// acceptWebhooks takes all webhooks and answers with nothing.
func (w *programTown) acceptWebhooks() {
	w.t.Helper()
	listener, err := net.Listen("tcp", "localhost:"+strconv.Itoa(w.port))
	if err != nil {
		w.t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), ReadHeaderTimeout: soon}
	go server.Serve(listener) //nolint:errcheck // until the test ends
	w.t.Cleanup(func() { _ = server.Close() })
}

// firstLeg places the call that the guide calls $LEG, to a phone that answers.
func (w *programTown) firstLeg(env []string) string {
	w.t.Helper()
	out, status := w.runCommand(fmt.Sprintf(`curl -s $OFFHOOK/v1/calls -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{
		"to": [{"type": "phone", "number": "12995551111"}], "from": {"type": "phone", "number": %q},
		"ncco": [{"action": "conversation", "name": "guide"}]}'`, programNumber), env)
	var created struct{ UUID string }
	if err := json.Unmarshal([]byte(out), &created); err != nil || status != http.StatusCreated {
		w.t.Fatalf("%d %s", status, out)
	}
	return created.UUID
}

// runCommand runs a command of the guide and returns what it printed and the status
// of the answer. It keeps to 2.5 requests a second: more than 3 calls are refused.
func (w *programTown) runCommand(text string, env []string) (out string, status int) {
	w.t.Helper()
	time.Sleep(400 * time.Millisecond)
	run := exec.CommandContext(w.t.Context(), "bash", "-c", "curl() { command curl -w '\\n%{http_code}' \"$@\"; }\n"+text) //nolint:gosec // our own text
	run.Env = env
	printed, err := run.Output()
	if err != nil {
		w.t.Fatalf("%v of\n%s", err, text)
	}
	all := string(printed)
	end := strings.LastIndex(all, "\n")
	status, err = strconv.Atoi(all[end+1:])
	if err != nil {
		w.t.Fatalf("%q of\n%s", all, text)
	}
	return all[:max(end, 0)], status
}
