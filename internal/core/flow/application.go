package flow

import (
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// The verbs of applications' flows. Each runs on the leg whose flow it is
// part of; when the last one has ended the leg is ended.

// Say plays a sound to the party of the leg: a file, a URL or speech.
type Say struct {
	Sound core.Sound
	// BargeIn lets the flow go on at once; a key, or speech, of the Input that
	// follows ends the sound.
	BargeIn bool
}

// Wait does nothing for a time, 0.1s to 2h.
type Wait struct{ For time.Duration }

// Input waits for keys or for speech and asks the application how to go on.
type Input struct {
	Keys   *KeyInput    // nil: not waited for
	Speech *core.Speech // likewise
	// Speaker is the leg whose speech is waited for, of the same application and call;
	// "", or one that is not there, is the leg itself.
	Speaker core.LegID
	Legacy  bool // the old flat form of the webhook
	// Async tells the application of each key from now on, and goes on at once.
	Async bool
	Hook  core.Hook
}

// KeyInput says when a row of keys is complete.
type KeyInput struct {
	Timeout      time.Duration // 0s to 10s, from the beginning and after each key
	MaxDigits    int           // 1 to 20
	SubmitOnHash bool
}

// Record records the call.
type Record struct {
	Hook   core.Hook
	Format core.RecordFormat
	// Channels is 1 for all in one, 2 for what the leg says left and hears right with
	// Split; more with Split is one channel for each who talks, the rest in the last.
	Channels     int // 1 to 32
	Split        bool
	EndOnSilence time.Duration // 3s to 10s, 0 = never
	EndOnKey     byte          // 0 = none
	Timeout      time.Duration // 3s to 2h, 0 = none
	Beep         bool
	Transcribe   *core.Transcription
	// Background records on while the flow goes on, until the call ends or Timeout.
	// One without Background is waited for.
	Background bool
}

// Converse takes the leg into the conversation of that name, where it stays.
type Converse struct {
	Name          string
	Music         core.Sound // until the conversation starts; zero is silence
	StartOnEnter  bool
	EndOnExit     bool
	Speaks, Hears *Circle // who may hear the leg, and whom it hears; nil is all
	Mute          bool
	Record        *Record // record the whole; nil = not
}

// Circle is a set of legs; some may come only later.
type Circle struct{ Legs []core.LegID }

// Call rings somebody and lets the leg talk with who answers first.
type Call struct {
	// Endpoints are rung at once; or Group, a ring group of the directory. Exactly one
	// of both is set.
	Endpoints []Endpoint
	Group     string
	Ring      Ringing
	// From is what callees see: a number, "" is unknown.
	From string
	// Hook is where the events of the new legs go. With Sync the application's answer
	// to the last of them may be a flow.
	Hook    core.Hook
	Sync    bool
	Timeout time.Duration // of ringing, 1s to 180s
	Limit   time.Duration // of talking, up to 24h; 0 is none
	// Music is what the caller hears while it rings; zero is the callee's own early
	// media, or ringback.
	Music core.Sound
	// Detect, if not nil, finds out who answered.
	Detect *Detection
	// AnswerFirst answers the leg before anybody rings.
	AnswerFirst bool
}

// Ringing is how a Call with several endpoints, or a group, rings; what is zero is
// as the group says.
type Ringing struct {
	Strategy route.Strategy
	Confirm  *route.Confirm
	Hears    string // as route.Group.CallerHears
}

// Endpoint is whom to ring.
type Endpoint struct {
	Phone  string      // E.164 digits, over a trunk
	User   string      // of the application
	URI    string      // SIP
	Trunk  string      // with Phone: over this one
	Socket core.Socket // WebSocket
	House  string      // user of the house, as its extension

	Headers  []core.Header
	Digits   string     // sent when it has answered
	OnAnswer *core.Hook // asked for a flow that the callee hears before it is joined
	Music    core.Sound // with OnAnswer: what the caller hears until then
}

// Detection says what to do about answering machines.
type Detection struct {
	Mode DetectMode
	// Hangup ends the leg if a machine answered.
	Hangup      bool
	BeepTimeout time.Duration // 45s to 120s, with DetectBeep
}

// DetectMode says whether a flow waits until it is known who answered.
type DetectMode uint8

const (
	// DetectAside lets the flow run meanwhile; the answer to the event may be
	// another flow.
	DetectAside DetectMode = iota
	// DetectFirst makes it wait.
	DetectFirst
	// DetectBeep makes it wait until the machine records.
	DetectBeep
)

// Notify tells the application something and asks how to go on.
type Notify struct {
	Payload string // JSON object
	Hook    core.Hook
}

// MoveAll takes all legs of the leg's call into another.
type MoveAll struct {
	To            core.CallID
	Speaks, Hears *Circle
	Mute          bool
}

// Instructed is an application's answer to a question.
type Instructed struct {
	core.EventBase

	Turn core.Turn
	// Verbs replace what is left of the flow if Kind is Run.
	Verbs []Verb
	Kind  AnswerKind
	// Reason is why there is no flow, with Failed.
	Reason string
}

// AnswerKind says what an application answered.
type AnswerKind uint8

const (
	// Run is a flow; an empty one ends the call.
	Run AnswerKind = iota + 1
	// Go is no flow: the one that runs goes on.
	Go
	// Idle leaves an offered leg unanswered and an answered one as it is, until the
	// application says more.
	Idle
	// Failed is no answer in time, or one that nobody understands. A leg without
	// flow ends.
	Failed
)

// LegID implements core.LegEvent.
func (e Instructed) LegID() core.LegID { return e.Turn.Leg }

// Create rings somebody for an application. The leg begins in a call of its own
// and runs Verbs when it has answered, or asks Answer for them.
type Create struct {
	core.RequestBase

	Leg      core.LegID // new, chosen by who asks
	App      string
	Endpoint Endpoint
	From     core.Party
	Verbs    []Verb // nil: ask Answer
	Answer   core.Hook
	Hook     core.Hook     // where its events go
	Timeout  time.Duration // of ringing, 1s to 180s
	Limit    time.Duration // from the answer on, up to 24h
	Detect   *Detection
}

// LegID implements core.Request.
func (r Create) LegID() core.LegID { return r.Leg }

// Replace ends the flow of a leg, takes the leg out of its conversation and
// lets it run Verbs. A leg that was offered and not answered is answered.
type Replace struct {
	core.RequestBase

	Leg   core.LegID
	Verbs []Verb
}

// LegID implements core.Request.
func (r Replace) LegID() core.LegID { return r.Leg }

// Needs implements Verb.
func (Say) Needs() Need { return NeedAnswer }

// Needs implements Verb.
func (Wait) Needs() Need { return NeedAnswer }

// Needs implements Verb.
func (Input) Needs() Need { return NeedAnswer }

// Needs implements Verb.
func (Record) Needs() Need { return NeedAnswer }

// Needs implements Verb.
func (Converse) Needs() Need { return NeedAnswer }

// Needs implements Verb.
func (c Call) Needs() Need {
	if c.AnswerFirst {
		return NeedAnswer
	}
	return NeedNothing
}

// Needs implements Verb.
func (Notify) Needs() Need { return NeedNothing }

// Needs implements Verb.
func (MoveAll) Needs() Need { return NeedAnswer }

// Waits implements Verb.
func (s Say) Waits() bool { return !s.BargeIn }

// Waits implements Verb.
func (Wait) Waits() bool { return true }

// Waits implements Verb.
func (i Input) Waits() bool { return !i.Async }

// Waits implements Verb.
func (r Record) Waits() bool { return !r.Background }

// Waits implements Verb.
func (Converse) Waits() bool { return true }

// Waits implements Verb.
func (Call) Waits() bool { return true }

// Waits implements Verb.
func (Notify) Waits() bool { return true }

// Waits implements Verb.
func (MoveAll) Waits() bool { return true }

// Target is the endpoint as the directory knows it.
func (e Endpoint) Target() route.AppEndpoint {
	return route.AppEndpoint{Phone: e.Phone, Trunk: e.Trunk, User: e.User, House: e.House, URI: e.URI, Socket: e.Socket}
}

// Inside reports whether the endpoint is a user, of the application or of the house,
// or none: one of a group.
func (e Endpoint) Inside() bool { return e.Phone == "" && e.URI == "" && e.Socket.IsZero() }

// Detects returns how to find out who answers at the endpoint: browsers and WebSockets
// are no answering machines.
func (e Endpoint) Detects(how *Detection) *Detection {
	if e.User != "" || !e.Socket.IsZero() {
		return nil
	}
	return how
}

// Party is who is called, as the application is told; Edge is where.
func (e Endpoint) Party(app string) (core.Party, core.Edge) {
	switch {
	case e.User != "":
		return core.Party{User: core.UserID{App: app, Name: e.User}}, core.EdgeBrowser
	case e.House != "":
		return core.Party{User: core.UserID{Name: e.House}}, core.EdgeSIP
	case !e.Socket.IsZero():
		return core.Party{Number: e.Socket.URI}, core.EdgeSocket
	case e.URI != "":
		return core.Party{Number: e.URI}, core.EdgeSIP
	}
	return core.Party{Number: e.Phone}, core.EdgeSIP
}
