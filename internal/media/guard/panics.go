package guard

import (
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// tellEvery is how often a panic is logged: what panics with every packet must not
// fill the disk.
const tellEvery = time.Second

// Panics counts panics in the work for one leg. Goroutines that serve many legs stop
// them, so that a fault costs one leg a packet and not all calls the exchange:
//
//	defer func() {
//		if v := recover(); v != nil {
//			panics.Note(log, "decoding a speaker", v)
//		}
//	}()
//
// The zero value is ready; all methods are safe for concurrent use.
type Panics struct {
	count atomic.Uint64
	told  atomic.Int64 // when one was logged, in Unix nanoseconds
}

// Note counts a panic in some work and logs it with its stack, unless another one
// was logged a moment ago, by a clock that may have been set back since. Call it in
// the deferred function that recovered v.
func (p *Panics) Note(log *slog.Logger, work string, v any) {
	n, now, told := p.count.Add(1), time.Now().UnixNano(), p.told.Load()
	if (now-told >= int64(tellEvery) || now < told) && p.told.CompareAndSwap(told, now) {
		log.Error("panic", "doing", work, "panic", v, "panics", n, "stack", string(debug.Stack()))
	}
}

// Count returns how many there were.
func (p *Panics) Count() uint64 { return p.count.Load() }
