package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// killed returns what a kill -9 leaves of a Deliverer: copies of its files and of
// what is committed in its store.
func killed(t *testing.T, folder string, store *memory) Config {
	t.Helper()
	copied := t.TempDir()
	// The store first: what it gets meanwhile is still in the journal.
	store.mu.Lock()
	entries := maps.Clone(store.entries)
	store.mu.Unlock()
	for _, name := range []string{"webhooks-1.journal", "webhooks-2.journal"} {
		data, err := os.ReadFile(filepath.Join(folder, name)) //nolint:gosec // the test's own
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, name), data, 0o600); err != nil { //nolint:gosec // as above
			t.Fatal(err)
		}
	}
	return Config{Folder: copied, Store: &memory{entries: entries}}
}

// abandon ends a Deliverer whose receiver is gone, as the kill does.
func abandon(t *testing.T, d *Deliverer) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := d.Close(ctx); err != nil {
		t.Error(err)
	}
}

// Issue 5, point 7: 500 events that were not delivered when the process was killed
// all arrive, in order for each leg; what comes twice is the same event.
func TestKilledWithUndeliveredEvents(t *testing.T) {
	for _, c := range []struct {
		name string
		keep time.Duration // how long the journal alone keeps them
	}{
		{"in the journal", time.Hour},
		{"in the store", 10 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			const legs, events = 50, 10
			var up atomic.Bool
			var n atomic.Int32
			var delivered sync.Map // before the kill
			r := newReceiver(t, func(_ http.ResponseWriter, req *http.Request) {
				// Before the kill some get through, and then nobody gets an answer.
				switch body, _ := io.ReadAll(req.Body); {
				case up.Load():
				case n.Add(1) <= 30:
					delivered.Store(string(body), true)
				default:
					<-req.Context().Done()
				}
			})
			folder, store := t.TempDir(), &memory{}
			l := testLimits()
			l.keep = c.keep
			d, err := newDeliverer(t.Context(), Config{Agent: "killed", Folder: folder, Store: store}, l)
			if err != nil {
				t.Fatal(err)
			}
			for n := range events {
				for leg := range legs {
					j := event(r.URL, fmt.Sprint("leg", leg), n)
					j.Durable, j.Last = true, n == events-1
					j.Sign = &Signer{Key: []byte("key"), App: "app"}
					if leg%5 == 0 && j.Last { // its answer dies with the process; that it is told does not
						j.Done, j.Fallback = func(Result) {}, &Fallback{Target: Target{URL: r.URL}, Type: "event"}
					}
					d.Send(j)
				}
			}
			d.Sync()
			if c.keep < time.Hour {
				eventually(t, "the store has them", func() bool { return store.size() > legs*events/2 })
			}
			eventually(t, "the first are delivered", func() bool { return d.Stats().Delivered == 30 })
			eventually(t, "that is noted", func() bool {
				d.outbox.mu.Lock()
				defer d.outbox.mu.Unlock()
				return len(d.outbox.settled) == 0
			})
			d.Sync() // if it is just being written
			again := killed(t, folder, store)
			abandon(t, d)
			up.Store(true)

			d = newTest(t, again, testLimits())
			eventually(t, "nothing is left", func() bool { return d.Stats().Queued == 0 && d.Stats().Delivered >= legs*events-30 })
			if st := d.Stats(); st.Failed+st.Dropped > 0 {
				t.Errorf("%+v", st)
			}
			for leg := range legs {
				if !d.Ended(fmt.Sprint("leg", leg)) {
					t.Errorf("that leg %d has ended is forgotten", leg)
				}
			}
			checkReplay(t, r.all(), legs, events)
			for _, g := range r.all() {
				if _, was := delivered.Load(g.body); was && g.header.Get("User-Agent") != "killed" {
					t.Errorf("%s comes again, though that it was delivered was noted", g.body)
				}
			}
			eventually(t, "the outbox is empty", func() bool { return d.outbox.len() == 0 })
		})
	}
}

// checkReplay checks that all events came, in order for each leg, and that what
// came twice came with the same signature.
func checkReplay(t *testing.T, all []got, legs, events int) {
	t.Helper()
	tokens := make(map[string]string)
	last := make(map[string]int)
	for _, g := range all {
		leg, number, _ := strings.Cut(g.body, `,"n":`)
		var n int
		if _, err := fmt.Sscanf(number, "%d}", &n); err != nil {
			t.Fatal(g.body)
		}
		if old, twice := tokens[g.body]; twice && old != g.auth {
			t.Errorf("%s came twice, as two events", g.body)
		}
		tokens[g.body] = g.auth
		if g.header.Get("User-Agent") != "killed" {
			if old, known := last[leg]; known && n != old+1 {
				t.Errorf("%s came after %d", g.body, old)
			}
			last[leg] = n
		}
	}
	if len(tokens) != legs*events {
		t.Errorf("%d events came, want %d", len(tokens), legs*events)
	}
}

// With a receiver that stays dead each gets its two attempts after the start, and is
// gone then.
func TestKilledAndTheReceiverStaysDead(t *testing.T) {
	url := deadURL(t)
	folder, store := t.TempDir(), &memory{}
	l := testLimits()
	l.again = time.Hour // the first process does not come to second attempts
	d, err := newDeliverer(t.Context(), Config{Folder: folder, Store: store}, l)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		j := event(url, fmt.Sprint("leg", n%20), n)
		j.Durable = true
		d.Send(j)
	}
	d.Sync()
	again := killed(t, folder, store)
	abandon(t, d)
	l = testLimits()
	l.age = 0 // however long ago that was
	d = newTest(t, again, l)
	eventually(t, "all is given up", func() bool { return d.Stats() == Stats{Failed: 40, Retried: 40} })
	eventually(t, "the outbox is empty", func() bool { return d.outbox.len() == 0 })
}

// Most events never cost a transaction.
func TestDeliveredAtOnceLeavesTheStoreAlone(t *testing.T) {
	r := newReceiver(t, nil)
	store := &memory{}
	l := testLimits()
	l.keep = time.Hour
	d := newTest(t, Config{Folder: t.TempDir(), Store: store}, l)
	for n := range 100 {
		j := event(r.URL, fmt.Sprint("leg", n), n)
		j.Durable = true
		d.Send(j)
	}
	eventually(t, "all is delivered", func() bool { return d.Stats().Delivered == 100 && d.outbox.len() == 0 })
	if err := d.outbox.turn(); err != nil || store.changes != 0 {
		t.Errorf("%v, %d transactions", err, store.changes)
	}
}

// A database that fails delays nothing, and gets what is left when it is back.
func TestStoreFails(t *testing.T) {
	r, open := gate(t)
	defer open()
	folder, store := t.TempDir(), &memory{fail: errors.New("disk full")}
	d := newTest(t, Config{Folder: folder, Store: store}, testLimits())
	for n := range 10 {
		j := event(r.URL+"/slow", "leg", n)
		j.Durable = true
		d.Send(j)
		j = event(r.URL+"/", "other", n)
		j.Durable = true
		d.Send(j)
	}
	eventually(t, "the others are delivered", func() bool { return d.Stats().Delivered == 10 })
	store.mu.Lock()
	store.fail = nil
	store.mu.Unlock()
	eventually(t, "the store has the rest", func() bool { return store.size() == 10 })
	open()
	eventually(t, "the store is empty", func() bool { return store.size() == 0 })
}

// A journal is cut off where the process was killed, in the middle of a line.
func TestHalfALineIsNoJob(t *testing.T) {
	r := newReceiver(t, nil)
	folder := t.TempDir()
	line := `{"id":7,"app":"app","queue":"leg","url":"` + r.URL + `","body":"{\"n\":1}"}` + "\n"
	if err := os.WriteFile(filepath.Join(folder, "webhooks-1.journal"), []byte(line+line[:30]), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newTest(t, Config{Folder: folder, Store: &memory{entries: map[int64]string{3: "garbage"}}}, testLimits())
	eventually(t, "the whole one is delivered", func() bool { return d.Stats().Delivered == 1 })
	if got := r.bodies(); !slices.Equal(got, []string{`{"n":1}`}) {
		t.Error(got)
	}
}

// Whoever keeps a log of its own has it written between the journal and the first
// attempt, and may have the journal written meanwhile.
func TestBeforeTheFirstAttempt(t *testing.T) {
	var order []string
	var mu sync.Mutex
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, what)
	}
	r := newReceiver(t, func(http.ResponseWriter, *http.Request) { note("sent") })
	var d *Deliverer
	folder := t.TempDir()
	d = newTest(t, Config{Folder: folder, Store: &memory{}, Before: func() {
		if data, err := os.ReadFile(filepath.Join(folder, "webhooks-1.journal")); err == nil && len(data) > 0 { //nolint:gosec // the test's own
			note("logged")
		}
		d.Sync()
	}}, testLimits())
	j := event(r.URL, "leg", 1)
	j.Durable = true
	d.Send(j)
	eventually(t, "it is delivered", func() bool { return d.Stats().Delivered == 1 })
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(order, []string{"logged", "sent"}) {
		t.Error(order)
	}
}

// Nothing is sent that a kill in the same moment would make us forget.
func TestSafeBeforeItIsSent(t *testing.T) {
	r := newReceiver(t, nil)
	d := newTest(t, Config{Folder: t.TempDir(), Store: &memory{}}, testLimits())
	d.outbox.writing.Lock() // the disk is slow
	durable := event(r.URL+"/durable", "leg", 1)
	durable.Durable = true
	d.Send(durable)
	for n := range 20 {
		if res := ask(t, d, event(r.URL+"/other", "other", n)); res.Err != nil {
			t.Error(res)
		}
	}
	for _, g := range r.all() {
		if g.uri == "/durable" {
			t.Error("it was sent before it was in the journal")
		}
	}
	d.outbox.writing.Unlock()
	eventually(t, "it is delivered", func() bool { return d.Stats().Delivered == 21 })
}
