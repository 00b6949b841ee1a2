package pcm

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestEveryFrameInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begun := time.Now()
		var due, late []int // ms
		Every(ctx, func(at time.Time) {
			due = append(due, int(at.Sub(begun).Milliseconds()))
			late = append(late, int(time.Since(at).Milliseconds()))
			switch len(due) {
			case 3: // a stall that is caught up
				time.Sleep(70 * time.Millisecond)
			case 7: // and one that is too long
				time.Sleep(300 * time.Millisecond)
			case 9:
				cancel()
			}
		})
		if want := []int{0, 20, 40, 60, 80, 100, 120, 420, 440}; !slices.Equal(due, want) {
			t.Errorf("frames were due at %v ms, want %v", due, want)
		}
		if want := []int{0, 0, 0, 50, 30, 10, 0, 0, 0}; !slices.Equal(late, want) {
			t.Errorf("frames were %v ms late, want %v", late, want)
		}
	})
}
