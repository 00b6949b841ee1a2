package core

import "time"

// Snapshot asks for live calls as they stand, the oldest first. The Reply has
// them in Calls.
type Snapshot struct {
	// Call is the only one wanted, "" for all. One that is over is NotFound.
	Call CallID
	// After is the Seq of the last call of the page before, 0 for the first page.
	After uint64
	// Limit is how many at most, 1 to 1000.
	Limit int
}

// LiveCall is a call as it stands. Legs that were told to end are left out, and
// calls that have no others.
type LiveCall struct {
	ID    CallID
	Seq   uint64 // order of beginning on this node, from 1
	Begun time.Time
	Legs  []LiveLeg // in order of beginning or joining
}

// LiveLeg is a leg as it stands.
type LiveLeg struct {
	LegRef
	Direction Direction
	From, To  Party
	State     LegState
	Begun     time.Time
	Answered  time.Time     // zero if it was not
	Held      bool          // its party, or who speaks for it, put the others on hold
	Muted     bool          // nobody hears it
	Slot      string        // where it is parked
	Mode      SuperviseMode // of a supervisor
	Target    LegID         // whom a supervisor supervises
	Silence   Silence       // why nothing is heard of it, and should be
	Diagnosis string        // the same for people
	Hears     Hear          // what its party hears; the slice is nobody's to change
}

// LegState says how far a leg is.
type LegState uint8

const (
	// StateTrying is called, or calls, and nobody is alerted yet.
	StateTrying LegState = iota + 1
	// StateRinging is alerted, or hears that somebody is.
	StateRinging
	// StateEarly has audio before the answer.
	StateEarly
	// StateConfirming answered and is asked to press the key that takes the call.
	StateConfirming
	// StateAnswered took the call, or was answered by us.
	StateAnswered
	// StateParked waits in a slot.
	StateParked
	// StateSupervising takes part in a call without being its party.
	StateSupervising
)

// String returns the word for s: "trying", "ringing", "early", "confirming",
// "answered", "parked", "supervising".
func (s LegState) String() string {
	names := [...]string{"", "trying", "ringing", "early", "confirming", "answered", "parked", "supervising"}
	if int(s) < len(names) {
		return names[s]
	}
	return ""
}

func (Snapshot) request() {}

// LegID implements Request.
func (Snapshot) LegID() LegID { return "" }
