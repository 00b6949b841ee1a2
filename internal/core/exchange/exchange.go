package exchange

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/ring"
	"github.com/offhook/offhook/internal/core/route"
)

// Config is what an Exchange starts with.
type Config struct {
	// Seed makes the identifiers of new legs and calls and draws the order of random
	// groups; the same seed and the same events give the same commands. A node takes it
	// from crypto/rand.
	Seed [32]byte
	// Directory says who can be reached; nil is nobody, until DirectoryChanged.
	Directory *route.Directory
}

// Exchange is every call, leg, running hunt, park slot, trunk queue and
// registration of one node. It is not safe for concurrent use; package engine feeds it
// from one goroutine.
type Exchange struct {
	ids      *rand.ChaCha8
	dice     *rand.Rand // over ids
	dir      *route.Directory
	contacts registrations
	legs     map[core.LegID]*leg
	calls    map[core.CallID]*liveCall
	named    map[core.LegID]*leg // by what applications call them, where that is not Leg
	rooms    map[roomName]*liveCall
	records  map[core.RecordingID]*recording
	rates    map[string]*rate // of applications
	played   uint32           // sounds that may come again
	begun    uint64           // calls since the start; orders them
	trunks   map[string]*trunk
	down     map[string]bool     // trunks that answer nothing
	slots    map[string]*leg     // who is parked
	lines    map[core.UserID]int // legs of users who are in a call, or make one
	memory   ring.Memory
	meter    route.Meter
	draining bool

	now   time.Time // of the event being applied
	out   []core.Command
	spare []core.Command // what the last Apply returned, for reuse
	rows  []core.Hear    // of hear, for reuse
}

// DirectoryChanged reports that resources changed. Running calls go on as planned.
type DirectoryChanged struct {
	core.EventBase
	Directory *route.Directory
}

// New returns an Exchange without calls.
func New(cfg Config) *Exchange {
	ids := rand.NewChaCha8(cfg.Seed)
	return &Exchange{
		ids:      ids,
		dice:     rand.New(ids),
		dir:      cfg.Directory,
		contacts: newRegistrations(),
		legs:     make(map[core.LegID]*leg),
		calls:    make(map[core.CallID]*liveCall),
		named:    make(map[core.LegID]*leg),
		rooms:    make(map[roomName]*liveCall),
		records:  make(map[core.RecordingID]*recording),
		rates:    make(map[string]*rate),
		trunks:   make(map[string]*trunk),
		down:     make(map[string]bool),
		slots:    make(map[string]*leg),
		lines:    make(map[core.UserID]int),
	}
}

// Apply advances the exchange by one event, which happened at now, and returns
// what to do about it, in order. The slice is valid until the next Apply.
//
// Should Apply panic, what it had ordered until then comes with the next Apply:
// the caller recovers and applies core.Broken.
func (x *Exchange) Apply(now time.Time, ev core.Event) []core.Command {
	x.now = now
	x.apply(ev)
	out := x.out
	x.out, x.spare = x.spare[:0], out
	return out
}

// apply only dispatches. Events of legs that are unknown, or that we have ended
// already, mean nothing any more, except that a leg is gone.
func (x *Exchange) apply(ev core.Event) {
	switch ev := ev.(type) {
	case core.Offered:
		x.offered(ev)
	case core.LegGone:
		if l := x.legs[ev.Leg]; l != nil && !l.virtual {
			x.legGone(l, ev.Cause, ev.Code)
		}
	case core.Broken:
		if l := x.leg(ev.Leg); l != nil {
			x.release(l.call, core.CauseTempFailure, core.ReasonNone)
		}
	case core.LegCarried: // often after we ended it
		if l := x.legs[ev.Leg]; l != nil {
			l.quality = ev.Quality
		}
	case core.RecordEnded:
		x.recordEnded(ev.ID)
	case core.LegEvent:
		if l := x.leg(ev.LegID()); l != nil && l.state != ending && !l.virtual {
			x.applyLeg(l, ev)
		}
	case core.TimedOut:
		x.timedOut(ev.Timer)
	case core.Asked:
		x.asked(ev)
	case core.TrunkState:
		x.trunkState(ev)
	case core.ContactUp:
		x.contactUp(ev.Contact)
	case core.ContactGone:
		x.contacts.remove(ev.ID) // its legs live on until their edge says LegGone
	case DirectoryChanged:
		x.dir = ev.Directory
	case core.Draining:
		x.draining = true
	case core.Shutdown:
		x.shutdown()
	}
}

// applyLeg dispatches what happens to a leg that is not ending.
func (x *Exchange) applyLeg(l *leg, ev core.LegEvent) {
	switch ev := ev.(type) {
	case core.LegRinging:
		x.legRinging(l)
	case core.LegEarly:
		x.legEarly(l)
	case core.LegAccepted:
		x.legAccepted(l)
	case core.LegUp:
		x.legUp(l)
	case core.LegHeld:
		x.legHeld(l, ev.Held)
	case core.LegMuted:
		l.call.matrix.Mute(l.Leg, ev.Muted)
		x.hear(l.call)
	case core.LegSilent:
		x.legSilent(l, ev)
	case core.LegHeard:
		x.legHeard(l)
	case core.LegDigit:
		x.legDigit(l, ev.Digit)
	case core.Played:
		x.soundOver(l, ev.Sound, "")
	case core.SoundFailed:
		x.soundOver(l, ev.Sound, ev.Why)
	case core.TransferAsked:
		x.transferAsked(l, ev)
	default:
		if l.app != nil {
			x.applyProgrammed(l, ev)
		}
	}
}

// leg returns a leg by its own name or by what applications call it.
func (x *Exchange) leg(id core.LegID) *leg {
	if l := x.legs[id]; l != nil {
		return l
	}
	return x.named[id]
}

// timedOut dispatches a timer. One that is not running any more is late.
func (x *Exchange) timedOut(id core.TimerID) {
	if id.Kind == core.TimerPace {
		x.pace(id.Trunk)
		return
	}
	l := x.legs[id.Leg]
	if l == nil || !l.timers.running(id.Kind) {
		return
	}
	l.timers.clear(id.Kind)
	switch id.Kind {
	case core.TimerRing:
		x.huntDue(l.call)
	case core.TimerAnswer:
		x.answer(l)
	case core.TimerMedia:
		x.mediaTimedOut(l)
	case core.TimerPlay:
		x.playDue(l)
	case core.TimerConfirm:
		x.confirmTimedOut(l)
	case core.TimerPark:
		x.parkTimedOut(l)
	case core.TimerTalk:
		x.talkDue(l)
	case core.TimerSilence:
		x.silenceDue(l.call)
	case core.TimerDrain:
		x.legGone(l, l.cause, l.code)
	case core.TimerVerb:
		x.verbDue(l)
	case core.TimerLimit:
		x.finish(l, core.CauseNormal, core.ReasonLimit, 0)
	case core.TimerAsk:
		x.askDue(l)
	case core.TimerPace: // handled above
	}
}

// shutdown ends every leg of the node.
func (x *Exchange) shutdown() {
	x.draining = true
	for _, c := range x.callsWhere(func(*liveCall) bool { return true }) {
		x.release(c, core.CauseTempFailure, core.ReasonShutdown)
	}
}

// callsWhere returns the calls that match in the order they began, so that the
// commands about several calls come in the same order every time.
func (x *Exchange) callsWhere(match func(*liveCall) bool) []*liveCall {
	var matching []*liveCall
	for _, c := range x.calls {
		if match(c) {
			matching = append(matching, c)
		}
	}
	slices.SortFunc(matching, func(a, b *liveCall) int { return cmp.Compare(a.seq, b.seq) })
	return matching
}

// Drained reports whether the exchange was told to drain and no leg is left.
func (x *Exchange) Drained() bool { return x.draining && len(x.legs) == 0 }

// Size returns how many legs, calls and registrations live.
func (x *Exchange) Size() (legs, calls, contacts int) {
	return len(x.legs), len(x.calls), len(x.contacts.byID)
}

func (x *Exchange) emit(cmd core.Command) { x.out = append(x.out, cmd) }
