//go:build e2e

package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

const (
	otherApp, otherNumber = "99999999-8888-7777-6666-555555555555", "12995557777"
	// stayCaller is who calls to stay; others are hung up at once.
	stayCaller = "1202555"
)

// told is one attempt to tell an application of an event.
type told struct{ leg, status, token, body string }

// listener is an application that answers calls at /answer, and whose /event does
// what trouble says.
type listener struct {
	*http.Server
	at      string
	trouble atomic.Pointer[http.HandlerFunc] // nil: all is well

	mu   sync.Mutex
	legs map[string]string // who calls, by the legs that it was asked about
	told []told
}

func newListener(t *testing.T) *listener {
	t.Helper()
	l := &listener{legs: make(map[string]string), at: fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t, "127.0.0.1"))}
	l.start(t)
	return l
}

// start serves, once more after Close.
func (l *listener) start(t *testing.T) {
	t.Helper()
	var listening net.Listener
	testkit.Eventually(t, soon, "the port is free", func() (ok bool) {
		var err error
		listening, err = net.Listen("tcp", l.at)
		return err == nil
	})
	l.Server = &http.Server{Handler: http.HandlerFunc(l.serve), ReadHeaderTimeout: 10 * time.Second}
	t.Cleanup(func() { _ = l.Close() })
	server := l.Server
	go func() { _ = server.Serve(listening) }() // until it is closed
}

func (l *listener) serve(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.URL.Path == "/answer" {
		q := r.URL.Query()
		l.mu.Lock()
		l.legs[q.Get("uuid")] = q.Get("from")
		l.mu.Unlock()
		rw.Header().Set("Content-Type", "application/json")
		if strings.HasPrefix(q.Get("from"), stayCaller) {
			_, _ = fmt.Fprintf(rw, `[{"action":"conversation","name":%q}]`, q.Get("uuid"))
			return
		}
		_, _ = io.WriteString(rw, "[]")
		return
	}
	var fields struct{ UUID, Status, Type string }
	_ = json.Unmarshal(body, &fields) // what is not JSON has no fields
	l.mu.Lock()
	l.told = append(l.told, told{fields.UUID, cmp.Or(fields.Status, fields.Type), r.Header.Get("Authorization"), string(body)})
	l.mu.Unlock()
	if do := l.trouble.Load(); do != nil {
		(*do)(rw, r)
	}
}

func (l *listener) set(trouble http.HandlerFunc) { l.trouble.Store(&trouble) }

// all returns the attempts so far.
func (l *listener) all() []told {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.told)
}

// count returns how many attempts there were to tell of a status.
func (l *listener) count(status string) (n int) {
	for _, one := range l.all() {
		if one.status == status {
			n++
		}
	}
	return n
}

// newHookTown starts an exchange with an application at each listener, with a number
// each; calls come from outsiders.
func newHookTown(t *testing.T, first, second *listener) *house {
	t.Helper()
	var c strings.Builder
	c.WriteString("resources:\n" + usualTrunk)
	fmt.Fprintf(&c, "  accounts:\n    - {key: %s, signature_secret: %q}\n  applications:\n", voiceKey, voiceSignature)
	for id, l := range map[string]*listener{voiceApp: first, otherApp: second} {
		if l != nil {
			fmt.Fprintf(&c, "    - {id: %s, account: %s, answer_url: \"http://%[3]s/answer\", event_url: \"http://%[3]s/event\"}\n", id, voiceKey, l.at)
		}
	}
	c.WriteString("  numbers:\n")
	fmt.Fprintf(&c, "    - {number: %q, application: %s}\n", voiceNumber, voiceApp)
	if second != nil {
		fmt.Fprintf(&c, "    - {number: %q, application: %s}\n", otherNumber, otherApp)
	}
	return &house{Offhook: harness.NewOffhook(t, c.String())}
}

// crowd is a phone of outsiders for many calls.
func (h *house) crowd(t *testing.T, last byte) *harness.Phone {
	t.Helper()
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, last}), 0)
	return harness.NewCarrier(t, h.Offhook, at, phone.Config{Say: says(callerHz), Codecs: []media.Codec{media.PCMU}, MaxCalls: 1000})
}

// from calls as somebody.
func from(t *testing.T, p *harness.Phone, number, to string) *phone.Call {
	t.Helper()
	call, err := p.Dial(to, phone.DialOptions{From: phone.Party{Number: number}})
	if err != nil {
		t.Fatal(err)
	}
	return call
}

// TestVoiceKilledWithUndeliveredEvents kills the exchange with kill -9 when hundreds of
// events wait for a receiver that hangs. After the next start, with the receiver back,
// each event that had an attempt left arrives, in order for each leg; what came twice
// is the same event; each leg ends once, those that were alive too.
func TestVoiceKilledWithUndeliveredEvents(t *testing.T) {
	t.Parallel()
	const gone, stay = 160, 20
	app := newListener(t)
	var up atomic.Bool
	app.set(func(_ http.ResponseWriter, r *http.Request) {
		if !up.Load() {
			<-r.Context().Done()
		}
	})
	h := newHookTown(t, app, nil)
	line, staying := h.crowd(t, 33), h.crowd(t, 34)
	for i := range stay {
		from(t, staying, fmt.Sprintf("%s%04d", stayCaller, i), voiceNumber)
	}
	for i := range gone {
		from(t, line, fmt.Sprintf("1303555%04d", i), voiceNumber)
	}
	for range gone {
		line.Await(phone.Ended, soon)
	}
	for range stay {
		staying.Await(phone.Answered, soon)
	}
	const events = gone*3 + stay*4 // started, ringing, completed; started, ringing, answered, transfer
	testkit.Eventually(t, soon, "the events wait", func() bool { return h.Metric("offhook_webhooks_queued") >= 500 })
	h.Kill()
	before := app.all()
	up.Store(true)
	h.Start()
	testkit.Eventually(t, 3*soon, "all is delivered", func() bool {
		return app.count("completed") >= gone+stay && h.Metric("offhook_webhooks_queued") == 0
	})
	after := app.all()[len(before):]
	if failed := h.Metric("offhook_webhooks_failed_total") + h.Metric("offhook_webhooks_dropped_total"); failed > 0 {
		t.Errorf("%v events were given up although the receiver is back", failed)
	}
	if len(app.legs) != gone+stay {
		t.Fatalf("%d legs, want %d", len(app.legs), gone+stay)
	}
	missing := 0
	for leg, caller := range app.legs {
		want := []string{"started", "ringing", "completed"}
		if strings.HasPrefix(caller, stayCaller) {
			want = []string{"started", "ringing", "answered", "transfer", "completed"}
		}
		missing += checkEvents(t, leg, want, before, after)
	}
	t.Logf("shown: %d events of %d legs; %d attempts before the kill, %d after; %d had both attempts before",
		events+stay, gone+stay, len(before), len(after), missing)
}

// TestVoiceKilledWhileLegsComeAndGo kills the exchange three times while calls begin and
// end. Whatever a leg was about to do, its application hears of its beginning and, once,
// of its end.
func TestVoiceKilledWhileLegsComeAndGo(t *testing.T) {
	t.Parallel()
	app := newListener(t)
	h := newHookTown(t, app, nil)
	const rounds, calls = 3, 60
	for round := range rounds {
		begun := app.count("started")
		line := h.crowd(t, byte(33+round))
		var dialling sync.WaitGroup
		dialling.Go(func() {
			for i := range calls {
				number := fmt.Sprintf("1303555%04d", i)
				if i%3 == 0 {
					number = fmt.Sprintf("%s%04d", stayCaller, i)
				}
				if call, err := line.Dial(voiceNumber, phone.DialOptions{From: phone.Party{Number: number}}); err == nil && i%6 == 0 {
					time.AfterFunc(20*time.Millisecond, call.HangUp)
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
		testkit.Eventually(t, soon, "calls come and go", func() bool { return app.count("started") >= begun+calls/2 })
		h.Kill()
		dialling.Wait()
		line.Close()
		h.Start()
	}
	distinct := func() map[string]map[string]map[string]bool { // tokens by leg and status
		of := make(map[string]map[string]map[string]bool)
		for _, one := range app.all() {
			if of[one.leg] == nil {
				of[one.leg] = make(map[string]map[string]bool)
			}
			if of[one.leg][one.status] == nil {
				of[one.leg][one.status] = make(map[string]bool)
			}
			of[one.leg][one.status][one.token] = true
		}
		return of
	}
	testkit.Eventually(t, 2*soon, "every leg has ended", func() bool {
		for _, told := range distinct() {
			if len(told["completed"]) == 0 {
				return false
			}
		}
		return h.Metric("offhook_webhooks_queued") == 0
	})
	h.AwaitMetric("offhook_legs", 0, soon)
	all := distinct()
	for leg, told := range all {
		for status, tokens := range told {
			if len(tokens) != 1 {
				t.Errorf("%s of %s was told as %d events", status, leg, len(tokens))
			}
		}
		if len(told["started"]) == 0 {
			t.Errorf("%s was told of, but not that it began", leg)
		}
	}
	for leg := range app.legs {
		if all[leg] == nil {
			t.Errorf("the application was asked about %s, and told nothing", leg)
		}
	}
	t.Logf("shown: %d legs over %d kills, each with one beginning and one end", len(all), rounds)
}

// checkEvents checks what was told of a leg, and returns how many events were given up
// before the kill, after two attempts each.
func checkEvents(t *testing.T, leg string, want []string, before, after []told) (missing int) {
	t.Helper()
	attempts, tokens := make(map[string]int), make(map[string]told)
	for _, one := range before {
		if one.leg == leg {
			attempts[one.status]++
			tokens[one.status] = one
		}
	}
	var got []string
	for _, one := range after {
		if one.leg != leg {
			continue
		}
		got = append(got, one.status)
		if old, twice := tokens[one.status]; twice && old != one {
			t.Errorf("%s of %s came twice, as two events:\n%+v\n%+v", one.status, leg, old, one)
		}
		tokens[one.status] = one
	}
	left := slices.DeleteFunc(want, func(status string) bool {
		if attempts[status] < 2 || slices.Contains(got, status) {
			return false
		}
		missing++
		return true
	})
	if !slices.Equal(got, left) {
		t.Errorf("after the kill %v was told of %s, want %v; attempts before: %v", got, leg, left, attempts)
	}
	return missing
}

// TestVoiceReceiversInTrouble calls while the receiver of events is in trouble. The
// calls go on as if nothing were, each leg's end is told as often as contract 8.1 says,
// and another application is told of its own at once.
func TestVoiceReceiversInTrouble(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Location", "/elsewhere")
			rw.WriteHeader(code)
		}
	}
	for name, c := range map[string]struct {
		trouble  http.HandlerFunc
		attempts int // for each event
		// spare is one more, if the connection was kept from the event before: that it
		// may have been closed long ago is no fault of the receiver.
		spare int
	}{
		"well":        {nil, 1, 0},
		"redirecting": {status(http.StatusTemporaryRedirect), 1, 0},
		"refusing":    {status(http.StatusInternalServerError), 1, 0},
		"overloaded":  {status(http.StatusServiceUnavailable), 2, 0},
		"garbage": {func(rw http.ResponseWriter, _ *http.Request) {
			conn, _, err := rw.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "\x00\x01 what do you mean?\r\n\r\n")
				conn.Close()
			}
		}, 1, 0},
		"closing": {func(rw http.ResponseWriter, _ *http.Request) {
			if conn, _, err := rw.(http.Hijacker).Hijack(); err == nil {
				conn.Close()
			}
		}, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newListener(t)
			if c.trouble != nil {
				app.set(c.trouble)
			}
			h := newHookTown(t, app, nil)
			talkAndHangUp(t, h, voiceNumber)
			testkit.Eventually(t, soon, "nothing is left to tell", func() bool {
				return app.count("completed") >= c.attempts && h.Metric("offhook_webhooks_queued") == 0
			})
			for _, event := range []string{"started", "ringing", "answered", "transfer", "completed"} {
				if n := app.count(event); n < c.attempts || n > c.attempts+c.spare {
					t.Errorf("%s was told %d times, want %d", event, n, c.attempts)
				}
			}
		})
	}
	t.Run("hanging", func(t *testing.T) {
		t.Parallel()
		app, other := newListener(t), newListener(t)
		app.set(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		h := newHookTown(t, app, other)
		for range 3 {
			talkAndHangUp(t, h, voiceNumber) // its question is answered after 2 s at the latest
		}
		talkAndHangUp(t, h, otherNumber)
		testkit.Eventually(t, soon, "the other application is told all", func() bool { return other.count("completed") == 1 })
		if n := app.count("completed"); n > 0 {
			t.Errorf("the end was told %d times before what comes first had its answer", n)
		}
	})
	t.Run("dead, then restarted", func(t *testing.T) {
		t.Parallel()
		app := newListener(t)
		h := newHookTown(t, app, nil)
		line := h.crowd(t, 33)
		call := from(t, line, stayCaller+"0001", voiceNumber)
		line.Await(phone.Answered, soon)
		testkit.Eventually(t, soon, "the beginning is told", func() bool { return app.count("transfer") == 1 })
		_ = app.Close()
		leg := app.all()[0].leg
		// Of this one at most the end is told, which may come after the restart.
		gone := from(t, line, stayCaller+"0002", voiceNumber)
		for line.Await(phone.Ended, 2*soon).Call != gone.ID() {
			t.Error("another call ended")
		}
		app.start(t)
		call.HangUp()
		testkit.Eventually(t, soon, "the end is told", func() bool {
			return slices.ContainsFunc(app.all(), func(one told) bool { return one.leg == leg && one.status == "completed" })
		})
	})
}

// talkAndHangUp calls, is answered, and hangs up.
func talkAndHangUp(t *testing.T, h *house, number string) {
	t.Helper()
	line := h.crowd(t, byte(35+h.outsiders.Add(1)))
	call := from(t, line, stayCaller+"0000", number)
	line.Await(phone.Answered, soon)
	call.HangUp()
	line.Await(phone.Ended, soon)
}
