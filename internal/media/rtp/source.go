package rtp

import (
	"net/netip"
	"time"
)

const (
	// relearn is how long a locked source must be silent before another one may
	// take its place.
	relearn = 2 * time.Second
	// probation is how many packets in a row another source than the signalled
	// one must bring before it is believed: a phone behind NAT does, a stray
	// packet does not.
	probation = 10
)

// source decides which packets are the far end's. The signalled address always
// is. Another port or host, as NAT makes them, is learnt only if its host is
// trusted, after probation, while nobody else is heard; then it is locked until
// it falls silent. It is used by who reads the socket.
type source struct {
	signalled netip.AddrPort // from the far end's SDP
	peer      netip.Addr     // where its signalling comes from
	locked    netip.AddrPort // whom we hear, not valid before the first packet
	last      time.Time      // of the last packet from locked
	candidate netip.AddrPort
	seen      int
}

// reset begins anew after offer and answer. Who is heard stays locked as long as
// it is where the far end says it is; if it is elsewhere, as behind NAT, its next
// packet suffices to be learnt again, so that hold and its end cost no audio.
func (s *source) reset(signalled netip.AddrPort, peer netip.Addr) {
	s.signalled, s.peer = signalled, peer
	s.candidate, s.seen = netip.AddrPort{}, 0
	if s.locked.IsValid() && s.locked != signalled {
		s.candidate, s.seen = s.locked, probation-1
		s.locked = netip.AddrPort{}
	}
}

// accept reports whether a packet from is the far end's, and whether that is a
// new address to send to.
func (s *source) accept(from netip.AddrPort, now time.Time) (ok, moved bool) {
	if from == s.locked {
		s.last = now
		return true, false
	}
	if from == s.signalled {
		return true, s.lock(from, now)
	}
	if s.locked.IsValid() && now.Sub(s.last) < relearn {
		return false, false
	}
	if from.Addr() != s.signalled.Addr() && from.Addr() != s.peer {
		return false, false
	}
	if from != s.candidate {
		s.candidate, s.seen = from, 0
	}
	if s.seen++; s.seen < probation {
		return false, false
	}
	return true, s.lock(from, now)
}

func (s *source) lock(from netip.AddrPort, now time.Time) bool {
	s.locked, s.last = from, now
	s.candidate, s.seen = netip.AddrPort{}, 0
	return true
}
