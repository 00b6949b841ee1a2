//go:build e2e

package harness

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/testkit"
)

// Offhook is a running `offhook serve` with ports of its own on 127.0.0.1.
type Offhook struct {
	*Process
	t      testing.TB
	file   string // its configuration
	starts int
	space  string // the namespace that it runs in, "" for ours
	secure bool   // it serves HTTPS

	Folder string // its data

	HTTP string // "ip:port" of the pages
	SIP  string // "ip:port" of SIP over UDP and TCP
	TLS  string // "ip:port" of SIP over TLS, with a self-signed certificate
}

// offhookConfig leaves the RTP ports from 22000 on to the phones.
const offhookConfig = `http: {listen: "%[1]s"}
sip: {udp: "%[2]s", tcp: "%[2]s", tls: "%[3]s"%[6]s}
media: {webrtc_udp: "127.0.0.1:0", rtp_ports: 16384-21983%[5]s}
store: {folder: "%[4]s"}
log: {level: debug, format: text}
`

// NewOffhook starts bin/offhook, or the program that OFFHOOK_BINARY names, and
// waits until it takes calls. More is the rest of the configuration file,
// mostly `resources:`.
func NewOffhook(t testing.TB, more string) *Offhook {
	t.Helper()
	return NewOffhookWith(t, Fields{}, more)
}

// Fields are further fields of sections that every Offhook has, as "prefer: cost", and
// the folder of its data, if the test has one.
type Fields struct{ SIP, Media, Folder string }

// NewOffhookWith is NewOffhook with further fields.
func NewOffhookWith(t testing.TB, f Fields, more string) *Offhook {
	t.Helper()
	for _, fields := range []*string{&f.SIP, &f.Media} {
		if *fields != "" {
			*fields = ", " + *fields
		}
	}
	if f.Folder == "" {
		f.Folder = t.TempDir()
	}
	o := &Offhook{t: t, Folder: f.Folder, HTTP: freeAddr(t), SIP: freeAddr(t), TLS: freeAddr(t)}
	o.file = filepath.Join(Artifacts(t), "offhook.yaml")
	write(t, o.file, fmt.Sprintf(offhookConfig, o.HTTP, o.SIP, o.TLS, o.Folder, f.Media, f.SIP)+more)
	o.Start()
	return o
}

// networkConfig is the same for the server of a Network, with the usual ports.
const networkConfig = `http: {listen: "%[1]s:8080"}
sip: {udp: "%[1]s:5060", tcp: "%[1]s:5060", tls: "%[1]s:5061"}
store: {folder: "%[2]s"}
log: {level: debug, format: text}
`

// NewOffhookIn is NewOffhook on the server's side of a network. More may have a
// section media of its own.
func NewOffhookIn(t testing.TB, n *Network, more string) *Offhook {
	t.Helper()
	o := &Offhook{t: t, space: n.server, Folder: t.TempDir(), HTTP: ServerIP + ":8080", SIP: ServerIP + ":5060", TLS: ServerIP + ":5061"}
	o.file = filepath.Join(Artifacts(t), "offhook.yaml")
	write(t, o.file, fmt.Sprintf(networkConfig, ServerIP, o.Folder)+more)
	o.Start()
	return o
}

func freeAddr(t testing.TB) string {
	t.Helper()
	return "127.0.0.1:" + strconv.Itoa(int(testkit.FreePort(t, "127.0.0.1")))
}

// Start starts it once more, after a Stop or Kill, with the same ports and data.
func (o *Offhook) Start() {
	o.t.Helper()
	binary := cmp.Or(os.Getenv("OFFHOOK_BINARY"), filepath.Join(Root(o.t), "bin", "offhook"))
	if _, err := os.Stat(binary); err != nil {
		o.t.Fatalf("%v (make build makes it)", err)
	}
	name := "offhook"
	if o.starts++; o.starts > 1 {
		name += "-" + strconv.Itoa(o.starts)
	}
	command := []string{binary, "serve", "-c", o.file}
	if o.space != "" {
		command = append([]string{"ip", "netns", "exec", o.space}, command...)
	}
	o.Process = Start(o.t, name, exec.CommandContext(background(), command[0], command[1:]...)) //nolint:gosec // our own program
	testkit.Eventually(o.t, 20*time.Second, name+" takes calls", func() bool {
		if o.Ended() {
			o.t.Fatalf("%s ended: %v", name, o.err)
		}
		_, err := o.get("/readyz")
		return err == nil
	})
}

// Stop ends it as an operator does, by SIGTERM; calls that go on must have been
// ended before, or it waits for them.
func (o *Offhook) Stop() {
	o.t.Helper()
	o.Signal(syscall.SIGTERM)
	if err := o.Wait(20 * time.Second); err != nil {
		o.t.Errorf("%s after SIGTERM: %v", o.name, err)
	}
}

// URL returns the address of a page.
func (o *Offhook) URL(path string) string {
	if o.secure {
		return "https://" + o.HTTP + path
	}
	return "http://" + o.HTTP + path
}

// Ready returns what /readyz says, and whether that is that all is well.
func (o *Offhook) Ready() (text string, ready bool) {
	o.t.Helper()
	req, err := http.NewRequestWithContext(background(), http.MethodGet, o.URL("/readyz"), http.NoBody)
	if err != nil {
		o.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error(), false
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error(), false
	}
	return string(body), res.StatusCode == http.StatusOK
}

// Metric returns the value of a metric without labels.
func (o *Offhook) Metric(name string) float64 {
	o.t.Helper()
	lines, err := o.get("/metrics")
	if err != nil {
		o.t.Fatal(err)
	}
	for _, line := range lines {
		if text, found := strings.CutPrefix(line, name+" "); found {
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				o.t.Fatalf("%s: %v", line, err)
			}
			return value
		}
	}
	o.t.Fatalf("no metric %s", name)
	return 0
}

// AwaitMetric waits until a metric has a value.
func (o *Offhook) AwaitMetric(name string, want float64, within time.Duration) {
	o.t.Helper()
	deadline := time.Now().Add(max(within, 30*time.Second)) // many tests run at once
	for {
		got := o.Metric(name)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("%s is %v, want %v within %v", name, got, want, within)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// get returns the lines of a page whose status is 200.
func (o *Offhook) get(path string) ([]string, error) {
	o.t.Helper()
	req, err := http.NewRequestWithContext(background(), http.MethodGet, o.URL(path), http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var lines []string
	scan := bufio.NewScanner(res.Body)
	for scan.Scan() {
		lines = append(lines, scan.Text())
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", path, res.Status)
	}
	return lines, scan.Err()
}
