//go:build e2e

package rtcedge_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/rtc"
	"github.com/offhook/offhook/internal/rtcedge"
	"github.com/offhook/offhook/test/e2e/harness"
)

// phonePage is the smallest application of the SDK.
const phonePage = `<!doctype html><title>phone</title><body><script src="/sdk.js"></script><script>
const phone = offhook.createPhone();
const log = [];
let call;
phone.on("state", (s) => log.push(s.kind));
phone.on("error", (e) => log.push("error " + e.kind + " " + e.message));
phone.on("incoming", (c) => { call = c; log.push("incoming"); });
phone.on("answeredElsewhere", () => log.push("elsewhere"));
phone.on("calls", (calls) => { if (calls.length > 0) call = calls[0]; });
const until = (what, limit = 10000) => new Promise((done, fail) => {
	const start = Date.now();
	const look = () => what() ? done(true) : Date.now() - start > limit
		? fail(new Error("waited in vain for " + what + "; log " + log + "; call " + JSON.stringify(call?.state) + " " + call?.audio))
		: setTimeout(look, 20);
	look();
});
const login = async (user) => { await phone.connect("/ws", {user, password: "secret"}); return true; };
const dial = async (to) => { call = await phone.call(to); return true; };
const callIs = (kind) => until(() => call !== undefined && call.state.kind === kind);
</script></body>`

// switchboard is the least of an exchange: it rings every device of the user who
// is called, gives the call to the first, and connects two paths.
type switchboard struct {
	orders chan core.LegCommand
	media  *media.Server

	mu       sync.Mutex // guards what follows
	contacts map[core.ContactID]core.Contact
	caller   core.LegID
	rung     map[core.LegID]bool
	winner   core.LegID
	digits   string
}

func newSwitchboard() *switchboard {
	return &switchboard{
		media:    media.NewServer(media.Config{}),
		contacts: map[core.ContactID]core.Contact{}, rung: map[core.LegID]bool{},
		orders: make(chan core.LegCommand, 100),
	}
}

func ref(leg core.LegID) core.LegRef { return core.LegRef{Leg: leg, Edge: core.EdgeBrowser} }

// Post implements rtcedge.Poster.
func (s *switchboard) Post(ev core.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch ev := ev.(type) {
	case core.ContactUp:
		s.contacts[ev.Contact.ID] = ev.Contact
	case core.ContactGone:
		delete(s.contacts, ev.ID)
	case core.Offered:
		s.caller = ev.Leg
		for id, c := range s.contacts {
			if c.User.Name == ev.To {
				leg := core.LegID(fmt.Sprintf("leg-to-%s-%s", id, ev.Leg))
				s.rung[leg] = true
				s.orders <- core.Ring{LegRef: ref(leg), Target: core.Target{Contact: id}, From: ev.From, To: core.Party{Number: ev.To}}
			}
		}
	case core.LegRinging:
		s.orders <- core.Progress{LegRef: ref(s.caller)}
	case core.LegAccepted:
		s.accepted(ev.Leg)
	case core.LegGone:
		delete(s.rung, ev.Leg)
		for _, other := range []core.LegID{s.caller, s.winner} {
			if (ev.Leg == s.caller || ev.Leg == s.winner) && other != ev.Leg {
				s.orders <- core.End{LegRef: ref(other), Cause: ev.Cause}
			}
		}
	case core.LegDigit:
		s.digits += string(ev.Digit)
	}
	return nil
}

func (s *switchboard) accepted(leg core.LegID) {
	if s.winner != "" {
		return
	}
	s.winner = leg
	s.media.Do(core.Hear{Leg: leg, From: []core.LegID{s.caller}})
	s.media.Do(core.Hear{Leg: s.caller, From: []core.LegID{leg}})
	s.orders <- core.Answer{LegRef: ref(s.caller)}
	for other := range s.rung {
		if other != leg {
			s.orders <- core.End{LegRef: ref(other), Cause: core.CauseElsewhere, Reason: core.ReasonElsewhere}
		}
	}
}

func (s *switchboard) wantDigits(t *testing.T, want string) {
	t.Helper()
	got := ""
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		got = s.digits
		s.mu.Unlock()
		if got == want {
			return
		}
	}
	t.Errorf("keys %q, want %q", got, want)
}

// Token and Password implement rtcedge.Authenticator.
func (s *switchboard) Token(context.Context, netip.Addr, core.Secret) (core.UserID, error) {
	return core.UserID{}, &core.Error{Op: "test", Kind: core.Unauthorized}
}

func (s *switchboard) Password(_ netip.Addr, user string, _ core.Secret) (core.UserID, error) {
	return core.UserID{Name: user}, nil
}

// pathsOf adapts the path server, as cmd does.
type pathsOf struct{ *rtc.Server }

func (p pathsOf) NewPath(ev rtcedge.PathEvents) (rtcedge.Path, error) {
	return p.Server.NewPath(rtc.PathConfig{
		Codecs: []media.Codec{media.Opus}, OnUp: ev.Up, OnDown: func(error) { ev.Down() }, OnDigit: ev.Digit,
	})
}

func serveSDK(t *testing.T, edge *rtcedge.Edge) *httptest.Server {
	t.Helper()
	built := api.Build(api.BuildOptions{
		EntryPoints: []string{"../../web/sdk/src/index.ts"}, Bundle: true, Format: api.FormatIIFE, GlobalName: "offhook",
	})
	if len(built.Errors) > 0 {
		t.Fatal(built.Errors)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /ws", edge)
	mux.HandleFunc("GET /sdk.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write(built.OutputFiles[0].Contents)
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, phonePage)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// lab is an edge with a switchboard behind it, and browsers in front.
type lab struct {
	board   *switchboard
	edge    *rtcedge.Edge
	url     string
	browser *harness.Browser
}

func newLab(t *testing.T) *lab {
	t.Helper()
	paths, err := rtc.NewServer(rtc.Config{Listen: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = paths.Close() })
	board := newSwitchboard()
	edge := rtcedge.New(rtcedge.Config{
		Version: "test", Limits: rtcedge.DefaultLimits(), Log: slog.New(slog.DiscardHandler),
		Auth: board, Post: board, Paths: pathsOf{paths}, Media: board.media,
	})
	var orders sync.WaitGroup
	orders.Go(func() {
		for cmd := range board.orders {
			edge.Do(cmd)
		}
	})
	t.Cleanup(func() {
		edge.Close()
		close(board.orders)
		orders.Wait()
		board.media.Close()
	})
	return &lab{board: board, edge: edge, url: serveSDK(t, edge).URL, browser: harness.NewBrowser(t)}
}

// login opens a tab whose user logs in.
func (l *lab) login(t *testing.T, tab, user string, tone float64) *harness.Page {
	t.Helper()
	page := l.browser.Open(tab, l.url, tone)
	must(t, page, fmt.Sprintf("login(%q)", user))
	return page
}

// must evaluates an expression that has to become true.
func must(t *testing.T, page *harness.Page, expression string) {
	t.Helper()
	if !harness.Eval[bool](page, expression) {
		t.Fatalf("not true: %s", expression)
	}
}

// TestSDKCallsThroughTheEdge is a call between real browsers with our SDK: the
// callee has two tabs, one answers; then the network, the microphone and the page
// change under the call.
func TestSDKCallsThroughTheEdge(t *testing.T) {
	l := newLab(t)
	ann := l.login(t, "ann", "ann", 440)
	bob := l.login(t, "bob", "bob", 1000)
	tab := l.login(t, "bob-2", "bob", 600)

	must(t, ann, `dial("bob")`)
	for _, page := range []*harness.Page{bob, tab, ann} {
		must(t, page, `callIs("ringing")`)
	}
	start := time.Now()
	must(t, bob, `call.answer().then(() => true)`)
	must(t, ann, `callIs("active")`)
	must(t, bob, `callIs("active")`)
	t.Logf("active %v after the click", time.Since(start))
	must(t, tab, `until(() => log.includes("elsewhere") && call.state.outcome.kind === "answered_elsewhere")`)
	talk := func(t *testing.T) {
		t.Helper()
		ann.WantTone(1000)
		bob.WantTone(440)
	}
	talk(t)

	t.Run("meters and statistics", func(t *testing.T) {
		must(t, ann, `until(() => call.level("local") > 0.5 && call.level("remote") > 0.5)`)
		must(t, ann, `call.stats().then((s) => s.codec === "opus" && s.packetsReceived > 50 && s.packetsLost === 0)`)
	})
	t.Run("keys", func(t *testing.T) {
		must(t, ann, `call.sendDigits("42#").then(() => true)`)
		l.board.wantDigits(t, "42#")
	})
	t.Run("another microphone", func(t *testing.T) {
		must(t, ann, `phone.setMicrophone("x").then(() => phone.devices.microphone === "x")`)
		talk(t)
	})
	t.Run("mute", func(t *testing.T) {
		must(t, bob, `until(() => call.level("remote") > 0.5)`)
		must(t, ann, `call.mute(true).then(() => true)`)
		must(t, bob, `until(() => call.level("remote") < 0.05)`)
		must(t, ann, `call.mute(false).then(() => true)`)
		must(t, bob, `until(() => call.level("remote") > 0.5)`)
	})
	t.Run("lost sockets", func(t *testing.T) {
		l.edge.Cut()
		for _, page := range []*harness.Page{ann, bob} {
			must(t, page, `until(() => log.includes("reconnecting") && phone.state.kind === "online")`)
			must(t, page, `callIs("active")`)
		}
		talk(t)
	})
	t.Run("network change restarts ICE", func(t *testing.T) {
		must(t, ann, `dispatchEvent(new Event("online"))`)
		talk(t)
		must(t, ann, `until(() => call.audio === "up")`)
	})
	t.Run("page reload", func(t *testing.T) {
		must(t, ann, `(setTimeout(() => location.reload(), 50), true)`)
		time.Sleep(500 * time.Millisecond) // nothing in the old page can tell that the new one is there
		must(t, ann, `phone.restore("/ws")`)
		must(t, ann, `callIs("active")`)
		must(t, ann, `until(() => call.audio === "up")`)
		talk(t)
	})

	must(t, ann, `call.hangUp().then(() => call.state.outcome.kind === "completed")`)
	must(t, bob, `until(() => call.state.kind === "ended" && call.state.outcome.kind === "completed")`)
	for _, page := range []*harness.Page{ann, bob} {
		must(t, page, `!log.some((l) => l.startsWith("error"))`)
	}
}
