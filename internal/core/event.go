package core

// Event is a past fact that the outside reports to the exchange. An event that
// means nothing in the current state is ignored: the network may deliver any
// two of them in either order.
type Event interface{ event() }

// EventBase is embedded by the few event types that core cannot declare,
// because they carry values of a package that imports core.
type EventBase struct{}

func (EventBase) event() {}

// LegEvent is an Event about one leg.
type LegEvent interface {
	Event
	LegID() LegID
}

// Offered reports a new incoming leg whose party is already authenticated: an
// INVITE from a user or a trunk, or "call" from a browser. Exactly one of
// From.User and From.Trunk is set; an edge never posts Offered for a stranger.
// The edge chose Leg.
type Offered struct {
	Leg     LegID
	Edge    Edge
	From    Party
	Contact ContactID // the contact that calls, "" for a trunk
	To      string    // what was dialled: digits, +E.164 or a user's name
	// Replaces is a leg whose place the new one shall take (RFC 3891), "" for
	// none: a leg that rings is picked up, one that talks is taken over.
	Replaces LegID
	// Headers are what an application may see of the INVITE.
	Headers []Header
	// Custom is what a browser sends along for an application: a JSON object of at
	// most 4 KB, or "".
	Custom string
	// Hops is, with EdgeLoop, that of the Ring which made this leg: who rings himself
	// must come to an end.
	Hops uint8
}

// LegRinging reports that an outgoing leg alerts its party.
type LegRinging struct{ Leg LegID }

// LegEarly reports that an outgoing leg's media path is up before its answer
// (183 with SDP).
type LegEarly struct{ Leg LegID }

// LegAccepted reports that the party of an outgoing leg took the call: a 2xx, or
// "accept" from a browser. Media may not be up yet.
type LegAccepted struct{ Leg LegID }

// LegUp reports that the media path of a leg is up after it was accepted or
// answered. For a callee with plain RTP it follows LegAccepted at once.
type LegUp struct{ Leg LegID }

// LegGone reports that a leg ended from its own side: refused, hung up,
// cancelled by its caller, connection lost, or never reached. It is posted
// exactly once for each leg, also after an End command, and is the last event
// of the leg.
type LegGone struct {
	Leg   LegID
	Cause Cause
	// Code is the SIP status that ended an unanswered leg, 0 if none. Callers
	// get the callee's own code.
	Code int
}

// LegHeld reports that a leg's own phone put us on hold or took us back
// (re-INVITE, RFC 3264 section 8.4).
type LegHeld struct {
	Leg  LegID
	Held bool
}

// LegMuted reports that a browser user muted or unmuted the own microphone.
type LegMuted struct {
	Leg   LegID
	Muted bool
}

// LegDigit reports one key of a leg's party, once per press: 0-9 * # A-D.
type LegDigit struct {
	Leg   LegID
	Digit byte
}

// TransferAsked reports that the party of Leg asks to send whom it talks with
// elsewhere (REFER, RFC 3515): to To, or, when Replaces is set, to whom Replaces
// talks with, which is another leg of the same party (RFC 3891). The exchange
// answers with TransferProgress.
type TransferAsked struct {
	Leg      LegID
	To       string
	Replaces LegID
}

// Played reports that a finite Sound given by Hear came to its end. It is not
// posted for a sound that was replaced.
type Played struct {
	Leg   LegID
	Sound Sound
}

// ContactUp reports a new or refreshed registration.
type ContactUp struct{ Contact Contact }

// ContactGone reports that a registration ended, expired or lost its connection.
type ContactGone struct{ ID ContactID }

// TrunkState reports that a trunk stopped answering OPTIONS, or answers again.
// A trunk that was never reported is up.
type TrunkState struct {
	Trunk string
	Up    bool
}

// TimedOut reports that a timer set by StartTimer fired. A late one is ignored
// by state.
type TimedOut struct{ Timer TimerID }

// Draining reports that the node was told to stop: new calls are refused with
// CauseTempFailure, running calls go on.
type Draining struct{}

// Shutdown reports that the drain limit is over: every leg ends with
// CauseTempFailure.
type Shutdown struct{}

// Broken reports that applying an event for this leg's call failed in a way that
// must not happen (a panic or an overfull inbox): every leg of the call ends
// with CauseTempFailure.
type Broken struct{ Leg LegID }

func (Offered) event()     {}
func (LegRinging) event()  {}
func (LegEarly) event()    {}
func (LegAccepted) event() {}
func (LegUp) event()       {}
func (LegGone) event()     {}
func (LegHeld) event()     {}
func (LegMuted) event()    {}
func (LegDigit) event()    {}
func (Played) event()      {}

func (TransferAsked) event() {}

func (ContactUp) event()   {}
func (ContactGone) event() {}
func (TrunkState) event()  {}
func (TimedOut) event()    {}
func (Draining) event()    {}
func (Shutdown) event()    {}
func (Broken) event()      {}

// LegID implements LegEvent.
func (e Offered) LegID() LegID { return e.Leg }

// LegID implements LegEvent.
func (e LegRinging) LegID() LegID { return e.Leg }

// LegID implements LegEvent.
func (e LegEarly) LegID() LegID { return e.Leg }

// LegID implements LegEvent.
func (e LegAccepted) LegID() LegID { return e.Leg }

// LegID implements LegEvent.
func (e LegUp) LegID() LegID { return e.Leg }

// LegID implements LegEvent.
func (e LegGone) LegID() LegID { return e.Leg }

// LegID implements LegEvent.
func (e LegHeld) LegID() LegID { return e.Leg }

// LegID implements LegEvent.
func (e LegMuted) LegID() LegID { return e.Leg }

// LegID implements LegEvent.
func (e LegDigit) LegID() LegID { return e.Leg }

// LegID implements LegEvent.
func (e TransferAsked) LegID() LegID { return e.Leg }

// LegID implements LegEvent.
func (e Played) LegID() LegID { return e.Leg }

// LegID implements LegEvent.
func (e Broken) LegID() LegID { return e.Leg }
