package obs

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

func TestPressureNeedsTwoHighAndOneLow(t *testing.T) {
	p := NewPressure()
	for i, c := range []struct {
		wait time.Duration
		want bool
	}{
		{0, false},
		{time.Second, false},
		{time.Millisecond, false},
		{time.Second, false},
		{time.Second, true},
		{50 * time.Millisecond, true},
		{time.Millisecond, false},
		{50 * time.Millisecond, false},
	} {
		if p.judge(c.wait); p.Overloaded() != c.want {
			t.Errorf("step %d: overloaded is %v", i, p.Overloaded())
		}
	}
}

func TestMedianSince(t *testing.T) {
	buckets := []float64{0, 0.001, 0.01, 0.1, 1}
	for _, c := range []struct {
		last, counts []uint64
		want         time.Duration
	}{
		{nil, []uint64{0, 0, 0, 0}, 0},
		{nil, []uint64{5, 1, 1, 0}, 0},
		{nil, []uint64{1, 1, 5, 0}, 10 * time.Millisecond},
		{[]uint64{1000, 0, 0, 0}, []uint64{1001, 0, 0, 9}, 100 * time.Millisecond},
	} {
		if got := medianSince(c.last, c.counts, buckets); got != c.want {
			t.Errorf("%v since %v: %v, want %v", c.counts, c.last, got, c.want)
		}
	}
}

// TestPressureSeesWaiting lets many goroutines take turns at the processors.
func TestPressureSeesWaiting(t *testing.T) {
	const turn = 100 * time.Microsecond
	p := NewPressure()
	p.wait()
	stop := time.Now().Add(600 * time.Millisecond)
	var wg sync.WaitGroup
	for range 100 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for time.Now().Before(stop) {
				for begun := time.Now(); time.Since(begun) < turn; {
				}
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
	if wait := p.wait(); wait < 10*turn { // each waits for a hundred others
		t.Errorf("the median wait is %v", wait)
	}
}
