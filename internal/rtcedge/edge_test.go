package rtcedge

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of a test; none should come near it.
const patience = 5 * time.Second

// rig is an edge behind a real HTTP server, with fakes for what it calls.
type rig struct {
	t     *testing.T
	edge  *Edge
	url   string
	post  *recorder
	paths *fakePaths
	media *fakeMedia
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, post: newRecorder(), paths: &fakePaths{}, media: &fakeMedia{joined: map[core.LegID]media.Path{}}}
	limits := DefaultLimits()
	limits.FailAfter = 0
	cfg := Config{
		Version: "test", Limits: limits, Log: slog.New(slog.DiscardHandler),
		Auth: fakeAuth{}, Post: r.post, Paths: r.paths, Media: r.media,
	}
	if change != nil {
		change(&cfg)
	}
	r.edge = New(cfg)
	server := httptest.NewServer(r.edge)
	r.url = "ws" + strings.TrimPrefix(server.URL, "http")
	t.Cleanup(func() {
		r.edge.Close()
		server.Close()
	})
	return r
}

// recorder is a Poster that keeps what it gets.
type recorder struct {
	mu     sync.Mutex
	events []core.Event
	news   chan struct{} // closed and replaced at every event
	refuse error
}

func newRecorder() *recorder { return &recorder{news: make(chan struct{})} }

func (p *recorder) Post(ev core.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		return p.refuse
	}
	p.events = append(p.events, ev)
	close(p.news)
	p.news = make(chan struct{})
	return nil
}

// next takes the oldest event.
func (p *recorder) next(t *testing.T) core.Event {
	t.Helper()
	limit := time.After(patience)
	for {
		p.mu.Lock()
		if len(p.events) > 0 {
			ev := p.events[0]
			p.events = p.events[1:]
			p.mu.Unlock()
			return ev
		}
		news := p.news
		p.mu.Unlock()
		select {
		case <-news:
		case <-limit:
			t.Fatal("no event was posted")
		}
	}
}

// want takes the next event and compares it.
func (p *recorder) want(t *testing.T, want core.Event) {
	t.Helper()
	if got := p.next(t); !reflect.DeepEqual(got, want) {
		t.Fatalf("posted %#v, want %#v", got, want)
	}
}

// contact takes a ContactUp.
func (p *recorder) contact(t *testing.T) core.Contact {
	t.Helper()
	ev := p.next(t)
	up, ok := ev.(core.ContactUp)
	if !ok {
		t.Fatalf("posted %#v, want ContactUp", ev)
	}
	return up.Contact
}

// none fails if an event waits.
func (p *recorder) none(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.events) > 0 {
		t.Fatalf("posted %#v, want nothing", p.events)
	}
}

// fakeAuth knows users by the password "right" and tokens "token:name".
type fakeAuth struct{}

func (fakeAuth) Token(_ context.Context, _ netip.Addr, token core.Secret) (core.UserID, error) {
	if name, ok := strings.CutPrefix(token.Reveal(), "token:"); ok {
		return core.ParseUserID(name), nil
	}
	return core.UserID{}, &core.Error{Op: "auth.Token", Kind: core.Unauthorized}
}

func (fakeAuth) Password(source netip.Addr, user string, password core.Secret) (core.UserID, error) {
	if !source.IsLoopback() {
		return core.UserID{}, fmt.Errorf("source %v", source)
	}
	switch {
	case user == "locked":
		return core.UserID{}, &core.Error{Op: "auth.Password", Kind: core.Unavailable}
	case password == "right" && user != "nobody":
		return core.UserID{Name: user}, nil
	}
	return core.UserID{}, &core.Error{Op: "auth.Password", Kind: core.Unauthorized, Err: fmt.Errorf("user %s", user)}
}

// fakePaths makes paths that come up when the test says so.
type fakePaths struct {
	mu   sync.Mutex
	made []*fakePath
}

type fakePath struct {
	media.Path // no packet passes in these tests
	ev         PathEvents
	offers     int
	closed     chan struct{}
}

func (f *fakePaths) NewPath(ev PathEvents) (Path, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &fakePath{ev: ev, closed: make(chan struct{})}
	f.made = append(f.made, p)
	return p, nil
}

func (f *fakePaths) path(i int) *fakePath {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.made[i]
}

func (p *fakePath) Answer(_ context.Context, offer string) (string, error) {
	if offer == "bad" {
		return "", &core.Error{Op: "rtc.Answer", Kind: core.Invalid, Err: fmt.Errorf("no audio in the offer")}
	}
	p.offers++
	return fmt.Sprintf("answer %d to %s", p.offers, offer), nil
}

func (p *fakePath) Close() { close(p.closed) }

// fakeMedia remembers what is attached.
type fakeMedia struct {
	mu       sync.Mutex
	joined   map[core.LegID]media.Path
	detaches int
	pressed  string
}

func (f *fakeMedia) Attach(leg core.LegID, p media.Path) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.joined[leg] = p
}

func (f *fakeMedia) Detach(leg core.LegID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.joined, leg)
	f.detaches++
}

func (f *fakeMedia) Press(_ core.LegID, key byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pressed += string(key)
}

func (f *fakeMedia) detached() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.detaches
}

func (f *fakeMedia) of(leg core.LegID) media.Path {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.joined[leg]
}

// client is a browser of the test.
type client struct {
	t    *testing.T
	conn *websocket.Conn
}

// message is any frame from the server.
type message map[string]any

// dial opens a socket without logging in.
func (r *rig) dial() *client {
	r.t.Helper()
	conn, resp, err := websocket.Dial(r.t.Context(), r.url, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	conn.SetReadLimit(1 << 20)
	r.t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{t: r.t, conn: conn}
}

// login opens a socket, logs user in and takes the ContactUp.
func (r *rig) login(user string) (*client, message) {
	r.t.Helper()
	c := r.dial()
	c.send(`{"type":"login","id":"in","protocol":1,"user":%q,"password":"right","label":"tab"}`, user)
	h := c.want("hello")
	contact := r.post.contact(r.t)
	if string(contact.ID) != h["device"] || contact.User.Name != user || contact.Edge != core.EdgeBrowser || contact.Device != "tab" {
		r.t.Fatalf("contact %+v does not fit hello %v", contact, h)
	}
	return c, h
}

func (c *client) send(format string, args ...any) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, format, args...)); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// read returns the next message.
func (c *client) read() message {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	_, frame, err := c.conn.Read(ctx)
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	var m message
	if err := json.Unmarshal(frame, &m); err != nil {
		c.t.Fatalf("%s: %v", frame, err)
	}
	return m
}

// want reads one message of type typ; pairs are fields it must have.
func (c *client) want(typ string, pairs ...any) message {
	c.t.Helper()
	m := c.read()
	if m["type"] != typ {
		c.t.Fatalf("got %v, want %s", m, typ)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok || fmt.Sprint(m[key]) != fmt.Sprint(pairs[i+1]) {
			c.t.Fatalf("got %v, want %v = %v", m, pairs[i], pairs[i+1])
		}
	}
	return m
}

// closed reads until the socket is over and returns its close code.
func (c *client) closed() websocket.StatusCode {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	for {
		if _, _, err := c.conn.Read(ctx); err != nil {
			if ctx.Err() != nil {
				c.t.Fatal("socket was not closed")
			}
			return websocket.CloseStatus(err)
		}
	}
}

// lose breaks the connection without a close frame.
func (c *client) lose() { _ = c.conn.CloseNow() }

// ring proposes leg to the device of h.
func (r *rig) ring(h message, leg core.LegID) {
	device, _ := h["device"].(string)
	r.edge.Do(core.Ring{
		LegRef: core.LegRef{Leg: leg, Edge: core.EdgeBrowser}, Call: "c1",
		Target: core.Target{Contact: core.ContactID(device)},
		From:   core.Party{Number: "12995550100", Name: "<b>Mallory</b>"}, To: core.Party{Number: "12995558888"},
	})
}

// answered brings leg to the state active on path "p1".
func (r *rig) answered(c *client, h message, leg core.LegID) *fakePath {
	r.t.Helper()
	r.ring(h, leg)
	c.want("incoming")
	c.send(`{"type":"accept","id":"a","leg":%q}`, leg)
	c.want("reply", "id", "a")
	r.post.want(r.t, core.LegAccepted{Leg: leg})
	c.send(`{"type":"media","id":"m","path":"p1","leg":%q,"sdp":"offer"}`, leg)
	c.want("reply", "id", "m", "path", "p1", "sdp", "answer 1 to offer")
	p := r.paths.path(0)
	p.ev.Up()
	c.want("path", "path", "p1", "state", "up")
	c.want("up", "leg", leg)
	r.post.want(r.t, core.LegUp{Leg: leg})
	return p
}

func (r *rig) end(leg core.LegID, cause core.Cause, reason core.Reason) {
	r.edge.Do(core.End{LegRef: core.LegRef{Leg: leg, Edge: core.EdgeBrowser}, Cause: cause, Reason: reason})
}

var _ http.Handler = (*Edge)(nil)
