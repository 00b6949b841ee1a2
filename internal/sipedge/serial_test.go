package sipedge

import (
	"fmt"
	"slices"
	"sync"
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
// once or later, also from inside one another: never two at a time, none lost, and
// those of one giver in order.
func TestStrandOrder(t *testing.T) {
	const givers, each = 4, 500
	var c crew
	var strands [8]serial
	var done [len(strands)]map[int][]int
	var all sync.WaitGroup
	for i := range strands {
		strands[i].crew, done[i] = &c, make(map[int][]int)
	}
	for g := range givers {
		all.Go(func() {
			for n := range each {
				for i := range strands {
					give := strands[i].post
					if (n+g)%3 == 0 {
						give = strands[i].do
					}
					all.Add(1)
					give(func() {
						done[i][g] = append(done[i][g], n) // a race if two run at a time
						strands[i].do(all.Done)            // after this one
					})
				}
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
