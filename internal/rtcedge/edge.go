package rtcedge

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/core"
)

// Config is what New needs. Origin, Source, Profile and ICE may be nil, the rest may
// not.
type Config struct {
	Version string // of the server, for hello
	Limits  Limits
	Log     *slog.Logger
	Auth    Authenticator
	Post    Poster
	Paths   Paths
	Media   Media
	// Origin says whether a page may open a socket. nil lets every page: the
	// socket carries no cookie, so a foreign page gains nothing by opening one.
	Origin func(*http.Request) bool
	// Source says where a request comes from. nil takes its remote address;
	// behind a proxy that is the proxy.
	Source func(*http.Request) netip.Addr
	// Profile returns how a user is shown to himself: User, Number, Name. It
	// returns at once. nil shows the user alone.
	Profile func(core.UserID) core.Party
	// ICE returns the servers, with credentials of limited life, that a user's client
	// may reach us by; nil is none. It returns at once.
	ICE func(core.UserID) []ICEServer
}

// Edge serves /ws and carries out the exchange's commands for browser legs.
type Edge struct {
	Config
	running sync.WaitGroup // handlers, and timers that end devices

	mu        sync.Mutex // guards what follows; innermost: nothing else is locked under it
	closed    bool
	sockets   map[*socket]struct{}
	devices   map[core.ContactID]*device
	legs      map[core.LegID]*device
	names     map[core.LegID]core.LegID // of legs that talk, by what applications call them
	users     map[core.UserID]int       // how many devices each has
	strangers int                       // sockets that have not logged in
	sources   map[netip.Addr]int        // where they come from
}

// New returns an edge that serves until Close.
func New(cfg Config) *Edge {
	return &Edge{
		Config:  cfg,
		sockets: make(map[*socket]struct{}),
		devices: make(map[core.ContactID]*device),
		legs:    make(map[core.LegID]*device),
		names:   make(map[core.LegID]core.LegID),
		users:   make(map[core.UserID]int),
		sources: make(map[netip.Addr]int),
	}
}

// ServeHTTP upgrades the request and serves the socket until it ends.
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.Origin != nil && !e.Origin(r) {
		http.Error(w, "origin not allowed", http.StatusForbidden)
		return
	}
	source := e.sourceOf(r)
	if !e.admit(source) {
		http.Error(w, "too many connections", http.StatusServiceUnavailable)
		return
	}
	defer e.running.Done()
	known := sync.OnceFunc(func() { e.leave(source) })
	defer known()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the name is about Origin, which was checked above
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		e.Log.Debug("upgrade failed", "error", err)
		return // Accept wrote the answer
	}
	s := newSocket(conn, e.Limits, source)
	if !e.track(s) {
		s.shut(websocket.StatusGoingAway)
		return
	}
	defer e.untrack(s)

	e.run(r.Context(), s, known)
}

// run reads on this goroutine and writes on others until the socket is over.
// known is called when its client has logged in.
func (e *Edge) run(ctx context.Context, s *socket, known func()) {
	var writers sync.WaitGroup
	writers.Go(func() { s.write(ctx) })
	writers.Go(func() { s.keepAlive(ctx) })
	if d := e.login(ctx, s); d != nil {
		known()
		d.serve(ctx, s)
	}
	close(s.quit)
	writers.Wait()
}

// Close ends every device and socket and waits for their goroutines. The
// exchange should have ended the legs before; those left end with
// core.CauseTempFailure.
func (e *Edge) Close() {
	e.mu.Lock()
	e.closed = true
	devices := make([]*device, 0, len(e.devices))
	for _, d := range e.devices {
		devices = append(devices, d)
	}
	e.mu.Unlock()
	for _, d := range devices {
		d.end(core.CauseTempFailure, core.ReasonShutdown)
	}
	e.mu.Lock()
	for s := range e.sockets {
		s.drop(websocket.StatusGoingAway)
	}
	e.mu.Unlock()
	e.running.Wait()
}

// begin counts one more timer that Close waits for; false after Close.
func (e *Edge) begin() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.running.Add(1)
	return true
}

// after runs f after d, unless the edge is closed first.
func (e *Edge) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() {
		if e.begin() {
			defer e.running.Done()
			f()
		}
	})
}

func (e *Edge) track(s *socket) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.sockets[s] = struct{}{}
	return true
}

func (e *Edge) untrack(s *socket) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.sockets, s)
}

// add registers a new device; false if its user has too many or we are closed.
func (e *Edge) add(d *device) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.users[d.user] >= e.Limits.Devices {
		return false
	}
	e.users[d.user]++
	e.devices[d.id] = d
	return true
}

// remove forgets a device.
func (e *Edge) remove(d *device) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.devices[d.id] != d {
		return
	}
	delete(e.devices, d.id)
	if e.users[d.user]--; e.users[d.user] == 0 {
		delete(e.users, d.user)
	}
}

// device returns a device by its id, nil if there is none.
func (e *Edge) device(id core.ContactID) *device {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.devices[id]
}

// owner returns the device of a live leg, nil if there is none.
func (e *Edge) owner(leg core.LegID) *device {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.legs[leg]
}

// index and unindex keep owner true.
func (e *Edge) index(leg core.LegID, d *device) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.legs[leg] = d
}

func (e *Edge) unindex(leg core.LegID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.legs, leg)
}

// name lets a leg that talks be found by what applications call it; unname ends that.
func (e *Edge) name(as, leg core.LegID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.names[as] = leg
}

func (e *Edge) unname(as, leg core.LegID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.names[as] == leg {
		delete(e.names, as)
	}
}

// named returns the leg of a device that applications call so.
func (e *Edge) named(as core.LegID) core.LegID {
	e.mu.Lock()
	defer e.mu.Unlock()
	if leg, ok := e.names[as]; ok {
		return leg
	}
	return as
}

// post reports ev. After the drain nobody listens any more; that is no news for
// an edge that is about to be closed.
func (e *Edge) post(ev core.Event) {
	if err := e.Post.Post(ev); err != nil {
		e.Log.Debug("event not taken", "event", fmt.Sprintf("%T", ev), "error", err)
	}
}

// newSecret returns 256 random bits for a resume token.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return base64.RawURLEncoding.EncodeToString(b[:])
}
