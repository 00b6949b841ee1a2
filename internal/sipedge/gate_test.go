package sipedge

import (
	"net/netip"
	"testing"

	"github.com/offhook/offhook/internal/testkit"
)

// TestGate floods from several sources within a second.
func TestGate(t *testing.T) {
	const now = 1_800_000_000
	addr := netip.MustParseAddr
	log, logger := testkit.NewLog(t)
	g := newGate(100, logger, func(a netip.Addr) bool { return a == addr("203.0.113.1") || a == addr("2001:db8:9::5") })
	pass := func(from string, second int64, n int) (passed int) {
		for range n {
			if g.admitAt(addr(from), second) {
				passed++
			}
		}
		return passed
	}
	g.knows(addr("192.0.2.7"))
	later := int64(0) // within what a login counts for
	for _, c := range []struct {
		name, from string
		sent, want int
	}{
		{"a phone", "198.51.100.1", 100, 100},
		{"a flood", "198.51.100.2", 5000, 100},
		{"a trunk", "203.0.113.1", 5000, 2000},
		{"a trunk on IPv6", "2001:db8:9::5", 5000, 2000},
		{"a trunk that is mapped", "::ffff:203.0.113.1", 10, 0},
		{"this machine", "127.0.0.9", 5000, 5000},
		{"mapped IPv4 is the same source", "::ffff:198.51.100.2", 10, 0},
		{"a network of IPv6", "2001:db8::1", 60, 60},
		{"is one source", "2001:db8::ffff:2", 60, 40},
		{"another network", "2001:db8:0:1::1", 60, 60},
	} {
		if got := pass(c.from, now+later, c.sent); got != c.want {
			t.Errorf("%s: %d of %d passed, want %d", c.name, got, c.sent, c.want)
		}
	}
	if got := pass("198.51.100.2", now+1, 50); got != 50 {
		t.Errorf("a second later %d of 50 passed", got)
	}
	if n := len(log.Lines("too many a second")); n != 1 {
		t.Errorf("%d lines in the log, want 1", n)
	}
	if n := testing.AllocsPerRun(1000, func() { g.admit("UDP", netip.MustParseAddrPort("198.51.100.3:5060")) }); n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}

func TestGateKnowsWhoLoggedIn(t *testing.T) {
	_, logger := testkit.NewLog(t)
	g := newGate(10, logger, func(netip.Addr) bool { return false })
	office := netip.MustParseAddrPort("192.0.2.7:5060")
	g.knows(office.Addr())
	for n := range 150 {
		if !g.admit("UDP", office) {
			t.Fatalf("message %d of an office was dropped", n+1)
		}
	}
}

// TestGateUnderForgedAddresses: a flood from a thousand addresses keeps few others
// out.
func TestGateUnderForgedAddresses(t *testing.T) {
	const now = 1_800_000_000
	_, logger := testkit.NewLog(t)
	g := newGate(50, logger, func(netip.Addr) bool { return false })
	for n := range 1000 {
		for range 60 {
			g.admitAt(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), now)
		}
	}
	out := 0
	for n := range 1000 {
		if !g.admitAt(netip.AddrFrom4([4]byte{10, 1, byte(n >> 8), byte(n)}), now) {
			out++
		}
	}
	if out > 50 { // (1000/8192)^2 of them is 15
		t.Errorf("%d of 1000 others are kept out", out)
	}
}
