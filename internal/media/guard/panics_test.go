package guard

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// explode is what the stack must name.
func explode(list []int) int { return list[7] }

// A fault in every packet is counted each time, and logged once a second with where
// it is.
func TestPanicsAreToldOnceASecond(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		var p Panics
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, nil))
		packet := func() {
			defer func() {
				if v := recover(); v != nil {
					p.Note(log, "a packet", v)
				}
			}()
			explode(nil)
		}
		for range 100 { // two seconds, less 20 ms
			packet()
			time.Sleep(20 * time.Millisecond)
		}
		if p.Count() != 100 {
			t.Errorf("%d counted", p.Count())
		}
		said := out.String()
		if n := strings.Count(said, `doing="a packet"`); n != 2 || !strings.Contains(said, "panics=51") {
			t.Errorf("said %d times:\n%s", n, said)
		}
		if !strings.Contains(said, "guard.explode") || !strings.Contains(said, "index out of range [7]") {
			t.Errorf("neither where nor what:\n%s", said)
		}
	})
}
