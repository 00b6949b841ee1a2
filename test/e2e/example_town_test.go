//go:build e2e

package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

const (
	programID     = "11111111-2222-3333-4444-555555555555"
	programNumber = "12995557777"
)

// programTown is an exchange with an application that is a program of the
// repository, and phones that it may ring.
type programTown struct {
	*harness.Offhook
	t      *testing.T
	port   int    // of the program
	folder string // with private.key, for what it writes
}

// programPhones are the users behind the numbers that the examples and the guide
// ring, each in a group of the same name.
var programPhones = []struct{ user, number string }{
	{"desk", "12995551111"}, {"mobile", "12995551212"}, {"coach", "12995559999"}, {"support", "12995551313"},
}

// newProgramTown starts the exchange. The group "sales" rings desk.
func newProgramTown(t *testing.T) *programTown {
	t.Helper()
	w := &programTown{t: t, port: int(testkit.FreePort(t, "127.0.0.1")), folder: t.TempDir()}
	var more strings.Builder
	fmt.Fprint(&more, "resources:\n  trunks:\n    - {name: carrier, uri: \"sip:127.0.0.2:5999\", prefixes: [\"999\"], accept_from: [127.0.0.32/27]}\n  users:\n")
	for _, p := range programPhones {
		fmt.Fprintf(&more, "    - {name: %s, password: %s}\n", p.user, password(p.user))
	}
	fmt.Fprint(&more, "  groups:\n    - {name: sales, endpoints: [{user: desk}]}\n    - {name: support, endpoints: [{user: support}]}\n")
	fmt.Fprintf(&more, "  applications:\n    - id: %s\n      public_key: %q\n      answer_url: http://localhost:%d/answer\n      event_url: http://localhost:%[3]d/event\n",
		programID, w.makeKey(), w.port)
	fmt.Fprintf(&more, "  numbers:\n    - {number: %q, application: %s}\n", programNumber, programID)
	for _, p := range programPhones {
		fmt.Fprintf(&more, "    - {number: %q, user: %s}\n", p.number, p.user)
	}
	w.Offhook = harness.NewOffhook(t, more.String())
	return w
}

// makeKey writes private.key and returns the public one.
func (w *programTown) makeKey() string {
	w.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		w.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		w.t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		w.t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	if err := os.WriteFile(filepath.Join(w.folder, "private.key"), text, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
}

// start runs an example until the test ends, and waits until it listens.
func (w *programTown) start(example string, env ...string) {
	w.t.Helper()
	path := filepath.Join(harness.Root(w.t), "examples", example)
	command := exec.CommandContext(w.t.Context(), "node", filepath.Join(path, "main.mjs")) //nolint:gosec // our own program
	if _, err := os.Stat(filepath.Join(path, "main.go")); err == nil {
		binary := filepath.Join(w.folder, example)
		build := exec.CommandContext(w.t.Context(), "go", "build", "-o", binary, "./examples/"+example) //nolint:gosec // our own program
		build.Dir = harness.Root(w.t)
		if out, err := build.CombinedOutput(); err != nil {
			w.t.Fatalf("%v: %s", err, out)
		}
		command = exec.CommandContext(w.t.Context(), binary) //nolint:gosec // our own program
	}
	command.Dir = w.folder
	command.Env = slices.Concat(os.Environ(), []string{
		"OFFHOOK=" + w.URL(""), "APP_ID=" + programID, "PRIVATE_KEY=private.key", "PORT=" + strconv.Itoa(w.port), "FOLDER=" + w.folder,
	}, env)
	harness.Start(w.t, example, command).WaitFor(soon, "listening on")
}

// phone starts a registered phone of one of programPhones, which says a tone.
func (w *programTown) phone(user string, hz float64, more phone.Config) *harness.Phone {
	w.t.Helper()
	more.Say, more.Codecs = says(hz), []media.Codec{media.PCMU}
	return harness.NewUser(w.t, w.Offhook, user, password(user), more)
}

// dial calls the program's number from outside, from a phone that says a tone.
func (w *programTown) dial(n int, hz float64) *placed {
	w.t.Helper()
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(32 + n)}), 0)
	line := harness.NewCarrier(w.t, w.Offhook, at, phone.Config{Say: says(hz), Codecs: []media.Codec{media.PCMU}})
	return dial(w.t, line, programNumber, phone.DialOptions{From: phone.Party{Number: fmt.Sprintf("+1202555%04d", 100+n)}})
}

// tell sends a request to the program.
func (w *programTown) tell(path string) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, fmt.Sprintf("http://localhost:%d%s", w.port, path), http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		w.t.Fatalf("%s: %s", path, response.Status)
	}
}

// wantIdle checks that nothing is left of any call.
func (w *programTown) wantIdle() {
	w.t.Helper()
	w.AwaitMetric("offhook_legs", 0, soon)
	w.AwaitMetric("offhook_calls", 0, soon)
}
