package native

import (
	"fmt"
	"testing"
	"time"
)

// TestClients: who is one client, and what each may ask.
func TestClients(t *testing.T) {
	now := time.Unix(1e9, 0)
	c := newClients(Rate{PerSecond: 2, Burst: 3})
	for i, tt := range []struct {
		from  string
		after time.Duration // since the request before
		want  time.Duration
	}{
		{"192.0.2.1:1000", 0, 0},
		{"192.0.2.1:1001", 0, 0},
		{"192.0.2.1:1002", 0, 0},
		{"192.0.2.1:1003", 0, 500 * time.Millisecond},
		{"[::ffff:192.0.2.1]:1004", 0, 500 * time.Millisecond}, // the same, and not punished for the last
		{"192.0.2.2:1000", 0, 0},
		{"192.0.2.1:1000", 499 * time.Millisecond, time.Millisecond},
		{"192.0.2.1:1000", time.Millisecond, 0},
		{"[2001:db8::1]:1000", 0, 0},
		{"[2001:db8::2]:1000", 0, 0},
		{"[2001:db8::3%eth0]:1000", 0, 0},
		{"[2001:db8::ffff:0:0:4]:1000", 0, 500 * time.Millisecond},
		{"[2001:db8:0:1::1]:1000", 0, 0},
		{"nonsense", 0, 0},
	} {
		now = now.Add(tt.after)
		if got := c.wait(tt.from, now); got != tt.want {
			t.Errorf("%d: %s waits %v, want %v", i, tt.from, got, tt.want)
		}
	}
}

// TestClientsAreBounded: strangers in any number take bounded memory, and who was
// known before is not held up by them.
func TestClientsAreBounded(t *testing.T) {
	now := time.Unix(1e9, 0)
	c := newClients(Rate{PerSecond: 1, Burst: 1})
	c.wait("192.0.2.1:1", now)
	refused := 0
	for i := range maxClients + 10 {
		if c.wait(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&0xff, i&0xff), now) > 0 {
			refused++
		}
	}
	if len(c.known) != maxClients || refused != 10 {
		t.Errorf("%d clients known, %d refused", len(c.known), refused)
	}
	now = now.Add(2 * time.Second)
	if c.wait("192.0.2.1:1", now) > 0 || c.wait("11.0.0.1:1", now) > 0 || len(c.known) > 2 {
		t.Errorf("%d clients known when all were idle", len(c.known))
	}
}

// TestNoRate: 0 is no limit.
func TestNoRate(t *testing.T) {
	c := newClients(Rate{})
	for range 1000 {
		if c.wait("192.0.2.1:1", time.Unix(1e9, 0)) > 0 {
			t.Fatal("limited")
		}
	}
}
