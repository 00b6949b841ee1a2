package core

import (
	"errors"
	"time"
)

// What an application that programs calls and the exchange say to each other. The
// verbs of its flows, and the requests that carry verbs, are in package flow.

// Hook is where an application wants to be told of something. The zero Hook stands
// for the application's own URL for that purpose. The exchange only passes it on.
type Hook struct {
	URL    string
	Method string // "GET" or "POST", "" is the default for the purpose
}

// Header is a header of a SIP request that applications see and set, with its
// spelling: one that begins with X-, or User-to-User.
type Header struct{ Name, Value string }

// Turn names a question to an application: the leg whose flow waits for the
// answer, and which question of that leg it is, from 1. The zero Turn is no
// question. An answer to an older question means nothing any more.
type Turn struct {
	Leg LegID
	No  uint32
}

// AppCommand is a Command for who speaks with applications.
type AppCommand interface {
	Command
	// Application returns the identifier of the application it is for.
	Application() string
}

// Consult asks an application what a leg shall do. flow.Instructed with the same
// Turn is the answer, and comes always.
type Consult struct {
	App  string
	Turn Turn
	Kind ConsultKind
	Hook Hook // where to ask; zero is the application's own

	// About whom.
	Leg       LegID
	Call      CallID
	Edge      Edge
	Direction Direction
	From, To  Party
	Headers   []Header // of the INVITE that offered the leg
	Custom    string   // what a browser sent with its call, JSON, "" if nothing

	Input   InputResult // with ConsultInput
	Payload string      // with ConsultNotify: JSON
}

// ConsultKind says what an application is asked.
type ConsultKind uint8

const (
	// ConsultAnswer asks what to do with a leg that was offered to us, or that
	// answered.
	ConsultAnswer ConsultKind = iota + 1
	// ConsultOnAnswer asks what a callee shall hear before it is joined.
	ConsultOnAnswer
	// ConsultInput tells what was keyed or said and asks how to go on.
	ConsultInput
	// ConsultNotify tells what the flow wanted told and asks how to go on.
	ConsultNotify
)

// InputResult is what a party keyed or said for a flow that waited for it.
type InputResult struct {
	// Legacy asks for the old flat form of the webhook.
	Legacy bool
	// Keys says that keys were waited for; Digits are those that came.
	Keys     bool
	Digits   string
	TimedOut bool // the time for keys was over
	// Spoken says that speech was waited for; Speech is what came of it.
	Spoken bool
	Speech SpeechResult
}

// SpeechResult is what a recogniser made of what a party said.
type SpeechResult struct {
	Reason    SpeechEnd
	Results   []SpeechText // the best first
	Recording string       // name of the file with what was said, "" if not kept
	Error     string       // why there is none, for people
}

// SpeechText is one reading of what was said.
type SpeechText struct {
	Text       string
	Confidence float64 // 0 to 1
}

// SpeechEnd says why the recogniser stopped listening.
type SpeechEnd uint8

const (
	// SpeechSilence says that the party said something and fell silent.
	SpeechSilence SpeechEnd = iota + 1
	// SpeechTooLong says that it went on for longer than allowed.
	SpeechTooLong
	// SpeechNone says that it did not begin in time.
	SpeechNone
)

// Notice tells an application something that is no change of a leg and that it is
// not asked about.
type Notice struct {
	App  string
	Kind NoticeKind
	Hook Hook
	Leg  LegID
	Call CallID
	// From and To are the leg's, as in its changes.
	From, To Party
	Reason   string // with NoticeError
	Digit    byte   // with NoticeDigit
}

// NoticeKind says what a Notice is about.
type NoticeKind uint8

const (
	// NoticeError says that something in a flow went wrong, as Reason says.
	NoticeError NoticeKind = iota + 1
	// NoticeDigit says that the party pressed Digit, and the application wants to know every key.
	NoticeDigit
)

// The reasons of NoticeError that the exchange gives.
const (
	ReasonSyntax   = "Syntax error in NCCO. Invalid value type or action."
	ReasonCapacity = "Capacity exceeded. Too many calls per second."
	ReasonNoTarget = "Unknown conversation."
	ReasonCrowded  = "Conversation is full."
	ReasonDownload = "Media download failed: " // and why
)

// ErrTooFast is what refuses a new leg of an application that begins too many
// a second; its Kind is Unavailable.
var ErrTooFast = errors.New("too many calls per second")

// Application implements AppCommand.
func (c Consult) Application() string { return c.App }

// Application implements AppCommand.
func (n Notice) Application() string { return n.App }

func (Consult) command() {}
func (Notice) command()  {}

// MediaCommand is a Command about what is heard, for package media and who
// records and listens.
type MediaCommand interface {
	Command
	mediaCommand()
}

// RecordingID names a recording. Same form as LegID.
type RecordingID string

// Record begins a recording. RecordEnded follows, once, whatever ends it.
type Record struct {
	ID   RecordingID
	App  string // whose recording it is
	Leg  LegID  // whose flow began it; "" for one of a whole conversation
	Call CallID
	Hook Hook // who is told when it can be fetched

	Format   RecordFormat
	Channels []Hear // what each channel hears; Leg is "" there
	Beep     bool   // the party hears a beep first
	// EndOnSilence ends it after so much silence, 3s to 10s; 0 is never.
	EndOnSilence time.Duration
	// MaxTime ends it, up to 2 h; 0 is the recorder's own limit.
	MaxTime time.Duration
	// Transcribe asks for the text of it.
	Transcribe *Transcription
}

// Transcription says how a recording is to be transcribed.
type Transcription struct {
	Language string // BCP 47, "" is en-US
	Hook     Hook
}

// RecordFormat is the kind of file of a recording.
type RecordFormat uint8

const (
	// RecordMP3 is what applications expect where they name none.
	RecordMP3 RecordFormat = iota
	// RecordWAV is 16-bit linear PCM, 16 kHz.
	RecordWAV
	// RecordOgg is Opus in Ogg.
	RecordOgg
)

// SetRecord replaces what the channels of a recording hear.
type SetRecord struct {
	ID       RecordingID
	Channels []Hear
}

// StopRecord ends a recording.
type StopRecord struct{ ID RecordingID }

// RecordEnded reports that a recording has ended. It can be fetched soon; who
// recorded tells the application.
type RecordEnded struct {
	ID  RecordingID
	Leg LegID // of Record; a recording of a conversation has none
}

// Detect finds out whether a leg that answered is a person or a machine.
// AnswererKnown follows, unless the leg ends before.
type Detect struct {
	Leg LegID
	// Beep waits for the end of a machine's greeting, for BeepTimeout at most.
	Beep        bool
	BeepTimeout time.Duration
}

// AnswererKnown reports who answered. With Detect.Beep Machine is followed by Beep
// or NoBeep.
type AnswererKnown struct {
	Leg LegID
	Who Answerer
}

// Answerer is who, or what, answered.
type Answerer uint8

const (
	// Human is a person.
	Human Answerer = iota + 1
	// Machine plays a greeting.
	Machine
	// Beep says that the machine records now.
	Beep
	// NoBeep says that no beep came in time.
	NoBeep
)

// Listen recognises what the party of Leg says next. SpeechHeard with the same
// Turn follows, unless StopListen does.
type Listen struct {
	Turn Turn // its Leg is for whose flow
	Leg  LegID
	Speech
}

// Speech says how to listen.
type Speech struct {
	Language     string        // BCP 47, "" is en-US
	Hints        []string      // words to expect
	StartTimeout time.Duration // 1s to 60s: until it begins
	MaxDuration  time.Duration // 1s to 60s: of all that is said
	EndOnSilence time.Duration // 0.4s to 10s
	Sensitivity  int           // 0 to 100, -1 is the default
	Keep         bool          // keep what was said as a file
	App          string        // whose file that is
}

// StopListen ends Listen without a result.
type StopListen struct{ Turn Turn }

// SpeechBegan reports that the party of Leg, who is listened to, says something.
type SpeechBegan struct {
	Leg  LegID
	Turn Turn
}

// SpeechHeard reports what came of Listen.
type SpeechHeard struct {
	Leg    LegID
	Turn   Turn
	Result SpeechResult
}

// SendDigits sends keys to the party of Leg, one after the other: 0-9 * #, and p
// for a pause of 500 ms.
type SendDigits struct {
	Leg    LegID
	Digits string
}

// SoundFailed reports that a Sound given by Hear cannot be played, as soon as that is
// known. Played follows a second later if the sound should have ended, so that who
// repeats it does not spin; what plays for ever is silent, and music is ringback.
type SoundFailed struct {
	Leg   LegID
	Sound Sound
	Why   string // for people
}

// LegClosed reports that the far end of a WebSocket leg closed it. LegGone follows.
type LegClosed struct{ Leg LegID }

// Earmuff lets a leg hear nobody, or everybody again.
type Earmuff struct {
	Leg LegID
	On  bool
}

// Inject plays a sound to a leg over all that it hears, in place of what it was
// injected in Slot before. The zero Sound ends that. An incoming leg that was not
// answered hears it as early media.
type Inject struct {
	Leg   LegID
	Slot  InjectSlot
	Sound Sound
}

// InjectSlot is one of the two sounds that may be injected at once.
type InjectSlot uint8

const (
	// InjectStream is a file or URL.
	InjectStream InjectSlot = iota
	// InjectTalk is text that is spoken.
	InjectTalk
	// InjectSlots is how many there are.
	InjectSlots
)

// Key sends keys to the party of a leg; see SendDigits.
type Key struct {
	Leg    LegID
	Digits string
}

// WatchKeys tells the application of every key that the party of Leg presses, or
// does so no more.
type WatchKeys struct {
	Leg  LegID
	On   bool
	Hook Hook
}

// OfApp refuses a Request with NotFound unless its leg, and every other leg it
// names, belongs to App.
type OfApp struct {
	App string
	Do  Request
}

func (Record) command()     {}
func (SetRecord) command()  {}
func (StopRecord) command() {}
func (Detect) command()     {}
func (Listen) command()     {}
func (StopListen) command() {}
func (SendDigits) command() {}

func (Hear) mediaCommand()       {}
func (Record) mediaCommand()     {}
func (SetRecord) mediaCommand()  {}
func (StopRecord) mediaCommand() {}
func (Detect) mediaCommand()     {}
func (Listen) mediaCommand()     {}
func (StopListen) mediaCommand() {}
func (SendDigits) mediaCommand() {}

func (RecordEnded) event()   {}
func (AnswererKnown) event() {}
func (SpeechBegan) event()   {}
func (SpeechHeard) event()   {}
func (SoundFailed) event()   {}
func (LegClosed) event()     {}

// LegID implements LegEvent.
func (e RecordEnded) LegID() LegID { return e.Leg }

// LegID implements LegEvent.
func (e AnswererKnown) LegID() LegID { return e.Leg }

// LegID implements LegEvent.
func (e SpeechBegan) LegID() LegID { return e.Turn.Leg }

// LegID implements LegEvent.
func (e SpeechHeard) LegID() LegID { return e.Turn.Leg }

// LegID implements LegEvent.
func (e SoundFailed) LegID() LegID { return e.Leg }

// LegID implements LegEvent.
func (e LegClosed) LegID() LegID { return e.Leg }

func (Earmuff) request()   {}
func (Inject) request()    {}
func (Key) request()       {}
func (WatchKeys) request() {}
func (OfApp) request()     {}

// LegID implements Request.
func (r Earmuff) LegID() LegID { return r.Leg }

// LegID implements Request.
func (r Inject) LegID() LegID { return r.Leg }

// LegID implements Request.
func (r Key) LegID() LegID { return r.Leg }

// LegID implements Request.
func (r WatchKeys) LegID() LegID { return r.Leg }

// LegID implements Request.
func (r OfApp) LegID() LegID { return r.Do.LegID() }
