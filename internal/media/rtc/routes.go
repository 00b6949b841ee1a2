package rtc

import (
	"maps"
	"sync"
	"sync/atomic"
)

// routes finds the path of a datagram by where it came from. A lookup takes no
// lock: each shard is an immutable map that is replaced whole, and small, so
// that a change stays cheap with thousands of paths.
type routes struct {
	mu     sync.Mutex // serialises set and drop
	shards [64]atomic.Pointer[map[remote]*Path]
}

func (r *routes) shard(a remote) *atomic.Pointer[map[remote]*Path] {
	raw := a.addr.Addr().As16()
	h := uint32(a.addr.Port())
	for _, b := range raw[8:] {
		h = h*31 + uint32(b)
	}
	return &r.shards[(h^h>>16)%uint32(len(r.shards))]
}

// find returns the path that a leads to, or nil.
func (r *routes) find(a remote) *Path {
	if m := r.shard(a).Load(); m != nil {
		return (*m)[a]
	}
	return nil
}

// set leads a to p.
func (r *routes) set(a remote, p *Path) {
	r.change(a, func(m map[remote]*Path) { m[a] = p })
}

// drop ends the way from a to p; a way to another path stays.
func (r *routes) drop(a remote, p *Path) {
	r.change(a, func(m map[remote]*Path) {
		if m[a] == p {
			delete(m, a)
		}
	})
}

func (r *routes) change(a remote, edit func(map[remote]*Path)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	shard := r.shard(a)
	next := make(map[remote]*Path)
	if old := shard.Load(); old != nil {
		maps.Copy(next, *old)
	}
	edit(next)
	shard.Store(&next)
}

// len returns the number of ways.
func (r *routes) len() int {
	n := 0
	for i := range r.shards {
		if m := r.shards[i].Load(); m != nil {
			n += len(*m)
		}
	}
	return n
}
