package ring

import (
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// maxStep is how long the contacts of one rank ring before those of the next do,
// within the time of their user.
const maxStep = 15 * time.Second

// steps are the ranks of a user's contacts, which ring one after the other: those a
// phone registered with a lower q when all with a higher one have failed (RFC 3261
// section 16.6). Without q all contacts are of one rank and ring at once.
type steps struct {
	began  bool
	rank   int       // of the contacts that ring
	more   int       // how many ranks wait
	stepAt time.Time // when the next one begins at the latest; zero before this one rings
}

// Turn returns those of a user's contacts that ring at n now: the best when n begins,
// the next best when n is tried again, and who registered meanwhile no later than
// its rank says.
func (n *Node) Turn(contacts []core.Contact) []core.Contact {
	if !n.rings() {
		n.rank, n.began = n.nextRank(contacts), true
	}
	var later []int
	for _, c := range contacts {
		if c.Rank > n.rank && !slices.Contains(later, c.Rank) {
			later = append(later, c.Rank)
		}
	}
	if n.more = len(later); n.more == 0 {
		n.stepAt = time.Time{} // who waited has left
	}
	return slices.DeleteFunc(slices.Clone(contacts), func(c core.Contact) bool { return c.Rank > n.rank })
}

// nextRank is the best rank that had no turn yet, or that of now if there is none.
func (n *Node) nextRank(contacts []core.Contact) int {
	next, found := n.rank, false
	for _, c := range contacts {
		if (!n.began || c.Rank > n.rank) && (!found || c.Rank < next) {
			next, found = c.Rank, true
		}
	}
	return next
}

// rings reports whether a leg of n may still win.
func (n *Node) rings() bool { return slices.ContainsFunc(n.entries, (*entry).live) }

// clockStep starts the time of n's present rank, at its first leg or when another rank
// comes to wait for it: an even share of the time that its user has left.
func (n *Node) clockStep(now time.Time) {
	if n.more == 0 || !n.stepAt.IsZero() || n.stopAt.IsZero() {
		return
	}
	end := n.stopAt
	for up := n.parent; up != nil; up = up.parent {
		if !up.stopAt.IsZero() && up.stopAt.Before(end) {
			end = up.stopAt
		}
	}
	n.stepAt = now.Add(min(maxStep, end.Sub(now)/time.Duration(n.more+1)))
}

// stepDue reports whether the next rank's time has come.
func (n *Node) stepDue(now time.Time) bool {
	return n.more > 0 && !n.stepAt.IsZero() && !n.stepAt.After(now)
}

// nextStep asks for the contacts of the next rank, if there are any.
func (n *Node) nextStep(w *Work) bool {
	if n.more == 0 || n.expired {
		return false
	}
	n.more, n.stepAt = 0, time.Time{} // Turn counts again
	w.Try = append(w.Try, n)
	return true
}

// forget lets no more contacts of a user ring below n: one of them declined for all.
func (n *Node) forget(user core.UserID) {
	if n.Branch.Target.User == user {
		n.more, n.stepAt = 0, time.Time{}
	}
	for _, kid := range n.kids {
		kid.forget(user)
	}
}
