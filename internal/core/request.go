package core

import "cmp"

// AskID names a question that somebody waits for. 0 is nobody.
type AskID uint64

// Asked is a Request as an event. Exactly one Reply with the same Ask follows,
// in the commands of the very same step, unless Ask is 0.
type Asked struct {
	Ask AskID
	Do  Request
}

// Request is an order from an application or an operator about legs and calls
// that exist. By rights the caller of package engine has checked who may give it.
type Request interface {
	request()
	// LegID returns the leg that the request is first of all about, "" if none.
	LegID() LegID
}

// RequestBase is embedded by the few requests that core cannot declare, because
// they carry values of a package that imports core.
type RequestBase struct{}

func (RequestBase) request() {}

var _ interface{ request() } = RequestBase{}

// Within refuses a Request with NotFound unless its leg is in Call.
type Within struct {
	Call CallID
	Do   Request
}

// Transfer sends whom Leg talks with elsewhere, as TransferAsked does. Leg ends
// when the other party is connected; until then it may take the other party back.
type Transfer struct {
	Leg      LegID
	To       string
	Replaces LegID
}

// Pickup lets By talk with the caller that Leg rings for; whatever rings stops.
type Pickup struct {
	Leg LegID // rings
	By  LegID // an incoming or talking leg
}

// Park puts Leg into a slot, where it hears music; whom it talked with is
// released. Slot "" is the first free one.
type Park struct {
	Leg  LegID
	Slot string
}

// Retrieve lets By talk with who is parked in Slot, or with Leg, which is parked
// somewhere.
type Retrieve struct {
	Slot string
	Leg  LegID
	By   LegID
}

// Merge makes one call of the two that Leg and With are in. A second leg of the
// same device is released.
type Merge struct{ Leg, With LegID }

// AddParty rings To and lets it join the call that Leg is in, or, with a Mode,
// supervise it as Supervise does, with Leg as its target.
type AddParty struct {
	Leg  LegID
	To   string
	Mode SuperviseMode
}

// Supervise lets Leg take part in the call of Target without being its party.
// Asked again it changes the Mode.
type Supervise struct {
	Leg    LegID
	Target LegID
	Mode   SuperviseMode
}

// SuperviseCall supervises by call: with Leg as Supervise does, or, without, by
// ringing To as AddParty does. Target "" is the one user of the house who talks in Call; a
// supervisor whom everybody or nobody hears needs none.
type SuperviseCall struct {
	Call   CallID
	Leg    LegID
	To     string
	Target LegID
	Mode   SuperviseMode
}

// Dismiss ends a leg that supervises.
type Dismiss struct{ Leg LegID }

// SetHear says for pairs of legs in Call whether one hears the other, whatever
// they would by themselves, as long as both are in the call. All pairs are set,
// or none.
type SetHear struct {
	Call  CallID
	Pairs []HearPair
}

// HearPair is one field of the hear/speak matrix: whether To hears From.
type HearPair struct {
	From, To LegID
	Hears    bool
}

// SuperviseMode says what a supervisor is heard by. It hears everybody.
type SuperviseMode uint8

const (
	// Monitor is heard by nobody.
	Monitor SuperviseMode = iota + 1
	// Whisper is heard by the target alone.
	Whisper
	// Barge is heard by all.
	Barge
)

// Release ends a leg.
type Release struct{ Leg LegID }

// ReleaseCall ends every leg of a call.
type ReleaseCall struct{ Call CallID }

// Hold puts whom Leg talks with on hold, or takes them back, without a word to
// the phones.
type Hold struct {
	Leg  LegID
	Held bool
}

// Mute drops the voice of a leg for all, or lets it be heard again.
type Mute struct {
	Leg   LegID
	Muted bool
}

// String returns "monitor", "whisper" or "barge", "" for no mode.
func (m SuperviseMode) String() string {
	switch m {
	case Monitor:
		return "monitor"
	case Whisper:
		return "whisper"
	case Barge:
		return "barge"
	}
	return ""
}

func (Asked) event() {}

func (Transfer) request()  {}
func (Pickup) request()    {}
func (Park) request()      {}
func (Retrieve) request()  {}
func (Merge) request()     {}
func (AddParty) request()  {}
func (Supervise) request() {}
func (Release) request()   {}
func (Hold) request()      {}
func (Mute) request()      {}
func (SetHear) request()   {}

func (SuperviseCall) request() {}
func (Dismiss) request()       {}
func (ReleaseCall) request()   {}

func (Within) request() {}

// LegID implements Request.
func (r Transfer) LegID() LegID { return r.Leg }

// LegID implements Request: the leg that rings.
func (r Pickup) LegID() LegID { return r.Leg }

// LegID implements Request.
func (r Park) LegID() LegID { return r.Leg }

// LegID implements Request: the parked leg, if it is named.
func (r Retrieve) LegID() LegID { return cmp.Or(r.Leg, r.By) }

// LegID implements Request.
func (r Merge) LegID() LegID { return r.Leg }

// LegID implements Request.
func (r AddParty) LegID() LegID { return r.Leg }

// LegID implements Request: the leg that is supervised.
func (r Supervise) LegID() LegID { return r.Target }

// LegID implements Request: the leg that is supervised, if it is named.
func (r SuperviseCall) LegID() LegID { return cmp.Or(r.Target, r.Leg) }

// LegID implements Request.
func (r Dismiss) LegID() LegID { return r.Leg }

// LegID implements Request: a call has no first leg.
func (r ReleaseCall) LegID() LegID { return "" }

// LegID implements Request.
func (r Release) LegID() LegID { return r.Leg }

// LegID implements Request.
func (r Hold) LegID() LegID { return r.Leg }

// LegID implements Request.
func (r Mute) LegID() LegID { return r.Leg }

// LegID implements Request: the first that hears, or shall not.
func (r SetHear) LegID() LegID {
	if len(r.Pairs) == 0 {
		return ""
	}
	return r.Pairs[0].To
}

// LegID implements Request.
func (r Within) LegID() LegID { return r.Do.LegID() }
