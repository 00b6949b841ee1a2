package ring

import (
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// slowTrunk is how long a trunk may leave a call without alerting before the
// next one is tried, if there is one. Mobile networks page for up to 6 s.
const slowTrunk = 8 * time.Second

// Node is one branch of a running hunt: an endpoint, or a group. The
// exchange gets those of endpoints from Advance and fills them with Add or Skip.
type Node struct {
	Branch route.Branch

	parent  *Node
	group   *route.Dial // nil for an endpoint
	kids    []*Node     // of a group, in the order they ring
	entries []*entry    // of an endpoint: its registrations, or its attempts
	stage   stage
	startAt time.Time // while idle: when it begins; zero while it waits for another
	stopAt  time.Time // while begun: when its time is over; zero before its first leg is rung
	attempt int       // which of Branch.Trunks rings
	expired bool      // its time is over; only legs in confirmation are left
	steps             // of an endpoint: which of its user's contacts ring
}

// stage is where a node stands. It only ever grows.
type stage uint8

const (
	idle  stage = iota // not begun
	begun              // rings, or will as soon as it is filled
	over               // nobody of it can win any more
)

// plant makes the tree of a Dial, its groups in the order that memory and dice give.
func plant(d *route.Dial, memory *Memory, dice func(int) int) *Node {
	n := &Node{group: d}
	for _, i := range memory.order(d, dice) {
		kid := &Node{}
		if inner := d.Branches[i].Group; inner != nil {
			kid = plant(inner, memory, dice)
		}
		kid.Branch, kid.parent = d.Branches[i], n
		n.kids = append(n.kids, kid)
	}
	return n
}

// Target returns what to ring: with several trunks, over the one whose turn it is.
func (n *Node) Target() core.Target {
	t := n.Branch.Target
	if len(n.Branch.Trunks) > 0 {
		t.Trunk = n.Branch.Trunks[n.attempt]
	}
	return t
}

// SkipsBusy reports whether a group around n leaves out users who are in a call.
func (n *Node) SkipsBusy() bool {
	for up := n.parent; up != nil; up = up.parent {
		if up.group.SkipBusy {
			return true
		}
	}
	return false
}

// confirm returns the key that takes the call, and what goes with it, of the
// innermost group that asks for one.
func (n *Node) confirm() Confirm {
	for up := n.parent; up != nil; up = up.parent {
		if up.group.Confirm != 0 {
			return Confirm{Key: up.group.Confirm, Prompt: up.group.Prompt, Timeout: up.group.ConfirmTimeout}
		}
	}
	return Confirm{}
}

// inTurn reports whether the kids of a group ring one after the other.
func (n *Node) inTurn() bool {
	return n.group.Strategy != route.Simultaneous && n.group.Strategy != ""
}

// begin starts a node and appends the endpoints that shall ring now to try.
func (n *Node) begin(now time.Time, try []*Node) []*Node {
	n.stage, n.startAt = begun, time.Time{}
	if n.Branch.Waits {
		n.clock(now)
	}
	if n.group == nil {
		return append(try, n)
	}
	for _, kid := range n.kids {
		kid.startAt = now.Add(kid.Branch.Delay)
		if n.inTurn() {
			break // the next one's turn comes when this one is over
		}
	}
	return try
}

// advance begins and ends what is due at now, below n too.
func (n *Node) advance(now time.Time, w *Work) {
	if n.stage == idle && !n.startAt.IsZero() && !n.startAt.After(now) {
		w.Try = n.begin(now, w.Try)
	}
	if n.stage != begun {
		return
	}
	if !n.stopAt.IsZero() && !n.stopAt.After(now) {
		n.expire(w)
	}
	if n.group == nil {
		n.advanceEndpoint(now, w)
		return
	}
	for _, kid := range n.kids {
		kid.advance(now, w)
	}
	n.turn(now, w)
}

// turn lets the next kid of a group begin when its predecessor is over, and ends
// the group after the last.
func (n *Node) turn(now time.Time, w *Work) {
	var next *Node
	for _, kid := range n.kids {
		if kid.stage == begun {
			return
		}
		if kid.stage == idle && (next == nil || kid.sooner(next)) {
			next = kid
		}
	}
	switch {
	case next == nil || n.expired:
		n.stage = over
	case next.startAt.IsZero():
		next.startAt = now.Add(next.Branch.Delay)
		next.advance(now, w)
	case !n.inTurn():
		// Nobody else rings any more, so there is nothing to wait for.
		next.startAt = now
		next.advance(now, w)
	}
}

// sooner orders kids that wait for their delay; those without a time come last.
func (n *Node) sooner(other *Node) bool {
	return !n.startAt.IsZero() && n.startAt.Before(other.startAt)
}

// advanceEndpoint ends an endpoint that nobody can win any more, and tries the
// next trunk for a call that the present one leaves without a sign of life.
func (n *Node) advanceEndpoint(now time.Time, w *Work) {
	if n.hasAnother() && len(n.entries) > n.attempt {
		if e := n.entries[n.attempt]; e.state == rung && !e.launched.Add(slowTrunk).After(now) {
			e.state, e.cause, e.code = stopped, core.CauseNoResponse, 408
			w.Slow = append(w.Slow, e.Leg)
			n.failOver(w)
			return
		}
	}
	if w.has(n) {
		return // it has just begun
	}
	if n.stepDue(now) {
		n.stopRinging(w)
		n.stepAt = n.stopAt // who is asked to confirm may take all the time there is
	}
	n.clockStep(now)
	if n.rings() {
		return
	}
	if n.nextStep(w) {
		return
	}
	if n.Branch.Waits && len(n.entries) == 0 && !n.expired {
		return // its user may still come
	}
	if n.hasAnother() && len(n.entries) > n.attempt && n.entries[n.attempt].failsOver() {
		n.failOver(w)
		return
	}
	n.stage = over
}

// hasAnother reports whether there is another trunk to try.
func (n *Node) hasAnother() bool { return !n.expired && n.attempt+1 < len(n.Branch.Trunks) }

func (n *Node) failOver(w *Work) {
	n.entries[n.attempt].superseded = true
	n.attempt++
	n.stopAt = time.Time{} // the next one gets its full time
	w.Try = append(w.Try, n)
}

// expire ends everything below n that rings. Who listens to the request for
// confirmation may still press the key.
func (n *Node) expire(w *Work) {
	n.expired, n.stopAt = true, time.Time{}
	n.steps = steps{}
	for _, kid := range n.kids {
		switch kid.stage {
		case idle:
			kid.stage = over
		case begun:
			kid.expire(w)
		case over:
		}
	}
	n.stopRinging(w)
}

// stopRinging ends the legs of n that ring or wait for it. Who listens to the request
// for confirmation goes on.
func (n *Node) stopRinging(w *Work) {
	for _, e := range n.entries {
		if !e.live() || e.state == confirming {
			continue
		}
		switch e.state {
		case waiting:
			w.Drop = append(w.Drop, e.Leg)
			e.cause, e.code = core.CauseNoAnswer, 480
		case rung:
			// Not even a phone rang: a trunk is dead or a registration stale.
			w.Stop = append(w.Stop, e.Leg)
			e.cause, e.code = core.CauseNoResponse, 408
		default:
			w.Stop = append(w.Stop, e.Leg)
			e.cause, e.code = core.CauseNoAnswer, 480
		}
		e.state = stopped
	}
}

// clock starts the time of n and of the groups around it, at the first leg that
// is really rung: a call that waited for its trunk still gets its full time.
func (n *Node) clock(now time.Time) {
	for ; n != nil; n = n.parent {
		if n.stopAt.IsZero() && !n.expired {
			n.stopAt = now.Add(n.limit())
		}
	}
}

// limit is how long n may ring.
func (n *Node) limit() time.Duration {
	switch {
	case n.parent == nil:
		return n.group.Timeout
	case n.group != nil:
		return min(n.Branch.Timeout, n.group.Timeout)
	}
	return n.Branch.Timeout
}

// due returns the earliest time at which something below n is to happen.
func (n *Node) due() (at time.Time) {
	earliest := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	switch n.stage {
	case idle:
		return n.startAt
	case over:
		return at
	case begun:
	}
	earliest(n.stopAt)
	earliest(n.stepAt)
	for _, kid := range n.kids {
		earliest(kid.due())
	}
	if n.hasAnother() && len(n.entries) > n.attempt && n.entries[n.attempt].state == rung {
		earliest(n.entries[n.attempt].launched.Add(slowTrunk))
	}
	return at
}

// busy reports whether n was passed over because its user was.
func (n *Node) busy() bool { return len(n.entries) > 0 && n.entries[0].Leg == "" }

// open reports whether a registration that comes now still rings at n: n rings,
// or all of its group do.
func (n *Node) open() bool {
	if n.stage == idle || n.expired || n.busy() {
		return false
	}
	for up := n.parent; up != nil; up = up.parent {
		if up.stage != begun || up.expired {
			return false
		}
	}
	return n.stage == begun || !n.parent.inTurn()
}
