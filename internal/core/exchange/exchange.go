package exchange

import (
	"math/rand/v2"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// Config is what an Exchange starts with.
type Config struct {
	// Seed makes the identifiers of new legs and calls; the same seed and the
	// same events give the same commands. A node takes it from crypto/rand.
	Seed [32]byte
	// Directory says who can be reached; nil is nobody, until DirectoryChanged.
	Directory *route.Directory
}

// Exchange is every call, leg, running hunt, trunk queue and registration of
// one node: everything that must change in one step. It is not safe for
// concurrent use; package engine feeds it from one goroutine.
type Exchange struct {
	ids *rand.ChaCha8
	dir *route.Directory
	now time.Time
	out []core.Command
}

// DirectoryChanged reports that resources changed. Running calls go on as planned.
type DirectoryChanged struct {
	core.EventBase
	Directory *route.Directory
}

// New returns an Exchange without calls.
func New(cfg Config) *Exchange {
	return &Exchange{ids: rand.NewChaCha8(cfg.Seed), dir: cfg.Directory}
}

// Apply advances the exchange by one event, which happened at now, and returns
// what to do about it, in order. The slice is valid until the next Apply.
func (x *Exchange) Apply(now time.Time, ev core.Event) []core.Command {
	x.now = now
	if ev, ok := ev.(DirectoryChanged); ok {
		x.dir = ev.Directory
	}
	return x.out
}

// Drained reports whether the exchange was told to drain and no leg is left.
func (x *Exchange) Drained() bool { return false }

// Size returns how many legs, calls and registrations live.
func (x *Exchange) Size() (legs, calls, contacts int) { return 0, 0, 0 }
