//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// webClient is a page with somebody else's SIP client, registered over WebSocket.
type webClient struct {
	*harness.Page
	library string
	hz      float64
	seen    int // how many of the client's events were awaited
	cut     int // how many of its messages belong to earlier calls
}

// openWebClient opens a page with a client library of the public registry, and
// registers user over a WebSocket at path.
func openWebClient(t *testing.T, b *harness.Browser, o *harness.Offhook, library, user, password, path string, hz float64) *webClient {
	t.Helper()
	modules := filepath.Join(harness.Root(t), "web", "node_modules")
	return openServedClient(t, b, o, library, serveClient(t, library, modules, nil), user, password, path, hz)
}

// openServedClient is the same for a page that is served at url.
func openServedClient(t *testing.T, b *harness.Browser, o *harness.Offhook, library, url, user, password, path string, hz float64) *webClient {
	t.Helper()
	c := &webClient{Page: b.Open(library, url, hz), library: library, hz: hz}
	start, err := json.Marshal(map[string]string{
		"server": "ws://" + o.HTTP + path, "domain": "offhook.local", "user": user, "password": password,
	})
	if err != nil {
		t.Fatal(err)
	}
	harness.Eval[bool](c.Page, "client.start("+string(start)+")")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s saw %v and\n%s", library, c.events(), strings.Join(c.wire(), "\n"))
		}
	})
	return c
}

// serveClient bundles a page of testdata/websip with its library, as it comes
// from the registry, and returns the page's address. The library is below modules, under
// its own name or the one that alias gives it.
func serveClient(t *testing.T, library, modules string, alias map[string]string) string {
	t.Helper()
	built := api.Build(api.BuildOptions{
		EntryPoints: []string{filepath.Join("testdata", "websip", library+".js")},
		NodePaths:   []string{modules},
		Alias:       alias,
		Bundle:      true, Format: api.FormatIIFE, Target: api.ES2022,
		Define: map[string]string{"global": "window", "process.env.NODE_ENV": `"production"`},
	})
	if len(built.Errors) > 0 {
		t.Fatalf("%s: %s (npm ci in web/ installs the libraries)", library, built.Errors[0].Text)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join("testdata", "websip", "page.html"))
	})
	mux.HandleFunc("/client.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write(built.OutputFiles[0].Contents)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// do runs a call of the page's client, without waiting for what it returns.
func (c *webClient) do(call string) { harness.Eval[bool](c.Page, "(client."+call+", true)") }

// await runs a call of the page's client until it is done.
func (c *webClient) await(call string) { harness.Eval[bool](c.Page, "client."+call) }

func (c *webClient) events() []string { return harness.Eval[[]string](c.Page, "events") }

// wire returns the SIP messages of the last call, "< " or "> " in front.
func (c *webClient) wire() []string {
	all := harness.Eval[[]string](c.Page, "wire")
	return all[min(c.cut, len(all)):]
}

// find returns the messages of the last call that begin with start and hold word.
func (c *webClient) find(start, word string) []string {
	return slices.DeleteFunc(c.wire(), func(m string) bool { return !strings.HasPrefix(m, start) || !strings.Contains(m, word) })
}

// until waits for an event of the client, dropping others before it.
func (c *webClient) until(t *testing.T, event string) {
	t.Helper()
	testkit.Eventually(t, soon, c.library+" says "+event, func() bool {
		at := slices.Index(c.events()[c.seen:], event)
		c.seen += at + 1
		return at >= 0
	})
}

func (c *webClient) Tone() float64                       { return c.hz }
func (c *webClient) Answer()                             { c.do("answer()") }
func (c *webClient) HangUp()                             { c.do("hangUp()") }
func (c *webClient) AwaitEnd(t *testing.T)               { t.Helper(); c.until(t, "ended") }
func (c *webClient) WantNoCancel(t *testing.T, _ string) { t.Helper(); c.wantCancels(t, 0, "") }

func (c *webClient) Dial(to string) {
	c.next()
	c.do(fmt.Sprintf("call(%q)", to))
}

// next lets find look at what comes from now on.
func (c *webClient) next() { c.cut += len(c.wire()) }

func (c *webClient) AwaitRing(t *testing.T, from string) {
	t.Helper()
	c.until(t, "incoming")
	if len(c.find("< INVITE ", "\r\nFrom: \""+from+"\" <sip:"+from+"@")) != 1 {
		t.Errorf("the page shows no call from %s:\n%s", from, strings.Join(c.find("< INVITE ", ""), "\n"))
	}
}

func (c *webClient) AwaitElsewhere(t *testing.T, _ string) {
	t.Helper()
	c.AwaitEnd(t)
	c.wantCancels(t, 1, elsewhere)
}

func (c *webClient) wantCancels(t *testing.T, n int, word string) {
	t.Helper()
	if all := c.find("< CANCEL ", ""); len(all) != n || len(c.find("< CANCEL ", word)) != n {
		t.Errorf("%s got %d CANCELs, want %d with %q:\n%s", c.library, len(all), n, word, strings.Join(all, "\n"))
	}
}

// AwaitTone waits until the page plays a tone for a second. The first half second
// of a look is rough: the audio of the page has just been tapped.
func (c *webClient) AwaitTone(t *testing.T, hz float64) {
	t.Helper()
	testkit.Eventually(t, soon, fmt.Sprintf("%s plays %.0f Hz", c.library, hz), func() bool {
		return harness.HasTone(c.Hear(2*time.Second), harness.HearRate, hz, time.Second)
	})
}

// awaitRingback waits until the page plays the ringback tone, of 440 and 480 Hz.
func (c *webClient) awaitRingback(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, soon, c.library+" plays ringback", func() bool {
		pcm := c.Hear(listenTime)
		low, high := meter.Purity(pcm, harness.HearRate, 440), meter.Purity(pcm, harness.HearRate, 480)
		return low > 0.3 && high > 0.3 && meter.Level(pcm) > -50
	})
}

// AwaitSilence waits until the page plays nothing at hz.
func (c *webClient) AwaitSilence(t *testing.T, hz float64) {
	t.Helper()
	testkit.Eventually(t, soon, fmt.Sprintf("%s plays no %.0f Hz", c.library, hz), func() bool {
		return !harness.HasTone(c.Hear(listenTime), harness.HearRate, hz, 250*time.Millisecond)
	})
}
