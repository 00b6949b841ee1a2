package core

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
type Request interface{ request() }

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

// Retrieve lets By talk with who is parked in Slot.
type Retrieve struct {
	Slot string
	By   LegID
}

// Merge makes one call of the two that Leg and With are in. A second leg of the
// same device is released.
type Merge struct{ Leg, With LegID }

// AddParty rings To and lets it join the call that Leg is in.
type AddParty struct {
	Leg LegID
	To  string
}

// Supervise lets Leg take part in the call of Target without being its party.
// Asked again it changes the Mode.
type Supervise struct {
	Leg    LegID
	Target LegID
	Mode   SuperviseMode
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
