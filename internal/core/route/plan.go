package route

import (
	"time"

	"github.com/offhook/offhook/internal/core"
)

// Limits of ringing where the configuration sets nothing.
const (
	DefaultRingTimeout    = 30 * time.Second
	DefaultStepTimeout    = 15 * time.Second
	DefaultConfirmTimeout = 15 * time.Second
)

// Request is a call that wants to go somewhere.
type Request struct {
	// Now is when; it decides schedules.
	Now time.Time
	// From is who calls, as the edge knows it.
	From core.Party
	// Dialled is what was dialled.
	Dialled string
	// Down reports trunks that answer nothing at the moment; they are tried last.
	// nil is none.
	Down func(trunk string) bool
	// Random returns a number in [0,n) and spreads calls over trunks of one
	// priority by weight. nil takes them in the order of the configuration.
	Random func(n int) int
}

// Plan says what to do about a call: exactly one of Dial, App and Refusal is set.
type Plan struct {
	// To is who was called, as far as we know it.
	To core.Party
	// Dial is whom to ring.
	Dial *Dial
	// App is the application that decides.
	App string
	// Refusal is why nobody is rung, and also an announcement that a number leads to.
	Refusal *Refusal
}

// Dial is a hunt: whom to ring, in which order, and what happens otherwise.
type Dial struct {
	// Group is the name of the group, "" for a single endpoint. It names what the
	// exchange remembers for RoundRobin and LeastRecent. A group's early media
	// never reaches the caller.
	Group    string
	Strategy Strategy
	// Timeout bounds the whole hunt, 1s to 180s.
	Timeout time.Duration
	// Hears is what the caller hears while it rings.
	Hears core.Sound
	// NoEarly keeps the early media of callees from the caller.
	NoEarly bool
	// Confirm is the key that takes the call, 0 if answering does. Prompt is what
	// who answers hears until then, ConfirmTimeout how long that may take, never 0
	// with a key.
	Confirm        byte
	Prompt         core.Sound
	ConfirmTimeout time.Duration
	// SkipBusy leaves out users who are in a call.
	SkipBusy bool
	// Branches are what to ring, in the order of the configuration; it may be empty.
	Branches []Branch
	// By is whose limits the calls over trunks count against; zero is the trunks'
	// alone, for the endpoints of a group are its maker's choice.
	By core.UserID
	// Where the call goes otherwise, for Directory.Divert; nil is nowhere.
	NoAnswer, Busy, Unreachable, Failed *Destination
}

// Branch is one thing to ring: Target, or a group within the group.
type Branch struct {
	// Target with User and no Contact stands for every live registration of that
	// user. One with Number is for the first of Trunks.
	Target core.Target
	// Trunks are those that carry Target.Number, in the order to try them: the next
	// one when FailsOver says so.
	Trunks []string
	// Group, if not nil, is rung in place of Target, by its own rules, except that
	// Hears and the four destinations of the outer group hold.
	Group *Dial
	// Delay holds the branch back after its turn came.
	Delay time.Duration
	// Timeout is how long the branch rings, at most as long as the hunt; never 0.
	Timeout time.Duration
	// Weight is its share with Random, 1 to 100.
	Weight int
	// CallerID is the third argument of Directory.Caller.
	CallerID string
	// Refusal, if not nil, is why the branch cannot be rung at all.
	Refusal *Refusal
	// Waits keeps the branch open until its time is over for a user who logs in only
	// then, if there is nobody else to wait for.
	Waits bool
	// Endpoint is which endpoint of an application's call the branch is, from 1. All
	// that rings for it is one leg to the application. 0 is none.
	Endpoint int
}

// Refusal is why a call goes nowhere.
type Refusal struct {
	Cause core.Cause
	Code  int // SIP status
	// Sound is announced first, as early media; the zero Sound is nothing.
	Sound core.Sound
}
