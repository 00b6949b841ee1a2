package sipedge

import (
	"hash/maphash"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/source"
)

const (
	// gateCells is how many sources the gate tells apart, roughly.
	gateCells = 1 << 13
	// knownFactor is how many times more messages a source may bring that logged in,
	// or that is a trunk: a whole office may stand behind one address.
	knownFactor = 20
	// knownFor is how long a login counts for its source.
	knownFor = 15 * time.Minute
	// tellEvery is for how many seconds a line in the log stands.
	tellEvery = 10
)

// gate bounds how many messages a second one source may bring, before they are
// parsed. It takes a fixed amount of memory, whoever forges how many addresses:
// sources share counters by hash, and one is over its limit if both of its counters
// are. It takes no lock, but for who is over the limit of a stranger and may be a
// trunk. This machine itself has no limit.
type gate struct {
	perSecond uint32 // of a stranger; 0 is no limit
	log       *slog.Logger
	trunk     func(netip.Addr) bool // whether a trunk is at that very address

	seeds   [2]maphash.Seed
	began   time.Time                   // seconds count from here, so that nobody is forgotten when the clock is set
	counts  [2][gateCells]atomic.Uint64 // a second above a count
	known   [gateCells]atomic.Int64     // second until which a source counts as known
	refused atomic.Uint64
	told    atomic.Int64 // second of the last line in the log
}

func newGate(perSecond int, log *slog.Logger, trunk func(netip.Addr) bool) *gate {
	return &gate{perSecond: uint32(max(perSecond, 0)), log: log, trunk: trunk, began: time.Now(), seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// admit reports whether one more message from remote may be read. It is the Admit
// of sip.Config.
func (g *gate) admit(_ string, remote netip.AddrPort) bool {
	return g.admitAt(remote.Addr(), g.second())
}

func (g *gate) admitAt(from netip.Addr, now int64) bool {
	if g.perSecond == 0 || from.IsLoopback() {
		return true
	}
	addr := from.Unmap()
	from = source.Of(from)
	count := uint32(1<<32 - 1)
	for i := range g.counts {
		cell := &g.counts[i][maphash.Comparable(g.seeds[i], from)%gateCells]
		count = min(count, increase(cell, uint32(now)))
	}
	if count <= g.perSecond || count <= knownFactor*g.perSecond && (g.isKnown(from, now) || g.trunk(addr)) {
		return true
	}
	g.refused.Add(1)
	if last := g.told.Load(); now-last >= tellEvery && g.told.CompareAndSwap(last, now) {
		g.log.Warn("SIP messages dropped unread: too many a second", "source", from, "limit", g.perSecond, "dropped_in_all", g.refused.Load())
	}
	return false
}

// increase counts one more in this second and returns how many there are.
func increase(cell *atomic.Uint64, second uint32) uint32 {
	for {
		old := cell.Load()
		next := old + 1
		if uint32(old>>32) != second {
			next = uint64(second)<<32 | 1
		}
		if cell.CompareAndSwap(old, next) {
			return uint32(next)
		}
	}
}

// second is the present second, above what the counters begin with.
func (g *gate) second() int64 { return int64(time.Since(g.began)/time.Second) + tellEvery }

// knows notes that somebody logged in from an address.
func (g *gate) knows(from netip.Addr) {
	g.knownCell(source.Of(from)).Store(g.second() + int64(knownFor/time.Second))
}

func (g *gate) isKnown(from netip.Addr, now int64) bool { return g.knownCell(from).Load() > now }

func (g *gate) knownCell(from netip.Addr) *atomic.Int64 {
	return &g.known[maphash.Comparable(g.seeds[0], from)%gateCells]
}
