package ring

import (
	"slices"

	"github.com/offhook/offhook/internal/core"
)

// Endpoint returns the node that stands for all that rings for the same endpoint of an
// application's call as n does: its registrations, its trunks one after the other, or
// the group that one of our own numbers leads to. Of a group that the application
// names each endpoint stands for itself.
func (n *Node) Endpoint() *Node {
	for up := n; up != nil; up = up.parent {
		if up.Branch.Endpoint != 0 {
			return up
		}
	}
	return n
}

// Over reports whether nobody of n can win any more.
func (n *Node) Over() bool { return n.stage == over }

// Outcome returns what became of n when it is over without having won, as
// Hunt.Outcome does, and whether that was because its time was over.
func (n *Node) Outcome() (cause core.Cause, code int, timedOut bool) {
	all := said(n.all())
	cause, code = outcome(all)
	return cause, code, n.expired && len(all) > 0
}

// all returns the entries of n and of what is below it.
func (n *Node) all() []*entry {
	entries := slices.Clip(n.entries)
	for _, kid := range n.kids {
		entries = append(entries, kid.all()...)
	}
	return entries
}

// Cancel ends a node for all of it that may still win, and returns those that ring
// and those that wait for their trunk.
func (h *Hunt) Cancel(n *Node) (ringing, queued []core.LegID) {
	for _, e := range n.all() {
		if e.state == waiting {
			queued = append(queued, e.Leg)
		} else if e.live() {
			ringing = append(ringing, e.Leg)
		}
		if e.live() {
			e.state = stopped
		}
	}
	n.end()
	return ringing, queued
}

// end ends n and all that is below it.
func (n *Node) end() {
	n.stage = over
	for _, kid := range n.kids {
		kid.end()
	}
}
