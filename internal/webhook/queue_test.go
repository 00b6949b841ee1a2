package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Events of a leg arrive in order and one at a time, whatever happens to other
// legs; each leg's queue shows its own order.
func TestOrderOfEachLeg(t *testing.T) {
	const legs, events = 20, 25
	var mu sync.Mutex
	open := make(map[string]bool)
	r := newReceiver(t, func(_ http.ResponseWriter, req *http.Request) {
		leg := req.URL.Path
		mu.Lock()
		if open[leg] {
			t.Errorf("two events of %s at once", leg)
		}
		open[leg] = true
		mu.Unlock()
		time.Sleep(time.Millisecond) // what an application does with it
		mu.Lock()
		open[leg] = false
		mu.Unlock()
	})
	d := newTest(t, Config{Store: &memory{}, Folder: t.TempDir()}, testLimits())
	var senders sync.WaitGroup
	for leg := range legs {
		senders.Go(func() {
			for n := range events {
				j := event(fmt.Sprintf("%s/%d", r.URL, leg), fmt.Sprint("leg", leg), n)
				j.Durable = n%2 == 0 // the others must not overtake what waits for the journal
				d.Send(j)
			}
		})
	}
	senders.Wait()
	eventually(t, "all is delivered", func() bool { return d.Stats().Delivered == legs*events })
	of := make(map[string][]string)
	for _, g := range r.all() {
		of[g.uri] = append(of[g.uri], g.body)
	}
	for leg := range legs {
		for n, body := range of[fmt.Sprint("/", leg)] {
			if want := fmt.Sprintf(`{"leg":"leg%d","n":%d}`, leg, n); body != want {
				t.Fatalf("%s came as number %d of its leg", body, n)
			}
		}
	}
}

// gate is a receiver that answers requests whose path begins with /slow only when
// it is opened.
func gate(t *testing.T) (r *receiver, open func()) {
	t.Helper()
	shut := make(chan struct{})
	open = sync.OnceFunc(func() { close(shut) })
	r = newReceiver(t, func(_ http.ResponseWriter, req *http.Request) {
		if strings.HasPrefix(req.URL.Path, "/slow") {
			select {
			case <-shut:
			case <-req.Context().Done():
			}
		}
	})
	t.Cleanup(open)
	return r, open
}

// The answer webhook waits for started and ringing, for a while, and never for
// answered (contract section 8).
func TestAnswerWebhookWaitsForOlderEvents(t *testing.T) {
	t.Run("until they are there", func(t *testing.T) {
		r, open := gate(t)
		defer open()
		d := newTest(t, Config{}, testLimits())
		d.Send(event(r.URL+"/slow", "leg", 1))
		d.Send(event(r.URL+"/ringing", "leg", 2))
		answer := event(r.URL+"/answer", "leg", 3)
		answer.After = time.Hour
		done := make(chan Result, 1)
		answer.Done = func(res Result) { done <- res }
		d.Send(answer)
		eventually(t, "started is on its way", func() bool { return len(r.all()) == 1 })
		open()
		if res := wait(t, done); res.Err != nil {
			t.Fatal(res)
		}
		if seen := r.all(); len(seen) != 3 || seen[2].uri != "/answer" {
			t.Errorf("%+v", seen)
		}
	})
	t.Run("but not for long", func(t *testing.T) {
		r, open := gate(t)
		defer open()
		d := newTest(t, Config{}, testLimits())
		d.Send(event(r.URL+"/slow", "leg", 1))
		answer := event(r.URL+"/answer", "leg", 2)
		answer.After = 50 * time.Millisecond
		if res := ask(t, d, answer); res.Err != nil || d.Stats().Delivered != 1 {
			t.Errorf("%+v, %+v", res, d.Stats())
		}
	})
	t.Run("and never for answered", func(t *testing.T) {
		r, open := gate(t)
		defer open()
		d := newTest(t, Config{}, testLimits())
		answered := event(r.URL+"/slow", "leg", 1)
		answered.Overtaken = true
		d.Send(answered)
		answer := event(r.URL+"/answer", "leg", 2)
		answer.After = time.Hour
		if res := ask(t, d, answer); res.Err != nil {
			t.Error(res)
		}
	})
	t.Run("and is given up when the leg has ended meanwhile", func(t *testing.T) {
		r, open := gate(t)
		defer open()
		d := newTest(t, Config{}, testLimits())
		d.Send(event(r.URL+"/slow", "leg", 1))
		answer := event(r.URL+"/answer", "leg", 2)
		answer.After = time.Hour
		done := make(chan Result, 1)
		answer.Done = func(res Result) { done <- res }
		d.Send(answer)
		completed := event(r.URL+"/completed", "leg", 3)
		completed.Last = true
		d.Send(completed)
		if res := wait(t, done); !errors.Is(res.Err, errEnded) {
			t.Errorf("%+v", res)
		}
		open()
		eventually(t, "nothing is queued", func() bool { return d.Stats() == Stats{Delivered: 2} })
		if seen := r.all(); len(seen) != 2 || seen[1].uri != "/completed" {
			t.Errorf("%+v", seen)
		}
	})
	t.Run("nor holds up what comes after", func(t *testing.T) {
		r, open := gate(t)
		defer open()
		d := newTest(t, Config{}, testLimits())
		answer := event(r.URL+"/slow", "leg", 1)
		answer.After, answer.Done = time.Hour, func(Result) {}
		d.Send(answer)
		d.Send(event(r.URL+"/completed", "leg", 2))
		eventually(t, "completed is delivered", func() bool { return d.Stats().Delivered == 1 })
		open()
	})
}

// An application that does not answer uses up its own workers and queues only.
func TestDeadApplicationHoldsUpNobodyElse(t *testing.T) {
	r, open := gate(t)
	defer open()
	l := testLimits()
	l.workers, l.total = 4, 6
	d := newTest(t, Config{}, l)
	for n := range 100 {
		j := event(r.URL+"/slow", fmt.Sprint("leg", n), n)
		j.App = "dead"
		d.Send(j)
	}
	eventually(t, "its workers are at work", func() bool { return len(r.all()) == l.workers })
	for n := range 50 {
		other := event(r.URL+"/", fmt.Sprint("other", n), n)
		other.App = "alive"
		if res := ask(t, d, other); res.Err != nil {
			t.Fatal(res)
		}
	}
	// Nor are its own questions held up by what it is told.
	question := event(r.URL+"/", "question", 1)
	question.App = "dead"
	if res := ask(t, d, question); res.Err != nil {
		t.Fatal(res)
	}
	open()
	eventually(t, "all is delivered", func() bool { return d.Stats().Delivered == 151 })
}

// With all workers busy each application has at least one, and those that are freed
// go round.
func TestWorkersAreShared(t *testing.T) {
	var at sync.Map
	var most, now atomic.Int32
	r := newReceiver(t, func(_ http.ResponseWriter, req *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(time.Millisecond)
		now.Add(-1)
		at.Store(req.URL.Path, true)
	})
	l := testLimits()
	l.workers, l.total = 8, 10
	d := newTest(t, Config{}, l)
	for n := range 500 {
		j := event(fmt.Sprintf("%s/app%d", r.URL, n%5), fmt.Sprint("leg", n), n)
		j.App = fmt.Sprint("app", n%5)
		d.Send(j)
	}
	eventually(t, "all is delivered", func() bool { return d.Stats().Delivered == 500 })
	if most.Load() > 10+5 {
		t.Errorf("%d at once", most.Load())
	}
	eventually(t, "the workers are gone", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.running == 0 && len(d.lanes) == 0 && len(d.queues) == 0 && d.bytes == 0
	})
}

func TestQueuesAreBounded(t *testing.T) {
	r, open := gate(t)
	defer open()
	d := newTest(t, Config{}, testLimits())
	for n := range 40 {
		d.Send(event(r.URL+"/slow", "leg", n))
	}
	last := event(r.URL+"/slow", "leg", 99)
	last.Last = true
	d.Send(last)
	if st := d.Stats(); st.Dropped != 8 || st.Queued != 33 {
		t.Errorf("%+v", st)
	}
	if res := ask(t, d, event(r.URL, "leg", 100)); res.Err == nil || res.Reason != "Not sent." {
		t.Errorf("%+v", res)
	}
	open()
	eventually(t, "the rest is delivered", func() bool { return d.Stats().Delivered == 33 })
	if bodies := r.bodies(); !slices.Contains(bodies, `{"leg":"leg","n":31}`) || bodies[32] != `{"leg":"leg","n":99}` {
		t.Error(bodies)
	}
}

func TestOldJobsAreDropped(t *testing.T) {
	r, open := gate(t)
	defer open()
	l := testLimits()
	l.age = 500 * time.Millisecond // the first must be on its way by then
	d := newTest(t, Config{Store: &memory{}, Folder: t.TempDir()}, l)
	for n := range 3 {
		j := event(r.URL+"/slow", "leg", n)
		j.Durable = true
		d.Send(j)
	}
	eventually(t, "the first is on its way", func() bool { return len(r.all()) == 1 })
	time.Sleep(2 * l.age)
	open()
	eventually(t, "all is over", func() bool { return d.Stats() == Stats{Delivered: 1, Dropped: 2} })
	eventually(t, "the outbox is empty", func() bool { return d.outbox.len() == 0 })
}

func TestMemoryIsBounded(t *testing.T) {
	r, open := gate(t)
	defer open()
	l := testLimits()
	l.bytes = 100 << 10
	d := newTest(t, Config{}, l)
	for n := range 20 {
		j := event(r.URL+"/slow", fmt.Sprint("leg", n), n)
		j.Body = make([]byte, 10<<10)
		d.Send(j)
	}
	if st := d.Stats(); st.Queued != 9 || st.Dropped != 11 {
		t.Errorf("%+v", st)
	}
	open()
}

func TestSendAfterClose(t *testing.T) {
	d, err := newDeliverer(t.Context(), Config{}, testLimits())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if res := ask(t, d, event("http://127.0.0.1/", "leg", 1)); res.Err == nil {
		t.Error(res)
	}
}
