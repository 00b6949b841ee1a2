package core

import "time"

// Command is an order of the exchange. Commands are carried out in the order
// given; carrying one out returns at once and reports by events.
type Command interface{ command() }

// LegCommand is a Command for the edge that owns a leg.
type LegCommand interface {
	Command
	LegID() LegID
	LegEdge() Edge
}

// LegRef names a leg and the edge that owns it.
type LegRef struct {
	Leg  LegID
	Edge Edge
}

// LegID implements LegCommand.
func (r LegRef) LegID() LegID { return r.Leg }

// LegEdge implements LegCommand.
func (r LegRef) LegEdge() Edge { return r.Edge }

// Ring orders a new outgoing leg: INVITE to a phone or trunk, "incoming" to a
// browser. The exchange chose the LegID. The edge answers with any of
// LegRinging, LegEarly, LegAccepted, LegUp and at last LegGone.
type Ring struct {
	LegRef
	Call   CallID
	Target Target
	From   Party  // who calls, as the callee shall see it
	To     Party  // who is called
	Caller LegRef // the leg it rings for; its codecs come first in our offer; zero if it rings for nobody
	// Headers go into the INVITE, or into the first message of a WebSocket.
	Headers []Header
	// As is what applications and their users call the leg, "" for Leg itself: several
	// legs ring for one endpoint of an application, and are one leg to it. An edge that
	// tells its client names of legs tells this one.
	As LegID
	// Hops is how many of our own numbers led to this leg, itself included; see
	// Offered.
	Hops uint8
}

// Progress tells the party of an incoming leg that the callee is being alerted.
// With Early the edge brings the leg's media path up before the answer (183
// with SDP) so that the caller can hear what Hear gives; an edge that cannot
// sends plain ringing. Without Early it follows one with Early if a callee that is
// heard already is alerted only then (180 after 183), and takes nothing back.
// Edges ignore repeated Progress without news.
type Progress struct {
	LegRef
	Early bool
	// Peers tells the edge what kinds of callees ring, for the choice of codec.
	Peers Peers
}

// Peers counts the kinds of candidates for a caller.
type Peers struct{ Browsers, Phones, Trunks int }

// Answer answers an incoming leg (200 OK). The edge posts LegUp when its media
// path is up.
type Answer struct {
	LegRef
	Peers Peers
}

// End ends a leg, whatever its state: the edge sends the final response,
// CANCEL or BYE that fits, ends a 2xx that crosses it, frees the leg's media and
// posts LegGone. Code, if not 0, is the SIP status for an unanswered incoming
// leg; 0 lets the edge map Cause.
type End struct {
	LegRef
	Cause  Cause
	Reason Reason
	Code   int
}

// Silenced tells the party of a leg that somebody else muted it, or, with Deaf, that it
// hears nobody any more, or that this is over. What is heard is in Hear.
type Silenced struct {
	LegRef
	Deaf bool
	On   bool
}

// Hear sets what the party of Leg hears from now on, replacing what it heard:
// the legs From (never Leg itself), or, when Sound is not zero, that sound
// alone, and over either what is injected in Over. Empty From and zero Sound is
// silence. A Sound that does not change between two rows goes on. Rows for all legs
// of a call make the hear/speak matrix. Package media carries it out; a leg without
// media path yet keeps its row until the path is up.
type Hear struct {
	Leg   LegID
	From  []LegID
	Sound Sound
	Over  [InjectSlots]Sound
}

// Sound names a source of audio.
type Sound struct {
	Kind SoundKind
	Name string // tone: country code, "us"; prompt: its name, "no-answer"; file: its name or URL; speech: the text; else ""
	// No tells apart two times that the same sound is played to a leg, so that the
	// second begins anew. 0 where that does not matter.
	No uint32
	// Loop is how often a file or speech is played; LoopForever is for ever, 0 is once.
	Loop uint16
	// Level makes it louder or softer, -10 to 10, by 2 dB a step: 10 is 20 dB louder,
	// -9 is 18 dB softer, and -10 is silent. What exceeds full scale is cut off.
	Level int8
	// Language, a BCP 47 tag, and Style choose the voice of speech; Voice does so by
	// name. What is not there is replaced by what is.
	Language, Voice string
	Style           int16
}

// LoopForever is the Loop of a sound that is repeated until it is replaced.
const LoopForever = 0xffff

// IsZero reports whether s is no sound.
func (s Sound) IsZero() bool { return s.Kind == SoundNone }

// Ends reports whether s comes to an end, which Played reports; others go on for
// ever.
func (s Sound) Ends() bool {
	switch s.Kind {
	case SoundPrompt, SoundFile, SoundSpeech, SoundBeep:
		return s.Loop != LoopForever
	case SoundNone, SoundRingback, SoundBusy, SoundHold, SoundMusic:
	}
	return false
}

// SoundKind says what a Sound is made of.
type SoundKind uint8

const (
	// SoundNone is no sound.
	SoundNone SoundKind = iota
	// SoundRingback is the ringback tone of the country Name, for ever.
	SoundRingback
	// SoundBusy is the busy tone of the country Name, for ever.
	SoundBusy
	// SoundPrompt is the recorded announcement Name, one of the Prompt constants, once; then Played.
	SoundPrompt
	// SoundHold is the music for a party on hold, for ever.
	SoundHold
	// SoundFile is the file or URL Name, once; then Played.
	SoundFile
	// SoundMusic is the file or URL Name, for ever.
	SoundMusic
	// SoundSpeech is the text Name, plain or SSML in <speak>, once or Loop times; then Played.
	SoundSpeech
	// SoundBeep is a short tone before a recording; then Played.
	SoundBeep
)

// The announcements that the exchange gives; names of prompts in the binary.
const (
	PromptNoAnswer      = "no-answer"      // it rang and nobody answered
	PromptBusy          = "busy"           // everybody called is in a call
	PromptDeclined      = "declined"       // everybody called refused
	PromptUnreachable   = "unreachable"    // no registration, or no way there now
	PromptUnknownNumber = "unknown-number" // what was dialled does not exist
	PromptNotAllowed    = "not-allowed"    // the caller may not dial this, e.g. an emergency number
	PromptFailed        = "failed"         // accepted, but no audio path came up; a fault
	PromptClosed        = "closed"         // outside the hours of a schedule
	PromptConfirm       = "confirm"        // to who answers: press the key to take the call
)

// StartTimer orders TimedOut{Timer} after After; it replaces a running timer of
// the same name.
type StartTimer struct {
	Timer TimerID
	After time.Duration
}

// StopTimer stops a timer. Its TimedOut may already be under way.
type StopTimer struct{ Timer TimerID }

// TimerID names a timer: what it is for and whose it is. Exactly one of Leg
// and Trunk is set.
type TimerID struct {
	Kind  TimerKind
	Leg   LegID
	Trunk string
}

// TimerKind says what a timer is for.
type TimerKind uint8

const (
	// TimerRing runs until the next thing to do in a hunt: a step's or its own end,
	// the next step's beginning; Leg is its caller.
	TimerRing TimerKind = iota + 1
	// TimerAnswer bounds the wait for a winner's media before the caller, Leg, is answered anyway.
	TimerAnswer
	// TimerMedia bounds the wait for an accepted leg's media.
	TimerMedia
	// TimerPlay bounds an announcement, should its end never be reported.
	TimerPlay
	// TimerDrain bounds the wait for LegGone after End.
	TimerDrain
	// TimerPace lets the next call out to Trunk, which limits calls per second.
	TimerPace
	// TimerConfirm bounds how long who answered, Leg, may take to press the key.
	TimerConfirm
	// TimerPark bounds how long a parked leg waits in its slot.
	TimerPark
	// TimerTalk ends a conversation that used up the minutes of its caller or trunk.
	TimerTalk
	// TimerSilence ends a conversation in which nothing is heard of anybody.
	TimerSilence
	// TimerVerb bounds what the flow of a leg waits for: a key, a pause, who answered.
	TimerVerb
	// TimerLimit ends a leg that was to last no longer.
	TimerLimit
	// TimerAsk bounds the wait for an application's answer, should it never come,
	// and how long a leg that it leaves unanswered may wait.
	TimerAsk
)

// TransferProgress tells the party of Leg, who asked for a transfer, how it
// goes, as the status of a SIP response: 100, 180, 200, or why it failed. The SIP
// edge sends it by NOTIFY (RFC 3515 section 2.4.4). After the Final one the
// transfer is over; after 200 End follows.
type TransferProgress struct {
	LegRef
	Code  int
	Final bool
}

// Reply answers a question asked with Asked, once. Package engine hands it to
// who waits.
type Reply struct {
	Ask  AskID
	Err  error // an *Error with a Kind; nil is success
	Call CallID
	Slot string // of Park

	Calls []LiveCall // of Snapshot
	More  bool       // there are calls after these
}

// Publish reports a change of a leg to the event log, call detail records and
// subscribers. Package events carries it out.
type Publish struct{ Change LegChange }

// LegChange is one entry of a leg's history. Every leg has exactly one with
// Kind ChangeBegan, first, and exactly one with Kind ChangeEnded, last.
type LegChange struct {
	Kind      ChangeKind
	Leg       LegID
	Call      CallID
	App       string // the application whose leg it is, "" for the house's
	Edge      Edge
	Direction Direction
	From, To  Party
	Cause     Cause   // with ChangeEnded
	Reason    Reason  // with ChangeEnded
	Code      int     // with ChangeEnded: the SIP status, 0 if none
	Peer      LegID   // with ChangeBridged: the leg it now talks with
	Slot      string  // with ChangeParked
	Silence   Silence // with ChangeSilent
	Diagnosis string  // with ChangeSilent: for people
	Quality   Quality // with ChangeEnded
	Left      CallID  // with ChangeMoved and ChangeLeft: the call it was in

	// Of a leg with App.
	Hook     Hook     // where its application is told
	Turn     Turn     // who waits for the application's answer, if not zero
	Headers  []Header // with ChangeBegan
	Answered bool     // with ChangeEnded
	ByUs     bool     // with ChangeEnded: we ended it, not its party
}

// ChangeKind says what happened to a leg.
type ChangeKind uint8

const (
	// ChangeBegan is the first entry of a leg.
	ChangeBegan ChangeKind = iota + 1
	// ChangeRinging says the party is alerted.
	ChangeRinging
	// ChangeAnswered says the party took the call, or was answered by us.
	ChangeAnswered
	// ChangeBridged says the leg talks with Peer.
	ChangeBridged
	// ChangeHeld says the party put us on hold; ChangeResumed took us back.
	ChangeHeld
	// ChangeResumed ends ChangeHeld.
	ChangeResumed
	// ChangeEnded is the last entry of a leg.
	ChangeEnded
	// ChangeConfirming says the party answered and is asked to press the key.
	ChangeConfirming
	// ChangeMoved says the leg left its call for Call.
	ChangeMoved
	// ChangeParked says the leg waits in Slot.
	ChangeParked
	// ChangeSilent says that others should hear the party and nothing comes of it.
	ChangeSilent
	// ChangeHeard ends ChangeSilent.
	ChangeHeard
	// ChangeHuman says that a person answered; ChangeMachine, a machine; ChangeBeep,
	// that it records now; ChangeNoBeep, that no beep came in time.
	ChangeHuman
	// ChangeMachine is described with ChangeHuman.
	ChangeMachine
	// ChangeBeep is described with ChangeHuman.
	ChangeBeep
	// ChangeNoBeep is described with ChangeHuman.
	ChangeNoBeep
	// ChangeClosed says that the far end of a WebSocket leg closed it.
	ChangeClosed
	// ChangeLeft says that an application took the leg out of its call, and of its
	// conversation: it is alone in Call now.
	ChangeLeft
)

// String returns the word stored in the event log: "began", "ringing", ...
func (k ChangeKind) String() string {
	names := [...]string{"", "began", "ringing", "answered", "bridged", "held", "resumed", "ended", "confirming", "moved", "parked", "silent", "heard", "human", "machine", "beep", "no_beep", "closed", "left"}
	if int(k) < len(names) {
		return names[k]
	}
	return ""
}

// Direction of a leg, as seen from us.
type Direction uint8

const (
	// Inbound legs were offered to us.
	Inbound Direction = iota + 1
	// Outbound legs were rung by us.
	Outbound
)

// String returns "inbound" or "outbound".
func (d Direction) String() string {
	switch d {
	case Inbound:
		return "inbound"
	case Outbound:
		return "outbound"
	}
	return ""
}

func (Ring) command()       {}
func (Progress) command()   {}
func (Answer) command()     {}
func (End) command()        {}
func (Silenced) command()   {}
func (Hear) command()       {}
func (StartTimer) command() {}
func (StopTimer) command()  {}
func (Publish) command()    {}

func (TransferProgress) command() {}
func (Reply) command()            {}
