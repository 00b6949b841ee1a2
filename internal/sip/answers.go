package sip

import (
	"hash/maphash"
	"sync"
	"time"
)

// answerCache keeps final answers for retransmitted requests over UDP (timer J,
// RFC 3261 section 17.2.2), bytes only: a REGISTER costs a few hundred bytes for
// 32 s and no timer. All entries live equally long, so they end in the order
// they came; over its limit the oldest leave early, and then a repeat is served
// as a new request, which for these methods does no harm.
type answerCache struct {
	limit int // bytes
	seed  maphash.Seed

	mu     sync.Mutex // guards the fields below
	byKey  map[uint64][]byte
	order  []answerAge // oldest first from head on
	head   int
	bytes  int
	sweeps *time.Timer // runs while there are entries
	closed bool
}

type answerAge struct {
	key uint64
	end time.Time
}

// entryCost is what an entry takes beyond its bytes, about.
const entryCost = 96

func newAnswerCache(limit int) *answerCache {
	return &answerCache{limit: limit, seed: maphash.MakeSeed(), byKey: make(map[uint64][]byte)}
}

func (c *answerCache) get(key string) ([]byte, bool) {
	k := maphash.String(c.seed, key)
	c.mu.Lock()
	defer c.mu.Unlock()
	data, ok := c.byKey[k]
	return data, ok
}

func (c *answerCache) put(key string, data []byte) {
	k := maphash.String(c.seed, key)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	if _, ok := c.byKey[k]; ok {
		return
	}
	c.byKey[k] = data
	c.order = append(c.order, answerAge{k, time.Now().Add(giveUp)})
	c.bytes += len(data) + entryCost
	for c.bytes > c.limit {
		c.dropOldestLocked()
	}
	if c.sweeps == nil {
		c.sweeps = time.AfterFunc(giveUp, c.sweep)
	}
}

// sweep drops what is over and comes back when the next entry will be.
func (c *answerCache) sweep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for c.head < len(c.order) && !c.order[c.head].end.After(now) {
		c.dropOldestLocked()
	}
	if c.closed || c.head == len(c.order) {
		// Maps and slices do not shrink; start afresh after a storm.
		c.byKey, c.order, c.head, c.sweeps = make(map[uint64][]byte), nil, 0, nil
		return
	}
	c.sweeps.Reset(max(c.order[c.head].end.Sub(now), time.Second))
}

func (c *answerCache) dropOldestLocked() {
	old := c.order[c.head]
	c.head++
	c.bytes -= len(c.byKey[old.key]) + entryCost
	delete(c.byKey, old.key)
	if c.head > 1024 && c.head > len(c.order)/2 {
		c.order = append([]answerAge(nil), c.order[c.head:]...)
		c.head = 0
	}
}

func (c *answerCache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.sweeps != nil {
		c.sweeps.Stop()
	}
}

func (c *answerCache) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byKey)
}
