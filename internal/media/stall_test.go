package media_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/meter"
)

// stallAt is the packet with which a stall begins, at 8 s.
const stallAt = 400

// heldUp is a network that brings nothing for d, and then all that was sent meanwhile.
func heldUp(through network, d time.Duration) network {
	return func(r *rand.Rand, n int) (late []time.Duration) {
		end := d - time.Duration(n-stallAt)*20*time.Millisecond
		for _, l := range through(r, n) {
			if n >= stallAt {
				l = max(l, end)
			}
			late = append(late, l)
		}
		return late
	}
}

// A machine or a network that stands still makes one gap. Behind it all is heard as
// before: whole, no later, and at the pace of the time.
func TestStall(t *testing.T) {
	said := speech(t)
	for _, c := range []struct {
		name  string
		trial trial
		later time.Duration // that what comes behind it may be
	}{
		{"relayed", trial{from: media.PCMU, to: media.PCMU}, 0},
		{"decoded", trial{from: media.PCMA, to: media.PCMU}, 0},
		{"from Opus", trial{from: media.Opus, to: media.PCMU}, 0},
		{"smoothed", trial{from: media.PCMA, to: media.PCMU, through: jitter(30*time.Millisecond, always)}, 25 * time.Millisecond},
		{"mixed", trial{from: media.PCMA, to: media.PCMU, mixed: true}, 10 * time.Millisecond},
	} {
		if c.trial.through == nil {
			c.trial.through = clean
		}
		for _, d := range []time.Duration{200 * time.Millisecond, 500 * time.Millisecond} {
			for _, who := range []string{"the network", "the machine"} {
				t.Run(fmt.Sprintf("%s, %s for %v", c.name, who, d), func(t *testing.T) {
					held := c.trial
					held.through = heldUp(c.trial.through, d)
					if who == "the machine" {
						held.stall = d
					}
					got := held.run(t, said)
					before := secondOf(said, got.heard, stallAt/50-1)
					for n := stallAt/50 + 2; (n+1)*8000 <= len(said); n++ {
						part := secondOf(said, got.heard, n)
						later := time.Duration(part.Delay-before.Delay) * time.Second / 8000
						if part.Corr < 0.99 || part.Lost > 0.01 || later > c.later {
							t.Errorf("second %d: corr %.4f, %.1f%% lost, %v later than before, want corr >= 0.99, nothing lost, at most %v", n, part.Corr, 100*part.Lost, later, c.later)
						}
					}
				})
			}
		}
	}
}

// secondOf compares the n-th second of what was said with its place in what was heard.
func secondOf(said, heard []int16, n int) meter.Comparison {
	return meter.Compare(said[n*8000:(n+1)*8000], heard[n*8000:min((n+1)*8000+6400, len(heard))], 8000)
}
