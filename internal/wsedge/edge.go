package wsedge

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
)

// Poster takes events for the exchange; Post never blocks.
type Poster interface{ Post(ev core.Event) error }

// Media joins paths to legs. All calls return at once.
type Media interface {
	Attach(leg core.LegID, p media.Path)
	Detach(leg core.LegID)
}

// Tokens makes the tokens by which an application knows that we connect to it.
type Tokens interface {
	// SocketToken returns a token signed with the signature secret of app's account.
	SocketToken(ctx context.Context, app string) (string, error)
}

// Config is what New needs. Post and Media are required.
type Config struct {
	Post   Poster
	Media  Media
	Tokens Tokens // nil: no application gets a token
	// Dial connects for an application; it refuses what that one must not reach. Nil
	// connects to anything.
	Dial func(ctx context.Context, app, network, hostPort string) (net.Conn, error)
	// TLS is for wss; nil is the usual.
	TLS   *tls.Config
	Agent string // User-Agent, such as "offhook/1.0"
	// ConnectTimeout bounds the upgrade. Default 5s.
	ConnectTimeout time.Duration
	// Legs is how many may live at once. Default 2000.
	Legs int
	Log  *slog.Logger // nil discards
}

// Edge carries out the exchange's commands for WebSocket legs.
type Edge struct {
	cfg     Config
	running sync.WaitGroup
	unsent  atomic.Uint64
	unheard atomic.Uint64

	mu     sync.Mutex // guards what follows
	closed bool
	legs   map[core.LegID]*leg
}

// Stats are counters of an Edge, in frames of 20 ms.
type Stats struct {
	Legs    int
	Unsent  uint64 // not taken by servers in time
	Unheard uint64 // sent by servers beyond what is kept
}

// New returns an Edge without legs. Close ends it.
func New(cfg Config) *Edge {
	cfg.ConnectTimeout = cmp.Or(cfg.ConnectTimeout, 5*time.Second)
	cfg.Legs = cmp.Or(cfg.Legs, 2000)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Dial == nil {
		cfg.Dial = func(ctx context.Context, _, network, hostPort string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, hostPort)
		}
	}
	return &Edge{cfg: cfg, legs: make(map[core.LegID]*leg)}
}

// client connects for an application, once.
func (e *Edge) client(app string) *http.Client {
	return &http.Client{
		// Without a proxy, which would connect where Dial refuses to.
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, hostPort string) (net.Conn, error) {
				return e.cfg.Dial(ctx, app, network, hostPort)
			},
			TLSClientConfig: e.cfg.TLS, MaxResponseHeaderBytes: 64 << 10, DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a token goes nowhere else
	}
}

// Do carries out one command and returns at once. A command for a leg that has
// ended means nothing.
func (e *Edge) Do(cmd core.LegCommand) {
	switch cmd := cmd.(type) {
	case core.Ring:
		e.ring(cmd)
	case core.End:
		e.mu.Lock()
		l := e.legs[cmd.Leg]
		e.mu.Unlock()
		if l != nil {
			l.end(cmd.Cause)
		}
	}
}

// ring makes a leg, which connects at once.
func (e *Edge) ring(cmd core.Ring) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.legs[cmd.Leg] != nil: // ordered twice
	case e.closed, len(e.legs) >= e.cfg.Legs:
		e.post(core.LegGone{Leg: cmd.Leg, Cause: core.CauseNoResource, Code: 503})
	default:
		l := newLeg(e, cmd)
		e.legs[cmd.Leg] = l
		e.post(core.LegRinging{Leg: cmd.Leg})
		e.running.Go(l.run)
	}
}

// gone forgets a leg and posts its last event.
func (e *Edge) gone(l *leg, ev core.LegGone) {
	e.mu.Lock()
	delete(e.legs, l.id)
	e.mu.Unlock()
	e.post(ev)
}

// Close ends all legs and waits for their goroutines. The exchange should have
// ended them before.
func (e *Edge) Close() {
	e.mu.Lock()
	e.closed = true
	for _, l := range e.legs {
		l.end(core.CauseTempFailure)
	}
	e.mu.Unlock()
	e.running.Wait()
}

// Stats returns the counters.
func (e *Edge) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return Stats{Legs: len(e.legs), Unsent: e.unsent.Load(), Unheard: e.unheard.Load()}
}

// post reports ev. After the drain nobody listens any more.
func (e *Edge) post(ev core.Event) {
	if err := e.cfg.Post.Post(ev); err != nil {
		e.cfg.Log.Debug("event not taken", "event", fmt.Sprintf("%T", ev), "error", err)
	}
}
