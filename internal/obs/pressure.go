package obs

import (
	"context"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

const (
	// pressureEvery is how often the wait is looked at.
	pressureEvery = 250 * time.Millisecond
	// pressureHigh is the median wait of goroutines for a processor above which the
	// program is overloaded: answers take so long then that the far ends repeat
	// their requests (T1 of RFC 3261 is 500 ms, and a call has several steps).
	pressureHigh = 100 * time.Millisecond
	// pressureLow is below what it is not any more.
	pressureLow = 20 * time.Millisecond
)

// Pressure says whether the program has more to do than it can. Under overload
// everything waits for a processor; how long is what the runtime measures.
type Pressure struct {
	sample [1]metrics.Sample
	last   []uint64
	high   int // times in a row
	over   atomic.Bool
}

// NewPressure returns a Pressure that measures while Run runs.
func NewPressure() *Pressure {
	p := new(Pressure)
	p.sample[0].Name = "/sched/latencies:seconds"
	return p
}

// Overloaded reports whether new work should be refused.
func (p *Pressure) Overloaded() bool { return p.over.Load() }

// Run measures until ctx ends.
func (p *Pressure) Run(ctx context.Context) {
	tick := time.NewTicker(pressureEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.judge(p.wait())
		}
	}
}

// wait returns the median wait since the last call.
func (p *Pressure) wait() time.Duration {
	metrics.Read(p.sample[:])
	if p.sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return 0 // a runtime that does not measure it
	}
	h := p.sample[0].Value.Float64Histogram()
	median := medianSince(p.last, h.Counts, h.Buckets)
	p.last = append(p.last[:0], h.Counts...)
	return median
}

// medianSince returns the lower bound of the bucket that has the median of what
// was counted since last.
func medianSince(last, counts []uint64, buckets []float64) time.Duration {
	since := func(i int) uint64 {
		if i < len(last) {
			return counts[i] - last[i]
		}
		return counts[i]
	}
	var all, sum uint64
	for i := range counts {
		all += since(i)
	}
	for i := range counts {
		if sum += since(i); sum*2 > all {
			return time.Duration(max(0, buckets[i]) * float64(time.Second))
		}
	}
	return 0
}

// judge takes one measurement. Two high ones in a row are overload, which a low
// one ends.
func (p *Pressure) judge(wait time.Duration) {
	switch {
	case wait < pressureLow:
		p.high = 0
		p.over.Store(false)
	case wait >= pressureHigh:
		if p.high++; p.high >= 2 {
			p.over.Store(true)
		}
	}
}
