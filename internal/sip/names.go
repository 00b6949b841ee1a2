package sip

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// record is an SRV record with the addresses of its target, or the addresses of a
// name without one.
type record struct {
	proto            string
	port             uint16
	priority, weight uint16
	addrs            []netip.Addr
}

// shuffled returns records by priority, and those of one priority at random by
// weight (RFC 2782).
func shuffled(records []record) []record {
	rest := slices.Clone(records)
	slices.SortStableFunc(rest, func(a, b record) int { return int(a.priority) - int(b.priority) })
	for i := range rest {
		same := 0 // of those left with this priority
		total := 0
		for ; i+same < len(rest) && rest[i+same].priority == rest[i].priority; same++ {
			total += int(rest[i+same].weight) + 1 // weight 0 has a small chance
		}
		at := i
		for n := rand.IntN(total); ; at++ {
			if n -= int(rest[at].weight) + 1; n < 0 {
				break
			}
		}
		picked := rest[at]
		copy(rest[i+1:at+1], rest[i:at])
		rest[i] = picked
	}
	return rest
}

// names remembers records for a short while, as the system's resolver does not: the
// requests of a dialog, and the calls to a trunk, go to the same few names. It also
// remembers which servers failed.
type names struct {
	mu    sync.Mutex // guards the fields below
	known map[nameKey]named
	bad   map[server]time.Time // until when a server is the last choice
}

// nameKey is what a look-up depends on.
type nameKey struct {
	proto, host string
	port        uint16
	free        bool
}

func (h hop) key() nameKey { return nameKey{h.proto, h.host, h.port, h.free} }

type named struct {
	records []record
	until   time.Time
}

const (
	namesLife = 30 * time.Second
	maxNames  = 256
	// badLife is how long a server that failed is the last choice.
	badLife = time.Minute
)

// get returns the records of a name looked up lately.
func (n *names) get(h hop) ([]record, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	e, ok := n.known[h.key()]
	return e.records, ok && time.Now().Before(e.until)
}

func (n *names) put(h hop, records []record) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil || len(n.known) >= maxNames {
		n.known = make(map[nameKey]named)
	}
	n.known[h.key()] = named{records, time.Now().Add(namesLife)}
}

// fail notes that a server did not answer, or said that it cannot.
func (n *names) fail(at server) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.bad == nil || len(n.bad) >= maxNames {
		n.bad = make(map[server]time.Time)
	}
	n.bad[at] = time.Now().Add(badLife)
}

// failed returns 1 for a server that failed lately, else 0.
func (n *names) failed(at server, now time.Time) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now.Before(n.bad[at]) {
		return 1
	}
	return 0
}
