package exchange

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/offhook/offhook/internal/core"
)

// FuzzEventOrders reads the dice of a world from a byte string, so that the
// fuzzer chooses what happens and in which order.
func FuzzEventOrders(f *testing.F) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 1))
		data := make([]byte, 400)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		at := 0
		w := newWorld(t, "fuzz", func(n int) int {
			if at >= len(data) {
				return 0
			}
			at++
			return int(data[at-1]) % n
		})
		for at < min(len(data), 4000) {
			w.step()
		}
		w.finish()
	})
}

// TestRandomRun plays many short worlds with thousands of interleavings each. A
// failure names the seed that repeats it.
func TestRandomRun(t *testing.T) {
	const worlds, steps = 400, 600
	var wins, announced, paced int
	var met, recorded, asked, rung int // legs in conversations, recordings, questions, virtual legs' devices
	for seed := range uint64(worlds) {
		r := rand.New(rand.NewPCG(seed, 2))
		w := newWorld(t, fmt.Sprintf("seed %d", seed), r.IntN)
		for range steps {
			w.step()
		}
		w.finish()
		for _, l := range w.legs {
			if l.outbound && l.accepted {
				wins++
			}
		}
		met, recorded, asked, rung = met+w.apps.moved, recorded+len(w.apps.seen), asked+len(w.apps.consults), rung+len(w.wires)
		for _, id := range w.old {
			if id.Kind == core.TimerPlay {
				announced++
			}
			if id.Kind == core.TimerPace {
				paced++
			}
		}
	}
	t.Logf("%d calls won, %d announcements, %d waits for the trunk", wins, announced, paced)
	t.Logf("applications: %d legs in conversations, %d recordings, %d questions, %d legs of theirs rung", met, recorded, asked, rung)
	if wins < worlds || announced < worlds || paced < worlds/4 || met < worlds/4 || recorded < worlds/8 || asked < worlds || rung < worlds {
		t.Error("the worlds are too dull to prove anything")
	}
}
