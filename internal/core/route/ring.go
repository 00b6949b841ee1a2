package route

import (
	"time"

	"github.com/offhook/offhook/internal/core"
)

// Ring is whom to ring for a call, and how: a group with everything looked up,
// or a single endpoint as a group of one. It is immutable and shared.
type Ring struct {
	// Key names the memory of round_robin and least_recent: the group's name, ""
	// for a single endpoint.
	Key      string
	Strategy Strategy
	Steps    []Step // at least one
	// Timeout bounds the whole, 1s to 180s. A nested group's ends that group alone.
	Timeout time.Duration
	// Hears is what the caller hears while it rings: a tone plan or music.
	Hears core.Sound
	// EarlyMedia lets the caller hear a callee's own early media as long as no
	// second callee rings. It is never set for a group of several.
	EarlyMedia bool
	// Fall says where the call goes when nobody took it. Only the outermost counts.
	Fall Fall
}

// Step is one endpoint of a Ring. Exactly one of User, URI, Attempts and Group
// is set.
type Step struct {
	User     core.UserID   // every live registration of this user
	URI      string        // a SIP URI
	Attempts []core.Target // a number over trunks, in the order to try them; see FailsOver
	Group    *Ring         // a group inside the group

	Delay   time.Duration // wait before it rings, counted from the group's or step's start; 0 is none
	Timeout time.Duration // longest ringing of this endpoint, 0 is the group's; sequential groups set it for each
	// Weight prefers an endpoint of a random group: one of weight 3 comes first
	// three times as often as one of weight 1. 0 counts as 1.
	Weight   int
	Confirm  *Confirm // the callee must press a key to get the call; nil is no
	SkipBusy bool     // a user who is in a call does not ring
	Caller   CallerID // what this endpoint sees as caller id
}

// Strategy is the order in which the endpoints of a group ring.
type Strategy uint8

// All but Simultaneous ring one endpoint after the other, each for its time-out.
const (
	// Simultaneous rings all at once.
	Simultaneous Strategy = iota
	// Sequential rings in the order of the list.
	Sequential
	// RoundRobin begins one later in the list at each call.
	RoundRobin
	// Random draws the order for each call, by weight.
	Random
	// LeastRecent begins with who took a call of this group the longest ago.
	LeastRecent
)

// Confirm makes a callee press Key to get the call, so that a voicemail never
// wins it.
type Confirm struct {
	Key     byte          // 0-9 * # A-D
	Timeout time.Duration // from the callee's answer; then it counts as no answer. 1s to 60s
	Prompt  core.Sound    // repeated until a key comes
}

// CallerID is a rule about what an endpoint sees as caller id.
type CallerID struct {
	Kind   CallerIDKind
	Number string // with CallerFixed: E.164 digits
	Prefix string // put before the caller's display name, such as "Sales: "
}

// CallerIDKind says where a caller id comes from.
type CallerIDKind uint8

const (
	// CallerOriginal passes the caller's number on; see Directory.Caller.
	CallerOriginal CallerIDKind = iota
	// CallerDialled shows the number of ours that was called.
	CallerDialled
	// CallerFixed shows Number.
	CallerFixed
	// CallerHidden shows nothing.
	CallerHidden
)

// Fall is where a call goes that nobody took, by why. A zero Destination is the
// announcement that fits the cause.
type Fall struct {
	NoAnswer    Destination
	Busy        Destination // all were busy
	Unreachable Destination // nobody had a registration or a working trunk
	Error       Destination // anything else, a decline by all included
}

// For returns the destination for a cause.
func (f Fall) For(cause core.Cause) Destination {
	switch cause {
	case core.CauseNoAnswer, core.CauseNoResponse:
		return f.NoAnswer
	case core.CauseBusy:
		return f.Busy
	case core.CauseUnreachable, core.CauseNoRoute, core.CauseOutOfOrder, core.CauseNoCircuit, core.CauseNetworkOrder,
		core.CauseTempFailure, core.CauseNoResource:
		return f.Unreachable
	default:
		return f.Error
	}
}

// Destination is where a call goes; at most one field is set.
type Destination struct {
	Prompt string `yaml:"announcement,omitempty" json:"announcement,omitempty"` // one of the core.Prompt constants
	Group  string `yaml:"group,omitempty" json:"group,omitempty"`
	User   string `yaml:"user,omitempty" json:"user,omitempty"`
	Number string `yaml:"number,omitempty" json:"number,omitempty"`
}

// IsZero reports whether d names nothing.
func (d Destination) IsZero() bool { return d == Destination{} }

// FailsOver reports whether a number that could not be reached over one trunk is
// worth trying over the next: the trunk failed, not the callee.
func FailsOver(cause core.Cause, code int) bool {
	if code >= 500 && code <= 599 || code == 408 {
		return true
	}
	switch cause {
	case core.CauseNoResponse, core.CauseNoRoute, core.CauseOutOfOrder, core.CauseNoCircuit, core.CauseNetworkOrder,
		core.CauseTempFailure, core.CauseNoResource:
		return code == 0 || code >= 500
	default:
		return false
	}
}
