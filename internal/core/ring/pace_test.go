package ring

import (
	"testing"
	"time"
)

// TestPacer sends as fast as it may and wants the times in milliseconds.
func TestPacer(t *testing.T) {
	tests := []struct {
		rate float64
		want []int
	}{
		{0, []int{0, 0, 0, 0, 0, 0}},
		{1, []int{0, 1000, 2000, 3000}},
		{3, []int{0, 0, 0, 1000, 1000, 1000, 2000}},
		{0.5, []int{0, 2000, 4000}},
		{2.5, []int{0, 0, 800, 800, 1600}},
	}
	for _, tt := range tests {
		var p Pacer
		start := time.Unix(1e9, 0)
		now := start
		for i, want := range tt.want {
			if wait := p.Take(now, tt.rate); wait > 0 {
				if p.Take(now.Add(wait-1), tt.rate) == 0 {
					t.Errorf("rate %v: call %d left too early", tt.rate, i)
				}
				now = now.Add(wait)
				if p.Take(now, tt.rate) != 0 {
					t.Errorf("rate %v: call %d waits twice", tt.rate, i)
				}
			}
			if got := now.Sub(start).Milliseconds(); got != int64(want) {
				t.Errorf("rate %v: call %d left after %d ms, want %d", tt.rate, i, got, want)
			}
		}
	}
}

// TestPacerIsBounded keeps no more times than a second needs.
func TestPacerIsBounded(t *testing.T) {
	var p Pacer
	now := time.Unix(1e9, 0)
	for range 10_000 {
		now = now.Add(p.Take(now, 3))
		p.Take(now, 3)
	}
	if len(p.sent) > 6 {
		t.Errorf("keeps %d times", len(p.sent))
	}
}
