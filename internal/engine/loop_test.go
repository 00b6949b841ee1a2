package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/exchange"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a Loop with a real Exchange between fake drivers, which write down
// what they are told and answer every End with LegGone.
type node struct {
	*engine.Loop
	stop context.CancelFunc
	over chan struct{}
	do   func(core.LegCommand) // may be nil; runs before the note is taken

	mu    sync.Mutex // guards notes and rung
	notes []string   // "end a 41"
	rung  []core.LegID
}

// faulty is an Exchange that panics at the key '#' and at calls to '#'.
type faulty struct{ *exchange.Exchange }

func (f faulty) Apply(now time.Time, ev core.Event) []core.Command {
	if d, ok := ev.(core.LegDigit); ok && d.Digit == '#' {
		panic("no such key")
	}
	if a, ok := ev.(core.Asked); ok && a.Do == nil {
		panic("no request")
	}
	if o, ok := ev.(core.Offered); ok && o.To == "#" {
		panic("no such number")
	}
	return f.Exchange.Apply(now, ev)
}

// start runs a node where alice has one phone and calls to 17 ring it. It ends
// with the test.
func start(t *testing.T, drain time.Duration) *node {
	t.Helper()
	d, err := route.NewDirectory(route.Resources{
		Users: []route.User{{Name: "alice"}}, Numbers: []route.Number{{Number: "17", User: "alice"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{over: make(chan struct{})}
	n.Loop = engine.New(engine.Config{
		Exchange: faulty{exchange.New(exchange.Config{Directory: d})},
		SIP:      driver{n}, Browser: driver{n}, Media: hearer{n}, Events: publisher{n},
		Turned: func(here bool) { n.note("turned %v", here) },
		Log:    slog.New(slog.DiscardHandler), DrainLimit: drain,
	})
	ctx, cancel := context.WithCancel(t.Context())
	n.stop = cancel
	go func() {
		defer close(n.over)
		n.Run(ctx)
	}()
	t.Cleanup(func() {
		n.stop()
		<-n.over
	})
	n.post(t, core.ContactUp{Contact: core.Contact{ID: "desk", User: core.UserID{Name: "alice"}, Edge: core.EdgeSIP}})
	return n
}

func (n *node) post(t *testing.T, events ...core.Event) {
	t.Helper()
	for _, ev := range events {
		if err := n.Post(ev); err != nil {
			t.Errorf("Post(%T): %v", ev, err)
		}
	}
}

func (n *node) note(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.notes = append(n.notes, fmt.Sprintf(format, args...))
}

// has reports whether a note was taken.
func (n *node) has(note string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Contains(n.notes, note)
}

// callee returns the leg that was rung last.
func (n *node) callee() core.LegID {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.rung[len(n.rung)-1]
}

type driver struct{ *node }

func (d driver) Do(cmd core.LegCommand) {
	if d.do != nil {
		d.do(cmd)
	}
	switch cmd := cmd.(type) {
	case core.Ring:
		d.mu.Lock()
		d.rung = append(d.rung, cmd.Leg)
		d.mu.Unlock()
		d.note("ring %s", cmd.Target.Contact)
	case core.End:
		d.note("end %s %d", cmd.Leg, cmd.Cause)
		if err := d.Post(core.LegGone{Leg: cmd.Leg, Cause: cmd.Cause}); err != nil {
			d.note("post: %v", err)
		}
	default:
		d.note("%T %s", cmd, cmd.LegID())
	}
}

type hearer struct{ *node }

func (h hearer) Do(cmd core.MediaCommand) {
	if row, ok := cmd.(core.Hear); ok {
		h.note("hear %s %s", row.Leg, row.Sound.Name)
	}
}

type publisher struct{ *node }

func (p publisher) Publish(_ time.Time, c core.LegChange) { p.note("%v %s", c.Kind, c.Leg) }

func call(leg core.LegID) core.Offered {
	return core.Offered{Leg: leg, Edge: core.EdgeSIP, From: core.Party{Trunk: "carrier", Number: "1"}, To: "17"}
}

// TestRingTimeout waits the full 30 s for a phone that never rings, and 10 s for
// the announcement, in no time.
func TestRingTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, 0)
		began := time.Now()
		n.post(t, call("a"))
		time.Sleep(30*time.Second - time.Nanosecond)
		synctest.Wait()
		if n.has("hear a unreachable") {
			t.Error("gave up before the time")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if !n.has("hear a unreachable") || n.has("end a 18") {
			t.Errorf("no announcement after the ring time-out: %v", n.notes)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if !n.has("end a 18") || !n.has("ended a") {
			t.Errorf("caller not ended %v after the offer: %v", time.Since(began), n.notes)
		}
		if s := n.Stats(); s.Legs != 0 || s.Calls != 0 || s.Contacts != 1 {
			t.Errorf("left: %+v", s)
		}
	})
}

// TestPanicCostsOneCall lets the exchange panic over one of two calls.
func TestPanicCostsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, 0)
		n.post(t, call("a"), call("b"), core.LegDigit{Leg: "a", Digit: '#'})
		synctest.Wait()
		if !n.has("end a 41") || !n.has("ended a") {
			t.Errorf("broken call not released: %v", n.notes)
		}
		if n.has("end b 41") {
			t.Error("the other call was released too")
		}
		if s := n.Stats(); s.Panics != 1 || s.Calls != 1 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// TestPanicAtOffer still answers the caller.
func TestPanicAtOffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, 0)
		n.post(t, core.Offered{Leg: "a", Edge: core.EdgeSIP, To: "#"})
		synctest.Wait()
		if !n.has("end a 41") {
			t.Errorf("notes: %v", n.notes)
		}
	})
}

// TestDriverPanicCostsOneCall lets an edge panic while it rings.
func TestDriverPanicCostsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, 0)
		n.do = func(cmd core.LegCommand) {
			if r, ok := cmd.(core.Ring); ok && r.Caller.Leg == "a" {
				panic("nil dialog")
			}
		}
		n.post(t, call("a"), call("b"))
		synctest.Wait()
		if !n.has("end a 41") || n.has("end b 41") || !n.has("ring desk") {
			t.Errorf("notes: %v", n.notes)
		}
	})
}

// TestFloodCostsOneCall posts more events of one leg than may wait, from inside
// a driver, while the loop cannot take them.
func TestFloodCostsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, 0)
		n.do = func(cmd core.LegCommand) {
			if r, ok := cmd.(core.Ring); ok && r.Caller.Leg == "a" {
				for range 10_000 {
					n.post(t, core.LegDigit{Leg: r.Leg, Digit: '1'})
				}
			}
		}
		n.post(t, call("a"), call("b"))
		synctest.Wait()
		if !n.has("end a 41") || n.has("end b 41") {
			t.Errorf("notes: %v", n.notes)
		}
		if s := n.Stats(); s.Dropped != 10_000-256 || s.Calls != 1 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// TestDrain refuses new calls, lets the running one go on, and ends it at the limit.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, time.Minute)
		n.post(t, call("a"))
		synctest.Wait()
		n.post(t, core.LegUp{Leg: n.callee()}, core.LegUp{Leg: "a"})
		n.stop()
		synctest.Wait()
		n.post(t, call("late"))
		synctest.Wait()
		if !n.has("end late 41") || n.has("end a 41") {
			t.Errorf("while draining: %v", n.notes)
		}
		time.Sleep(time.Minute)
		<-n.over
		if !n.has("end a 41") || !n.has("ended a") || !n.has("ended "+string(n.rung[0])) {
			t.Errorf("after the limit: %v", n.notes)
		}
	})
}

// TestDrainEndsWithTheLastCall does not wait for the limit.
func TestDrainEndsWithTheLastCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, time.Hour)
		n.post(t, call("a"))
		synctest.Wait()
		n.stop()
		synctest.Wait()
		began := time.Now()
		n.post(t, core.LegGone{Leg: "a", Cause: core.CauseNormal})
		<-n.over
		if waited := time.Since(began); waited != 0 {
			t.Errorf("ran on for %v", waited)
		}
		if err := n.Post(call("b")); core.KindOf(err) != core.Unavailable {
			t.Errorf("Post after Run: %v", err)
		}
	})
}

// TestPostHere applies events on the goroutine of who posts them, if it is nobody
// else's turn.
func TestPostHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, time.Minute)
		synctest.Wait() // Run has nothing to do
		here := func(ev core.Event) {
			t.Helper()
			if err := n.PostHere(ev); err != nil {
				t.Errorf("PostHere(%T): %v", ev, err)
			}
		}
		here(call("a"))
		if !n.has("ring desk") || !n.has("turned true") {
			t.Fatalf("not applied at once: %v", n.notes)
		}

		enter, leave := make(chan bool), make(chan bool)
		n.do = func(cmd core.LegCommand) {
			if cmd.LegID() == "b" {
				n.do = nil
				enter <- true
				<-leave
			}
		}
		done := make(chan bool)
		go func() { here(core.Offered{Leg: "b", Edge: core.EdgeSIP, To: "#"}); close(done) }()
		<-enter
		here(core.LegGone{Leg: "a", Cause: core.CauseNormal})
		if n.has("ended a") {
			t.Error("applied while it was another one's turn")
		}
		leave <- true
		<-done
		synctest.Wait()
		if !n.has("ended a") || !n.has("turned false") {
			t.Errorf("what came meanwhile is left: %v", n.notes)
		}

		here(call("c"))
		n.stop()
		synctest.Wait() // draining is Run's
		here(core.LegGone{Leg: "c", Cause: core.CauseNormal})
		<-n.over
		if err := n.PostHere(call("d")); core.KindOf(err) != core.Unavailable {
			t.Errorf("after Run: %v", err)
		}
	})
}

// TestQualityWaitsForTheEnd: nobody is woken up for how a leg was carried, and the
// leg's end takes it along.
func TestQualityWaitsForTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, 0)
		n.post(t, call("a"))
		synctest.Wait()
		before := n.Stats().Events
		n.post(t, core.LegCarried{Leg: "a"})
		synctest.Wait()
		if applied := n.Stats().Events - before; applied != 0 {
			t.Errorf("%d events applied", applied)
		}
		n.post(t, core.LegGone{Leg: "a", Cause: core.CauseNormal})
		synctest.Wait()
		if !n.has("ended a") || n.Stats().Events < before+2 {
			t.Errorf("notes: %v", n.notes)
		}
	})
}

// TestStopDuringATurn waits for the poster whose turn it is.
func TestStopDuringATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, 0)
		synctest.Wait()
		n.do = func(core.LegCommand) {
			n.do = nil
			n.stop()
			synctest.Wait() // Run has seen it
			if n.has("end a 41") {
				t.Error("drained in the middle of a turn")
			}
		}
		if err := n.PostHere(call("a")); err != nil {
			t.Error(err)
		}
		<-n.over
		if !n.has("end a 41") || !n.has("ended a") {
			t.Errorf("notes: %v", n.notes)
		}
	})
}

// TestManyPosters posts from many goroutines, for the race detector.
func TestManyPosters(t *testing.T) {
	n := start(t, 0)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				leg := core.LegID(fmt.Sprintf("%d-%d", g, i))
				post := n.Post
				if (g+i)%2 == 0 {
					post = n.PostHere
				}
				for _, ev := range []core.Event{call(leg), core.LegMuted{Leg: leg, Muted: true}, core.LegGone{Leg: leg, Cause: core.CauseNormal}} {
					if err := post(ev); err != nil {
						t.Errorf("post(%T): %v", ev, err)
					}
				}
			}
		})
	}
	wg.Wait()
	n.stop()
	<-n.over
	if s := n.Stats(); s.Legs != 0 || s.Panics != 0 {
		t.Errorf("left: %+v", s)
	}
	if !n.has("ended 7-199") {
		t.Error("a leg has no end in its history")
	}
}

// TestAsk waits for what came of a request, and for nothing when nobody is left
// to reply.
func TestAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, 0)
		n.post(t, call("a"))
		synctest.Wait()
		if _, err := n.Ask(t.Context(), core.Release{Leg: "nobody"}); core.KindOf(err) != core.NotFound {
			t.Errorf("release of nobody: %v", err)
		}
		if _, err := n.Ask(t.Context(), nil); err == nil || core.KindOf(err) != core.Internal {
			t.Errorf("a panic: %v", err)
		}
		r, err := n.Ask(t.Context(), core.Release{Leg: "a"})
		if err != nil || r.Call == "" {
			t.Errorf("release: %+v, %v", r, err)
		}
		synctest.Wait()
		if !n.has("ended a") {
			t.Errorf("notes: %v", n.notes)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := n.Ask(ctx, core.Release{Leg: "a"}); err == nil {
			t.Error("no error at all")
		}
		n.stop()
		<-n.over
		if _, err := n.Ask(t.Context(), core.Release{Leg: "a"}); core.KindOf(err) != core.Unavailable {
			t.Errorf("after the end: %v", err)
		}
	})
}
