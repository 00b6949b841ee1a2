//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestWebSIPVersions uses older versions of the clients of TestWebSIPClients, which
// pages keep for years, and more of what a session of theirs can do.
func TestWebSIPVersions(t *testing.T) {
	if os.Getenv("OFFHOOK_LONG") == "" {
		t.Skip("four minutes: OFFHOOK_LONG=1")
	}
	folder := filepath.Join(harness.Root(t), "test", "e2e", "testdata", "websip", "versions")
	install := exec.CommandContext(t.Context(), "npm", "ci", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts") //nolint:gosec // ours
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	o := harness.NewOffhook(t, websipResources)
	browser := harness.NewBrowser(t)
	desk := newExtension(t, o, "desk", "purple-monkey", deskHz)
	third := newExtension(t, o, "agent2", "agent-secret-2", desk2Hz)
	for _, c := range []struct{ page, library, version string }{
		{"jssip", "jssip", "3.1"},
		{"jssip", "jssip", "3.5"},
		{"jssip", "jssip", "3.9"},
		{"jssip", "jssip", "3.10"},
		{"jssip", "jssip", "3.11"},
		{"jssip", "jssip", "3.13"},
		{"sipjs15", "sip.js", "0.15"},
		{"sipjs", "sip.js", "0.16"},
		{"sipjs", "sip.js", "0.18"},
		{"sipjs", "sip.js", "0.20"},
		{"sipjs", "sip.js", "0.21"},
	} {
		t.Run(c.library+" "+c.version, func(t *testing.T) {
			url := serveClient(t, c.page, filepath.Join(folder, "node_modules"), map[string]string{c.library: c.library + "-" + c.version})
			client := openServedClient(t, browser, o, c.page, url, "agent1", "agent-secret-1", "/ws", jssipHz)
			w := &websip{Offhook: o, client: client, user: "agent1", password: "agent-secret-1", desk: desk}
			w.isCalled(t)
			w.calls(t)
			w.callerGivesUp(t)
			w.answersFirst(t)
			w.transfers(t, third)
			client.await("stop()")
		})
	}
}

// transfers sends a key by INFO, begins ICE anew, and transfers the call.
func (w *websip) transfers(t *testing.T, to *extension) {
	t.Helper()
	w.ring(t)
	w.client.Answer()
	talk(t, w.client, w.desk)
	w.client.do(`inform("7")`)
	if ev := w.desk.Await(phone.Digit, soon); ev.Digit != "7" {
		t.Errorf("the phone got key %q", ev.Digit)
	}
	w.client.await("restart()")
	talk(t, w.client, w.desk)
	w.client.do(`refer("agent2")`)
	to.AwaitRing(t, "desk")
	to.Answer()
	testkit.Eventually(t, soon, "the client is told of the target", func() bool {
		return len(w.client.find("< NOTIFY ", "\r\nSIP/2.0 200 OK")) == 1
	})
	w.client.AwaitEnd(t)
	talk(t, to, w.desk)
	w.desk.HangUp()
	to.AwaitEnd(t)
	w.desk.AwaitEnd(t)
}
