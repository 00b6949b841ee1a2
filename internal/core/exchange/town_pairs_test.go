package exchange

import (
	"fmt"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// pair is what package loopedge makes of a number of ours that an application rings: a
// leg that rings, and one that is offered for it in a call of its own.
type pair struct {
	out, in  core.LegID
	hops     int
	answered bool
	ended    bool
}

// longestPair ends pairs that nobody else ends: two applications may keep each other in
// conversations without a party who hangs up.
const longestPair = 240 * time.Second

// pairUp is loopedge's answer to Ring.
func (t *town) pairUp(cmd core.Ring) *pair {
	if cmd.Hops < 1 || cmd.Hops > maxHops || !cmd.Target.Own {
		t.fail("a pair of a number that is not ours, or after too many of them: %+v", cmd)
	}
	if caller := t.x.legs[cmd.Caller.Leg]; caller != nil && caller.hops != cmd.Hops-1 {
		t.fail("leg %s is behind %d numbers of ours and rings with %d", caller.Leg, caller.hops, cmd.Hops)
	}
	p := &pair{hops: int(cmd.Hops), out: cmd.Leg, in: core.LegID(fmt.Sprintf("in-of-%s", cmd.Leg))}
	t.pairs[p.out], t.pairs[p.in] = p, p
	t.plan(0, core.Offered{Leg: p.in, Edge: core.EdgeLoop, From: cmd.From, To: cmd.Target.Number, Headers: cmd.Headers, Hops: cmd.Hops})
	t.plan(longestPair, core.LegGone{Leg: p.out, Cause: core.CauseNormal})
	t.plan(longestPair, core.LegGone{Leg: p.in, Cause: core.CauseNormal})
	return p
}

// obeyPair carries out a command for a leg of a pair, as loopedge does: at once, and
// each command for one is an event for the other.
func (t *town) obeyPair(p *pair, cmd core.Command) {
	if p.ended {
		return
	}
	switch cmd := cmd.(type) {
	case core.Progress:
		t.plan(0, core.LegRinging{Leg: p.out})
		if cmd.Early {
			t.plan(0, core.LegEarly{Leg: p.out})
		}
	case core.Answer:
		if !p.answered {
			p.answered = true
			t.plan(0, core.LegUp{Leg: p.in})
			t.plan(0, core.LegAccepted{Leg: p.out})
			t.plan(0, core.LegUp{Leg: p.out})
		}
	case core.End:
		p.ended = true
		far := core.LegGone{Leg: p.out, Cause: cmd.Cause, Code: cmd.Code}
		switch {
		case cmd.Leg == p.out:
			far = core.LegGone{Leg: p.in, Cause: core.CauseNormal}
		case p.answered:
			far.Code = 0
		}
		t.plan(0, core.LegGone{Leg: cmd.Leg, Cause: cmd.Cause})
		t.plan(0, far)
	}
}

// endsPair wants the legs of a pair to end in the same moment, for neither has anybody
// else. The exchange may have ended one before it was offered.
func (t *town) endsPair(leg core.LegID) {
	p := t.pairs[leg]
	if p == nil {
		return
	}
	other := p.in
	if leg == p.in {
		other = p.out
	}
	t.widows[other] = t.now
}

// checkPairs says that no leg of a pair outlives the other.
func (t *town) checkPairs() {
	for leg, since := range t.widows {
		if l := t.byID[leg]; l == nil || l.ended || l.wire && t.x.legs[leg] == nil {
			delete(t.widows, leg)
		} else if t.now.After(since) {
			t.fail("leg %s outlives the other of its pair", leg)
		}
	}
}

// checkPairsOver says that both legs of every pair had their history, and counts those
// that were answered, and those behind as many numbers of ours as may be.
func (t *town) checkPairsOver() (answered, last int) {
	for leg, p := range t.pairs {
		l := t.byID[leg]
		if l == nil || !l.ended && !l.wire {
			t.fail("leg %s of a pair has no end", leg)
		}
		if leg != p.in {
			continue
		}
		if p.answered {
			answered++
		}
		if p.hops == maxHops {
			last++
		}
	}
	return answered, last
}

// ofPair reports whether an event is about a leg of a pair: what comes from this
// process is neither lost nor repeated.
func (t *town) ofPair(ev core.Event) bool {
	if offered, ok := ev.(core.Offered); ok {
		return offered.Edge == core.EdgeLoop
	}
	leg, ok := ev.(core.LegEvent)
	return ok && t.pairs[leg.LegID()] != nil
}
