// Package ring is a running hunt: the candidates that ring for one caller, who
// of them won, and what the caller is told when nobody did. It also paces calls
// to a trunk. It is pure.
package ring

import (
	"slices"

	"github.com/offhook/offhook/internal/core"
)

// Candidate is one leg that rings, or will.
type Candidate struct {
	Leg    core.LegID
	Edge   core.Edge
	Target core.Target
	// DeclineAll lets a decline here end the other candidates of the same user.
	DeclineAll bool
}

// state is where a candidate stands. It only ever grows.
type state uint8

const (
	waiting  state = iota // its trunk's turn has not come
	rung                  // ordered, not alerting yet
	alerting              // its party hears it
	won                   // took the call
	stopped               // ended by us
	gone                  // ended by itself
)

type entry struct {
	Candidate
	state state
	cause core.Cause // with gone, and with stopped by a decline elsewhere
	code  int        // with gone
}

// live reports whether e may still win.
func (e *entry) live() bool { return e.state <= alerting }

// Hunt rings all its candidates at once; the first to accept wins. The zero
// Hunt has no candidates yet and is over.
type Hunt struct {
	entries []*entry
	alerted bool // by any candidate, whatever became of it
}

// Add adds a candidate that waits for Launch, and reports whether it is new: a
// contact, number or URI is rung once in a hunt, whatever became of it.
func (h *Hunt) Add(c Candidate) bool {
	for _, e := range h.entries {
		if e.Target == c.Target || (e.Target.Contact != "" && e.Target.Contact == c.Target.Contact) {
			return false
		}
	}
	h.entries = append(h.entries, &entry{Candidate: c})
	return true
}

// Launch notes that a waiting candidate's leg is rung now.
func (h *Hunt) Launch(leg core.LegID) {
	if e := h.find(leg); e != nil && e.state == waiting {
		e.state = rung
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
	e.state, h.alerted = alerting, true
	return first
}

// Alerted reports whether anybody's phone has rung in this hunt. Where none did
// the callees were not there, which is not the same as nobody answering.
func (h *Hunt) Alerted() bool { return h.alerted }

// Accept gives the call to leg, if it may still win. The other candidates stop;
// those of them that ring are returned, to be ended.
func (h *Hunt) Accept(leg core.LegID) (losers []core.LegID, ok bool) {
	e := h.find(leg)
	if e == nil || e.state == waiting || !e.live() {
		return nil, false
	}
	e.state = won
	return h.Stop(), true
}

// Gone notes that a candidate ended by itself. It returns the user's other legs
// to be ended when this was a decline for all of them.
func (h *Hunt) Gone(leg core.LegID, cause core.Cause, code int) (declined []core.LegID) {
	e := h.find(leg)
	if e == nil || !e.live() {
		return nil
	}
	e.state, e.cause, e.code = gone, cause, code
	if !e.DeclineAll || cause != core.CauseRejected || e.Target.User.IsZero() {
		return nil
	}
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

// Over reports whether no candidate can win any more: one has, or all are gone.
func (h *Hunt) Over() bool {
	return !slices.ContainsFunc(h.entries, (*entry).live)
}

// Single reports whether there is exactly one candidate.
func (h *Hunt) Single() bool { return len(h.entries) == 1 }

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
	for _, e := range h.entries {
		if e.Leg == leg {
			return e
		}
	}
	return nil
}
