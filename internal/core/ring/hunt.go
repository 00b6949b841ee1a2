// Package ring is a running hunt: the endpoints that ring for one caller, in
// which order and how long, who of them won, and what the caller is told when
// nobody did. It also paces calls to a trunk. It is pure.
package ring

import (
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// Candidate is one leg that rings, or will.
type Candidate struct {
	Leg    core.LegID
	Edge   core.Edge
	Target core.Target
	// DeclineAll lets a decline here end the other candidates of the same user.
	DeclineAll bool
	// CallerID is the rule about what the callee sees; see route.Branch.
	CallerID string
	// As is the leg of an application that it rings for, "" if there is none.
	As core.LegID
}

// Confirm is what a callee is asked before it gets the call. The zero Confirm
// asks for nothing.
type Confirm struct {
	Key    byte
	Prompt core.Sound // repeated until a key comes
	// Timeout is how long that may take.
	Timeout time.Duration
}

// state is where a candidate stands. It only ever grows.
type state uint8

const (
	waiting    state = iota // its trunk's turn has not come
	rung                    // ordered, not alerting yet
	alerting                // its party hears it
	confirming              // answered; asked to press the key
	won                     // took the call
	stopped                 // ended by us
	gone                    // ended by itself
)

type entry struct {
	Candidate
	node       *Node
	confirm    Confirm
	state      state
	launched   time.Time
	cause      core.Cause // with gone, and with stopped by a time-out or a decline elsewhere
	code       int        // likewise
	superseded bool       // the next trunk was tried instead
}

// live reports whether e may still win.
func (e *entry) live() bool { return e.state <= confirming }

// failsOver reports whether the trunk failed and not the callee.
func (e *entry) failsOver() bool { return e.state == gone && route.FailsOver(e.cause, e.code) }

// Hunt rings the branches of a Dial; the first to accept wins.
type Hunt struct {
	root    *Node
	memory  *Memory
	entries []*entry
}

// Work is what a Hunt wants done.
type Work struct {
	Try  []*Node      // endpoints to ring now: fill each with Add or Skip
	Stop []core.LegID // legs that rang long enough, to be ended
	Slow []core.LegID // legs whose trunk gives no sign of life, to be ended
	Drop []core.LegID // legs that waited for their trunk, not to be rung any more
}

func (w *Work) has(n *Node) bool { return slices.Contains(w.Try, n) }

// Start returns a Hunt whose first endpoints come with the first Advance.
// memory outlives hunts; dice returns a number below its argument.
func Start(now time.Time, d *route.Dial, memory *Memory, dice func(int) int) *Hunt {
	h := &Hunt{root: plant(d, memory, dice), memory: memory}
	h.root.begin(now, nil)
	return h
}

// Advance returns what is to be done at now. It is called at Due, after every
// change, and again until there is nothing more to try.
func (h *Hunt) Advance(now time.Time) (w Work) {
	h.root.advance(now, &w)
	return w
}

// Due returns when Advance has something to do, zero if only events can tell.
func (h *Hunt) Due() time.Time {
	if h.Over() {
		return time.Time{}
	}
	return h.root.due()
}

// Over reports whether no candidate can win any more: one has, or all are gone.
func (h *Hunt) Over() bool { return h.root.stage == over }

// TimedOut reports whether the time of the whole was over.
func (h *Hunt) TimedOut() bool { return h.root.expired }

// Add adds a candidate at n that waits for Launch, and reports whether it is
// new: a contact, number or URI is rung once in a hunt, whatever became of it.
func (h *Hunt) Add(n *Node, c Candidate) bool {
	for _, e := range h.entries {
		if e.Target == c.Target || (e.Target.Contact != "" && e.Target.Contact == c.Target.Contact) {
			return false
		}
	}
	e := &entry{Candidate: c, node: n, confirm: n.confirm()}
	h.entries = append(h.entries, e)
	n.entries = append(n.entries, e)
	n.stage = begun // a late registration may reopen a user's endpoint
	return true
}

// Skip passes an endpoint, or its present trunk, over with the answer that a
// callee would have given: the user is busy, the trunk is full.
func (h *Hunt) Skip(n *Node, cause core.Cause, code int) {
	e := &entry{Candidate: Candidate{Target: n.Target()}, node: n, state: gone, cause: cause, code: code}
	h.entries = append(h.entries, e)
	n.entries = append(n.entries, e)
}

// Late returns the endpoints at which a new registration of user rings.
func (h *Hunt) Late(user core.UserID) (nodes []*Node) {
	var walk func(*Node)
	walk = func(n *Node) {
		if n.group == nil && n.Branch.Target.User == user && n.open() {
			nodes = append(nodes, n)
		}
		for _, kid := range n.kids {
			walk(kid)
		}
	}
	walk(h.root)
	return nodes
}

// Launch notes that a waiting candidate's leg is rung now.
func (h *Hunt) Launch(leg core.LegID, now time.Time) {
	if e := h.find(leg); e != nil && e.state == waiting {
		e.state, e.launched = rung, now
		e.node.clock(now)
		e.node.clockStep(now)
	}
}

// Alert notes that a candidate alerts its party and reports whether it is the
// first of the hunt to do so.
func (h *Hunt) Alert(leg core.LegID) (first bool) {
	e := h.find(leg)
	if e == nil || e.state != rung {
		return false
	}
	first = !slices.ContainsFunc(h.entries, func(o *entry) bool { return o.state == alerting })
	e.state = alerting
	return first
}

// Answered notes that a candidate's party took the call. It reports whether
// the party must confirm it; then Accept comes with the key.
func (h *Hunt) Answered(leg core.LegID) (confirm bool) {
	e := h.find(leg)
	if e == nil || e.state == waiting || !e.live() || e.confirm.Key == 0 {
		return false
	}
	e.state = confirming
	return true
}

// Confirms returns what leg is asked to confirm, zero if it is not.
func (h *Hunt) Confirms(leg core.LegID) Confirm {
	if e := h.find(leg); e != nil && e.state == confirming {
		return e.confirm
	}
	return Confirm{}
}

// Accept gives the call to leg, if it may still win: it answered, and pressed
// the key where one is asked for. The other candidates stop;
// those of them that ring are returned, to be ended.
func (h *Hunt) Accept(leg core.LegID, now time.Time) (losers []core.LegID, ok bool) {
	e := h.find(leg)
	if e == nil || e.state == waiting || !e.live() {
		return nil, false
	}
	e.state = won
	h.memory.Talked(takers(e.node), now)
	return h.Stop(), true
}

// Takers returns whose turn leg took, for Memory.Talked when the conversation ends.
func (h *Hunt) Takers(leg core.LegID) Takers {
	e := h.find(leg)
	if e == nil {
		return nil
	}
	return takers(e.node)
}

// Gone notes that a candidate ended. It returns the user's other legs to be
// ended when this was a decline for all of them.
func (h *Hunt) Gone(leg core.LegID, cause core.Cause, code int) (declined []core.LegID) {
	e := h.find(leg)
	if e == nil || !e.live() {
		return nil
	}
	e.state, e.cause, e.code = gone, cause, code
	if !e.DeclineAll || cause != core.CauseRejected || e.Target.User.IsZero() {
		return nil
	}
	h.root.forget(e.Target.User)
	return h.stop(func(o *entry) bool {
		if o.Target.User != e.Target.User {
			return false
		}
		o.cause = cause
		return true
	})
}

// Stop ends the hunt for all that may still win and returns those that ring.
func (h *Hunt) Stop() (ringing []core.LegID) {
	h.root.stage = over
	return h.stop(func(*entry) bool { return true })
}

func (h *Hunt) stop(which func(*entry) bool) (ringing []core.LegID) {
	for _, e := range h.entries {
		if !e.live() || !which(e) {
			continue
		}
		if e.state != waiting {
			ringing = append(ringing, e.Leg)
		}
		e.state = stopped
	}
	return ringing
}

// Waiting reports whether leg waits for its launch.
func (h *Hunt) Waiting(leg core.LegID) bool {
	e := h.find(leg)
	return e != nil && e.state == waiting
}

// Ringing reports whether leg may still win.
func (h *Hunt) Ringing(leg core.LegID) bool {
	e := h.find(leg)
	return e != nil && e.live()
}

// Single reports whether there is exactly one candidate, attempts over other
// trunks apart.
func (h *Hunt) Single() bool {
	n := 0
	for _, e := range h.entries {
		if !e.superseded {
			n++
		}
	}
	return n == 1
}

// Peers counts the kinds of candidates that may still win or have won.
func (h *Hunt) Peers() core.Peers {
	var p core.Peers
	for _, e := range h.entries {
		switch {
		case e.state == stopped || e.state == gone:
		case e.Target.Trunk != "":
			p.Trunks++
		case e.Edge == core.EdgeBrowser:
			p.Browsers++
		default:
			p.Phones++
		}
	}
	return p
}

func (h *Hunt) find(leg core.LegID) *entry {
	if leg == "" {
		return nil
	}
	for _, e := range h.entries {
		if e.Leg == leg {
			return e
		}
	}
	return nil
}
