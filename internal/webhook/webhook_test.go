package webhook

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/offhook/offhook/internal/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long tests wait for what must come.
const patience = 20 * time.Second

// memory is a Store. Fail makes changes fail.
type memory struct {
	mu      sync.Mutex
	entries map[int64]string
	fail    error
	changes int
}

func (m *memory) Outbox(context.Context) ([]core.OutboxEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []core.OutboxEntry
	for id, body := range m.entries {
		list = append(list, core.OutboxEntry{ID: id, Body: body})
	}
	slices.SortFunc(list, func(a, b core.OutboxEntry) int { return int(a.ID - b.ID) })
	return list, nil
}

func (m *memory) ChangeOutbox(_ context.Context, add []core.OutboxEntry, remove []int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	if m.entries == nil {
		m.entries = make(map[int64]string)
	}
	if len(add)+len(remove) > 0 {
		m.changes++
	}
	for _, e := range add {
		if _, there := m.entries[e.ID]; !there {
			m.entries[e.ID] = e.Body
		}
	}
	for _, id := range remove {
		delete(m.entries, id)
	}
	return nil
}

func (m *memory) size() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.entries)
}

// testLimits are the usual ones, with less patience.
func testLimits() limits {
	l := defaultLimits()
	l.again, l.askOnce, l.keep = 10*time.Millisecond, 5*time.Millisecond, 50*time.Millisecond
	return l
}

func newTest(t testing.TB, c Config, l limits) *Deliverer {
	t.Helper()
	d, err := newDeliverer(t.Context(), c, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := d.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return d
}

// got is a request as a receiver saw it.
type got struct {
	method, host, uri, body, auth string
	header                        http.Header
}

// receiver is an application's web server. Answer may be nil.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	seen []got
}

func newReceiver(t testing.TB, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(r.handler(answer))
	t.Cleanup(r.stop)
	return r
}

func (r *receiver) stop() {
	r.CloseClientConnections()
	r.Close()
}

func (r *receiver) handler(answer http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.seen = append(r.seen, got{req.Method, req.Host, req.RequestURI, string(body), req.Header.Get("Authorization"), req.Header})
		r.mu.Unlock()
		if answer != nil {
			req.Body = io.NopCloser(bytes.NewReader(body))
			answer(w, req)
		}
	})
}

func (r *receiver) all() []got {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

func (r *receiver) bodies() (list []string) {
	for _, g := range r.all() {
		list = append(list, g.body)
	}
	return list
}

// ask sends a job and waits for what comes of it.
func ask(t testing.TB, d *Deliverer, j Job) Result {
	t.Helper()
	done := make(chan Result, 1)
	j.Done = func(r Result) { done <- r }
	d.Send(j)
	return wait(t, done)
}

func wait[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never came to be that " + what)
		}
	}
}

// event is the nth event of a leg. On a busy machine a connection may take long: an
// attempt that was given up too soon would be another copy of the event.
func event(url, leg string, n int) Job {
	return Job{Queue: leg, App: "app", Target: Target{URL: url, ConnectTimeout: patience, Timeout: patience}, Body: fmt.Appendf(nil, `{"leg":%q,"n":%d}`, leg, n)}
}

// deadURL is the URL of a server that is not there.
func deadURL(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String() + "/"
}
