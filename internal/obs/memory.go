package obs

import (
	"context"
	"os"
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

// garbagePercent is how much garbage there may be beside what lives, in percent of it.
// An exchange lives in some 10 MB: with the runtime's 100 a tenth of what a call costs
// is looking through them again and again.
const garbagePercent = 200

// SpareCollector lets garbage be collected half as often as the runtime would by
// itself, unless the operator says how often: GOGC. Trim gives back what that takes.
func SpareCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}

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
