package sip

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestForgetsTogether: nothing goes before its 64*T1, nothing stays much longer,
// and those that end close to each other share one wake-up.
func TestForgetsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f forgetter
		begun := time.Now()
		var mu sync.Mutex // guards wakes
		wakes := make(map[time.Duration]int)
		const n, gap = 1000, 10 * time.Millisecond
		for range n {
			given := time.Now()
			f.later(func() {
				if after := time.Since(given); after < giveUp || after > giveUp+forgetSlack {
					t.Errorf("forgotten after %v", after)
				}
				mu.Lock()
				defer mu.Unlock()
				wakes[time.Since(begun)]++
			})
			time.Sleep(gap)
		}
		time.Sleep(giveUp + forgetSlack)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		total := 0
		for _, together := range wakes {
			total += together
		}
		if limit := int(n*gap/forgetSlack) + 1; total != n || len(wakes) > limit {
			t.Errorf("%d forgotten in %d wake-ups, want %d in %d at most", total, len(wakes), n, limit)
		}
		if f.timer != nil || f.queue != nil {
			t.Error("something is left of an empty queue")
		}
		f.later(func() { t.Error("forgotten after close") })
		f.close()
		f.later(func() { t.Error("given after close") })
		time.Sleep(2 * giveUp)
	})
}
