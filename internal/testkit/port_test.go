package testkit

import "testing"

// TestFreePortIsAnotherEachTime asks often enough for the kernel to repeat itself.
func TestFreePortIsAnotherEachTime(t *testing.T) {
	seen := map[uint16]bool{}
	for range 1000 {
		port := FreePort(t, "127.0.0.1")
		if seen[port] {
			t.Fatalf("port %d came twice", port)
		}
		seen[port] = true
	}
}
