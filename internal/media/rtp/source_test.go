package rtp

import (
	"net/netip"
	"testing"
	"time"
)

// A step is some packets from one address, at a time since the beginning.
type step struct {
	from  string
	at    time.Duration
	count int
	want  int // packets accepted
}

func TestSource(t *testing.T) {
	const signalled, nat, host, stranger = "192.0.2.1:4000", "203.0.113.9:61000", "192.0.2.1:5000", "198.51.100.66:4000"
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"the signalled address at once", []step{{signalled, 0, 3, 3}}},
		{"another port of its host after probation", []step{{host, 0, 12, 3}}},
		{"the host of its signalling after probation", []step{{nat, 0, 12, 3}}},
		{"a stranger never", []step{{stranger, 0, 100, 0}, {stranger, time.Minute, 100, 0}}},
		{"nobody else while one is heard", []step{{signalled, 0, 1, 1}, {nat, time.Second, 100, 0}, {signalled, 2 * time.Second, 1, 1}}},
		{"another one after 2 s of silence", []step{{signalled, 0, 1, 1}, {nat, 1999 * time.Millisecond, 20, 0}, {nat, 2 * time.Second, 12, 3}}},
		{"a stranger not even then", []step{{signalled, 0, 1, 1}, {stranger, time.Hour, 20, 0}}},
		{"the signalled address takes over", []step{{nat, 0, 10, 1}, {signalled, time.Second, 1, 1}, {nat, time.Second, 1, 0}}},
		{"probation is broken by another", []step{{nat, 0, 9, 0}, {host, 0, 1, 0}, {nat, 0, 9, 0}, {nat, 0, 1, 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s source
			begin := time.Unix(0, 0)
			s.reset(netip.MustParseAddrPort(signalled), netip.MustParseAddr("203.0.113.9"))
			for i, st := range c.steps {
				got := 0
				for range st.count {
					if ok, _ := s.accept(netip.MustParseAddrPort(st.from), begin.Add(st.at)); ok {
						got++
					}
				}
				if got != st.want {
					t.Errorf("step %d: %d of %d packets accepted, want %d", i, got, st.count, st.want)
				}
			}
		})
	}
}

func TestSourceAfterReinvite(t *testing.T) {
	var s source
	signalled, nat := netip.MustParseAddrPort("10.0.0.5:4000"), netip.MustParseAddrPort("203.0.113.9:61000")
	now := time.Unix(0, 0)
	s.reset(signalled, nat.Addr())
	for range probation {
		s.accept(nat, now)
	}
	s.reset(signalled, nat.Addr())
	if ok, moved := s.accept(nat, now); !ok || !moved {
		t.Error("the learnt source must prove itself again")
	}
	elsewhere := netip.MustParseAddrPort("198.51.100.7:4000")
	s.reset(elsewhere, elsewhere.Addr())
	if ok, _ := s.accept(nat, now); ok {
		t.Error("the former source is heard after the far end has moved")
	}
}
