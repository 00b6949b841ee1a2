package obs

import "testing"

// TestTrimsAfterABusyTime: never while busy, six times afterwards, never when idle.
func TestTrimsAfterABusyTime(t *testing.T) {
	var tr trimmer
	var total uint64
	look := func(grown uint64) bool {
		total += grown
		return tr.due(total)
	}
	for i, grown := range []uint64{1 << 20, busyBytes, 100 << 10} {
		if look(grown) {
			t.Errorf("idle, look %d: trims", i)
		}
	}
	for range 2 {
		for i := range 5 {
			if look(50 << 20) {
				t.Errorf("busy, look %d: trims", i)
			}
		}
		for i := range trims + 3 {
			if got, want := look(1<<20), i < trims; got != want {
				t.Errorf("look %d after a busy time: %v, want %v", i, got, want)
			}
		}
	}
	if allocated() == 0 {
		t.Error("the runtime does not say how much was allocated")
	}
}
