package sipedge

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// idlers returns how many goroutines of c wait for work.
func (c *crew) idlers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.idle)
}

// TestStrandOrder gives functions to strands from several goroutines, to run at
// once, soon or when a turn is made, also from inside one another: never two at a time,
// none lost, and those of one giver in order.
func TestStrandOrder(t *testing.T) {
	const givers, each = 4, 500
	var c crew
	var strands [8]serial
	var done [len(strands)]map[int][]int
	var all sync.WaitGroup
	for i := range strands {
		strands[i].crew, strands[i].slow, done[i] = &c, i%2 == 0, make(map[int][]int)
	}
	for g := range givers {
		all.Go(func() {
			for n := range each {
				for i := range strands {
					give := [...]func(func()){strands[i].post, strands[i].do, strands[i].later}[(n+g)%3]
					all.Add(1)
					give(func() {
						done[i][g] = append(done[i][g], n) // a race if two run at a time
						strands[i].do(all.Done)            // after this one
					})
				}
				c.begin(n%2 == 0)
			}
		})
	}
	all.Wait()
	c.close()
	for i := range strands {
		for g := range givers {
			if got := done[i][g]; len(got) != each || !slices.IsSorted(got) {
				t.Errorf("strand %d ran %d functions of giver %d, want %d in order", i, len(got), g, each)
			}
		}
	}
}

// TestBegin: what waits for the end of a turn runs on the goroutine that made it, but
// for what may have to wait.
func TestBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c crew
		quick, slow := serial{crew: &c}, serial{crew: &c, slow: true}
		var quickly, slowly atomic.Int32
		give := func() {
			quick.later(func() { quickly.Add(1) })
			slow.later(func() { time.Sleep(time.Second); slowly.Add(1) })
		}
		give()
		if synctest.Wait(); quickly.Load() > 0 {
			t.Error("ran in the middle of a turn")
		}
		begun := time.Now()
		c.begin(true)
		if took := time.Since(begun); quickly.Load() != 1 || slowly.Load() != 0 || took > 0 {
			t.Errorf("%d and %d ran, in %v", quickly.Load(), slowly.Load(), took)
		}
		give()
		c.begin(false)
		c.close()
		if quickly.Load() != 2 || slowly.Load() != 2 {
			t.Errorf("%d and %d ran", quickly.Load(), slowly.Load())
		}
	})
}

// TestTimerFiresWhileTheCrewCloses: a leg's timer may give work just then. Under the
// race detector this failed while the goroutines were counted by a WaitGroup.
func TestTimerFiresWhileTheCrewCloses(t *testing.T) {
	for range 100 {
		var c crew
		busy, timer := serial{crew: &c}, serial{crew: &c}
		hold, closed, ran := make(chan struct{}), make(chan struct{}), make(chan struct{})
		busy.post(func() { <-hold })
		go func() { c.close(); close(closed) }()
		for waits := false; !waits; time.Sleep(100 * time.Microsecond) {
			c.mu.Lock()
			waits = c.closed
			c.mu.Unlock()
		}
		close(hold)
		timer.post(func() { close(ran) })
		<-ran
		<-closed
	}
}

// TestStrandGoesOnAfterAPanic: the read loop catches it, and the leg must not be
// stuck for ever.
func TestStrandGoesOnAfterAPanic(t *testing.T) {
	var c crew
	s := serial{crew: &c}
	func() {
		defer func() {
			if p := recover(); fmt.Sprint(p) != "fault" {
				t.Errorf("recovered %v", p)
			}
		}()
		s.do(func() { s.post(func() {}); panic("fault") })
	}()
	ran := make(chan bool, 2)
	s.post(func() { ran <- true })
	<-ran
	c.close()
	s.do(func() { ran <- true })
	if len(ran) != 1 {
		t.Error("an idle strand does not run a function at once")
	}
}

// TestCrewFollowsTheWork: a strand never waits for another one's goroutine, those
// that work is left for stay, and those that nobody needs leave.
func TestCrewFollowsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c crew
		var strands [10]serial
		busy := func(n int) {
			for i := range strands[:n] {
				strands[i].crew = &c
				strands[i].post(func() { time.Sleep(3 * time.Second) }) // a name server
			}
			time.Sleep(3*time.Second + 1)
			synctest.Wait()
		}
		begun := time.Now()
		busy(len(strands))
		if took := time.Since(begun); took > 4*time.Second || c.idlers() != len(strands) {
			t.Errorf("ten waiting strands took %v, %d goroutines stay", took, c.idlers())
		}
		for i, want := range []int{10, 2, 2, 0} { // thin, and then work for two, twice
			c.thin()
			synctest.Wait()
			if got := c.idlers(); got != want {
				t.Errorf("thinned %d times: %d goroutines stay, want %d", i+1, got, want)
			}
			if i < 2 {
				busy(2)
			}
		}
		c.close()
	})
}
