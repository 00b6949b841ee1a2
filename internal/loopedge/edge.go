package loopedge

import (
	"fmt"
	"log/slog"
	"sync"

	"github.com/google/uuid"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
)

// maxPairs bounds the pairs of a node: what an application rings with itself costs it
// nothing but its rate.
const maxPairs = 1000

// Poster takes events for the exchange; Post never blocks.
type Poster interface{ Post(ev core.Event) error }

// Media joins paths to legs. All calls return at once.
type Media interface {
	Attach(leg core.LegID, p media.Path)
	Detach(leg core.LegID)
	// Press takes a key of the party of leg to all who hear it.
	Press(leg core.LegID, key byte)
}

// Config is what New needs. Post and Media are required.
type Config struct {
	Post  Poster
	Media Media
	Log   *slog.Logger // nil discards
}

// Edge carries out the exchange's commands for pairs of legs.
type Edge struct {
	cfg     Config
	running sync.WaitGroup

	mu     sync.Mutex // guards what follows, and the state of the pairs
	closed bool
	pairs  map[core.LegID]*pair // by either leg
}

// New returns an Edge without legs. Close ends it.
func New(cfg Config) *Edge {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Edge{cfg: cfg, pairs: make(map[core.LegID]*pair)}
}

// Do carries out one command and returns at once. A command for a leg that has ended
// means nothing.
func (e *Edge) Do(cmd core.LegCommand) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if cmd, ok := cmd.(core.Ring); ok {
		e.ringLocked(cmd)
		return
	}
	p := e.pairs[cmd.LegID()]
	if p == nil {
		return
	}
	switch cmd := cmd.(type) {
	case core.Progress:
		p.alertLocked(cmd.Early)
	case core.Answer:
		p.answerLocked()
	case core.End:
		p.endLocked(cmd)
	}
}

// ringLocked makes a pair, and offers the other leg of it.
func (e *Edge) ringLocked(cmd core.Ring) {
	switch {
	case e.pairs[cmd.Leg] != nil: // ordered twice
		return
	case e.closed, len(e.pairs) >= 2*maxPairs:
		e.post(core.LegGone{Leg: cmd.Leg, Cause: core.CauseNoResource, Code: 503})
		return
	}
	p := newPair(e, cmd.Leg, core.LegID(uuid.NewString()))
	e.pairs[p.out], e.pairs[p.in] = p, p
	e.post(core.Offered{Leg: p.in, Edge: core.EdgeLoop, From: cmd.From, To: cmd.Target.Number, Headers: cmd.Headers, Hops: cmd.Hops})
}

// Close ends all pairs and waits for their goroutines. The exchange should have ended
// them before.
func (e *Edge) Close() {
	e.mu.Lock()
	e.closed = true
	for _, p := range e.pairs {
		p.stop()
	}
	e.mu.Unlock()
	e.running.Wait()
}

// post reports ev. After the drain nobody listens any more.
func (e *Edge) post(ev core.Event) {
	if err := e.cfg.Post.Post(ev); err != nil {
		e.cfg.Log.Debug("event not taken", "event", fmt.Sprintf("%T", ev), "error", err)
	}
}
