package rtp

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
)

// longestRest is how long a far end may send nothing after comfort noise: many send
// it once for a whole pause.
const longestRest = 30 * time.Second

// Diagnose implements media.Path.
func (p *Path) Diagnose(since media.Stats) media.Diagnosis {
	now := p.Stats()
	say := func(s core.Silence, format string, args ...any) media.Diagnosis {
		return media.Diagnosis{Silence: s, Text: fmt.Sprintf(format, args...)}
	}
	switch f := p.Format(); {
	case p.mum.Load(), time.Since(time.Unix(0, p.resting.Load())) < longestRest:
		return media.Diagnosis{}
	case now.Unauthentic > since.Unauthentic:
		return say(core.SilenceKeys, "SRTP comes, but its authentication fails (%d packets): the far end uses other keys than it announced", now.Unauthentic-since.Unauthentic)
	case now.WrongType > since.WrongType:
		return say(core.SilenceWrongType, "RTP of payload type %d comes, agreed was %d (%v)", p.foreign.Load(), f.RecvType, f.Codec)
	case now.Blocked > since.Blocked:
		return say(core.SilenceBlocked, "RTP comes from %v, but the far end announced %v and signals from %v: blocked (%d packets)",
			address(p.stranger.Load()), address(p.remote.Load()), *p.peer.Load(), now.Blocked-since.Blocked)
	case now.Malformed > since.Malformed:
		return say(core.SilenceMalformed, "what comes to port %d is no RTP (%d packets)", p.port, now.Malformed-since.Malformed)
	case now.PacketsReceived > 0:
		return say(core.SilenceStopped, "RTP came (%d packets) and comes no more to port %d", now.PacketsReceived, p.port)
	}
	return say(core.SilenceNoRTP, "no RTP comes to port %d%s", p.port, p.hint())
}

// hint names the usual suspect: an address that the far end announced and that
// nobody can send to from outside its own network.
func (p *Path) hint() string {
	to, peer := p.remote.Load(), *p.peer.Load()
	if to == nil || !to.Addr().IsPrivate() || peer == to.Addr() || peer.IsPrivate() {
		return "; does a firewall drop UDP to media.rtp_ports?"
	}
	return fmt.Sprintf("; the far end announced the private address %v and signals from %v: it sends nothing through its NAT, or to a wrong address of ours (network.public)", *to, peer)
}

// address is a for people, who may not be told yet.
func address(a *netip.AddrPort) string {
	if a == nil {
		return "none"
	}
	return a.String()
}
