package obs

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// trimEvery is how often Trim looks.
	trimEvery = 10 * time.Second
	// busyBytes is how much a node allocates between two looks if it is not idle,
	// some 50 calls.
	busyBytes = 8 << 20
	// trims is how often memory is given back after a busy time: what SIP has to
	// remember of a call is forgotten over half a minute.
	trims = 6
)

// Trim gives memory back to the system after each busy time, until ctx ends. The
// runtime alone would keep most of it: it collects an idle heap every two minutes
// only, and returns what it thinks it can spare in small steps.
func Trim(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	t := trimmer{allocated: allocated()}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if t.due(allocated()) {
				debug.FreeOSMemory()
			}
		}
	}
}

// trimmer decides when it is time.
type trimmer struct {
	allocated uint64 // in all, when it last looked
	left      int    // trims since the last busy time that are still to come
}

// due is told at each look how much was ever allocated.
func (t *trimmer) due(allocated uint64) bool {
	grown := allocated - t.allocated
	t.allocated = allocated
	switch {
	case grown > busyBytes:
		t.left = trims
		return false
	case t.left == 0:
		return false
	}
	t.left--
	return true
}

// allocated returns how many bytes the program has ever allocated.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
