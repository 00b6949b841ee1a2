package exchange

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// world plays edges, timers and people around an Exchange by throwing dice, and
// watches everything it orders. Reports of legs come in any order, repeated,
// lost, and long after the leg's end.
type world struct {
	tb     testing.TB
	name   string // how to make the same world again
	x      *Exchange
	now    time.Time
	dice   func(n int) int     // a number below n
	react  func(core.Command)  // sees every command, may be nil
	log    []any               // events and commands, for the message of a failure
	caught bool                // fail panics with broken
	events int                 // applied
	refers map[core.LegID]bool // asked for a transfer, and did not hear the last of it
	timely bool                // timers fire on time, so that rates can be checked
	sent   map[string][]time.Time
	asks   core.AskID // questions asked
	waits  bool       // for the reply to the last
	legs   []*watched // all legs there ever were
	byID   map[core.LegID]*watched
	wires  []*watched // those that ring for a virtual leg; they have no history
	played map[core.LegID]core.Hear
	apps   appWatch
	timers map[core.TimerID]bool
	old    []core.TimerID // timers that ran once, to fire late
}

// watched is what the world has seen of one leg.
type watched struct {
	core.LegRef
	call           core.CallID
	outbound       bool
	began, ended   bool
	ending         bool // End was ordered
	accepted       bool // ChangeAnswered was published
	hears          []core.LegID
	wire           bool // rings for a virtual leg, or did
	rung, answered bool // Ring, Answer was ordered
}

func newWorld(tb testing.TB, name string, dice func(int) int) *world {
	tb.Helper()
	return &world{
		tb: tb, name: name, x: New(Config{Directory: house(tb)}), now: time.Unix(1e9, 0), dice: dice,
		byID: map[core.LegID]*watched{}, timers: map[core.TimerID]bool{}, sent: map[string][]time.Time{},
		refers: map[core.LegID]bool{}, played: map[core.LegID]core.Hear{}, apps: newAppWatch(),
	}
}

// fail reports a broken promise with the events that led to it.
func (w *world) fail(format string, args ...any) {
	w.tb.Helper()
	problem := fmt.Sprintf(format, args...)
	if w.caught {
		panic(broken(problem))
	}
	w.tb.Fatalf("%s: %s\n%s", w.name, problem, w.ladder(200))
}

// broken is a promise that was broken, while a simulation looks for a shorter story.
type broken string

// step lets one thing happen.
func (w *world) step() {
	w.now = w.now.Add(time.Duration(w.dice(200)) * time.Millisecond)
	switch k := w.dice(52); {
	case k < 4:
		w.offer()
	case k < 8:
		w.fire()
	case k < 9:
		w.contact()
	case k < 10 && w.dice(4) == 0 && len(w.legs) > 0:
		w.apply(core.Broken{Leg: w.anyLeg()})
	case k < 11:
		w.apply(core.TrunkState{Trunk: []string{"main", "backup", "nobody"}[w.dice(3)], Up: w.dice(2) == 0})
	case k < 17 && len(w.legs) > 0:
		w.ask()
	case k < 40 && len(w.legs) > 0:
		w.report()
	case len(w.legs) > 0:
		w.program()
	}
}

// offer lets somebody call. Now and then an edge reports the same leg twice.
func (w *world) offer() {
	to := []string{
		"18", "18", "18", "18", "17", "16", "15", "alice", "bob", "0012995551234", "112", "nobody",
		"21", "22", "23", "24", "25", "25", "26", "26", "27", "28", "29", "4940", "*8alice", "*8bob", "701", "702",
		"40", "40", "40", "41",
	}
	ev := core.Offered{Leg: core.LegID(fmt.Sprintf("in-%d", len(w.legs))), Edge: core.EdgeSIP, To: to[w.dice(len(to))]}
	switch w.dice(7) {
	case 0, 1, 2:
		ev.From = core.Party{Trunk: "carrier", Number: "1777"}
	case 3:
		ev.From = core.Party{User: core.UserID{App: []string{appID, otherID}[w.dice(2)], Name: "ann"}}
	default:
		ev.From, ev.Contact = core.Party{User: core.UserID{Name: "alice"}}, "desk"
	}
	if w.dice(12) == 0 && len(w.legs) > 0 {
		ev.Replaces = w.anyLeg()
	}
	w.apply(ev)
	if w.dice(8) == 0 && w.x.legs[ev.Leg] != nil {
		w.apply(ev)
	}
}

// fire lets a running timer end, or an old one late.
func (w *world) fire() {
	if len(w.old) == 0 {
		return
	}
	// Young ones are likelier to run still.
	back := min(w.dice(24), len(w.old)-1)
	id := w.old[len(w.old)-1-back]
	delete(w.timers, id)
	w.apply(core.TimedOut{Timer: id})
}

func (w *world) contact() {
	contact := []core.ContactUp{desk, tab, bobtab, annTab}[w.dice(4)]
	if n := w.dice(4); n > 0 {
		contact.Contact.ID += core.ContactID(fmt.Sprint(n))
		contact.Contact.Rank = (n - 1) * 300
	}
	if w.dice(3) == 0 {
		w.apply(core.ContactGone{ID: contact.Contact.ID})
		return
	}
	w.apply(contact)
}

// anyLeg picks a leg, most often one of the last.
func (w *world) anyLeg() core.LegID {
	back := min(w.dice(16), len(w.legs)-1)
	return w.legs[len(w.legs)-1-back].Leg
}

// report lets an edge say something about a leg, true or not.
func (w *world) report() {
	leg := w.anyWire()
	var ev core.Event
	switch k := w.dice(23); {
	case k < 4:
		ev = core.LegRinging{Leg: leg}
	case k < 5:
		ev = core.LegEarly{Leg: leg}
	case k < 7:
		ev = core.LegAccepted{Leg: leg}
	case k < 10:
		ev = core.LegUp{Leg: leg}
	case k < 12:
		ev = core.LegHeld{Leg: leg, Held: w.dice(2) == 0}
	case k < 13:
		ev = core.LegMuted{Leg: leg, Muted: w.dice(2) == 0}
	case k < 14:
		ev = core.LegDigit{Leg: leg, Digit: "55#"[w.dice(3)]}
	case k < 15:
		ev = core.Played{Leg: leg, Sound: []core.Sound{noAnswer, {Kind: core.SoundPrompt, Name: core.PromptConfirm}}[w.dice(2)]}
	case k < 17:
		ev = core.LegSilent{Leg: leg, Silence: core.SilenceNoRTP, Diagnosis: "no RTP comes"}
	case k < 18:
		ev = core.LegHeard{Leg: leg}
	default:
		causes := []core.Cause{0, core.CauseNormal, core.CauseBusy, core.CauseRejected, core.CauseUnreachable, 200}
		codes := []int{0, 404, 486, 603, 302, 487}
		n := w.dice(len(causes))
		ev = core.LegGone{Leg: leg, Cause: causes[n], Code: codes[n]}
	}
	w.apply(ev)
	if w.dice(6) == 0 {
		w.apply(ev)
	}
}

// ask lets a phone or an application move legs about, sensibly or not.
func (w *world) ask() {
	leg, other := w.anyLeg(), w.anyLeg()
	if l := w.x.legs[leg]; l != nil && w.dice(2) == 0 {
		// Legs of one call, or of one user, are likelier to fit.
		for _, o := range w.legs {
			if p := w.x.legs[o.Leg]; p != nil && p != l && p.self().User == l.self().User {
				other = o.Leg
			}
		}
	}
	to := []string{"bob", "17", "18", "21", "25", "0012995551234", "700", "701", "112", "16"}[w.dice(10)]
	if w.dice(2) == 0 {
		ev := core.TransferAsked{Leg: leg, To: to}
		if w.dice(3) == 0 {
			ev.Replaces = other
		}
		w.apply(ev)
		return
	}
	slot := []string{"", "", "701", "702", "703", "9"}[w.dice(6)]
	requests := []core.Request{
		core.Transfer{Leg: leg, To: to},
		core.Transfer{Leg: leg, Replaces: other},
		core.Pickup{Leg: leg, By: other},
		core.Park{Leg: leg, Slot: slot},
		core.Retrieve{Slot: slot, By: leg},
		core.Merge{Leg: leg, With: other},
		core.Retrieve{Leg: other, By: leg},
		core.AddParty{Leg: leg, To: to},
		core.AddParty{Leg: leg, To: to, Mode: core.SuperviseMode(w.dice(5))},
		core.SetHear{Call: w.callOf(leg), Pairs: []core.HearPair{{From: leg, To: other, Hears: w.dice(2) == 0}, {From: other, To: w.anyLeg()}}},
		core.SuperviseCall{Call: w.callOf(leg), Leg: other, Mode: core.SuperviseMode(w.dice(5))},
		core.SuperviseCall{Call: w.callOf(leg), To: to, Mode: core.Barge},
		core.Dismiss{Leg: leg},
		core.ReleaseCall{Call: w.callOf(leg)},
		core.Snapshot{Limit: w.dice(3), After: uint64(w.dice(4))},
		core.Snapshot{Call: w.callOf(leg)},
		core.Within{Call: w.callOf(other), Do: core.Hold{Leg: leg, Held: true}},
		core.Supervise{Leg: leg, Target: other, Mode: core.SuperviseMode(w.dice(5))},
		core.Release{Leg: leg},
		core.Hold{Leg: leg, Held: w.dice(2) == 0},
		core.Mute{Leg: leg, Muted: true},
	}
	w.asks++
	w.waits = true
	w.apply(core.Asked{Ask: w.asks, Do: requests[w.dice(len(requests))]})
	if w.waits {
		w.fail("question %d got no reply", w.asks)
	}
}

// callOf returns the call that a leg is or was in.
func (w *world) callOf(leg core.LegID) core.CallID { return w.byID[leg].call }

// apply applies one event and checks every promise of the package.
func (w *world) apply(ev core.Event) {
	w.log = append(w.log, w.now, ev)
	w.events++
	if refer, ok := ev.(core.TransferAsked); ok && w.runs(refer.Leg) {
		if l := w.x.leg(refer.Leg); l != nil && l.live() && !l.virtual {
			w.refers[l.Leg] = true
		}
	}
	w.told(ev)
	for _, cmd := range w.x.Apply(w.now, ev) {
		w.watch(cmd)
		if w.react != nil {
			w.react(cmd)
		}
	}
	w.checkRows()
	w.checkTimers()
	w.checkState()
}

// checkRows says that nobody is left listening to a leg that is gone.
func (w *world) checkRows() {
	for id := range w.x.legs {
		l := w.byID[id]
		for _, from := range l.hears {
			other := w.byID[from]
			if l.ending || l.ended {
				continue
			}
			if other.ending || other.ended {
				w.fail("leg %s listens to leg %s, which is gone", l.Leg, from)
			}
			if w.inCall(other) != w.inCall(l) {
				w.fail("leg %s listens to leg %s of another call", l.Leg, from)
			}
		}
	}
}

// watch checks one command against what was ordered before.
func (w *world) watch(cmd core.Command) {
	w.log = append(w.log, cmd)
	switch cmd := cmd.(type) {
	case core.Publish:
		w.watchChange(cmd.Change)
	case core.LegCommand:
		w.watchLeg(cmd)
	case core.Reply:
		if cmd.Ask != w.asks || !w.waits {
			w.fail("reply to nobody: %+v", cmd)
		}
		w.waits = false
	case core.Hear:
		w.mustRun(cmd.Leg, cmd).hears = cmd.From
		w.played[cmd.Leg] = cmd
		if !cmd.Sound.IsZero() && len(cmd.From) > 0 || slices.Contains(cmd.From, cmd.Leg) {
			w.fail("row with two sources, or of the leg itself: %+v", cmd)
		}
	case core.StartTimer:
		w.timers[cmd.Timer] = true
		w.old = append(w.old, cmd.Timer)
	case core.StopTimer:
		if !w.timers[cmd.Timer] {
			w.fail("stopped a timer that does not run: %+v", cmd)
		}
		delete(w.timers, cmd.Timer)
	default:
		w.watchApp(cmd)
	}
}

// mustRun returns a leg that may get commands: begun, and not told to end.
func (w *world) mustRun(id core.LegID, cmd core.Command) *watched {
	l := w.byID[id]
	if l == nil || !l.began || l.ending || l.ended {
		w.fail("command for a leg that is not running: %T%+v", cmd, cmd)
	}
	return l
}

func (w *world) watchLeg(cmd core.LegCommand) {
	if ring, ok := cmd.(core.Ring); ok && ring.As != "" && w.byID[ring.Leg] == nil {
		w.newWire(ring)
	}
	l := w.mustRun(cmd.LegID(), cmd)
	if l.Edge != cmd.LegEdge() {
		w.fail("command to the wrong edge: %T%+v", cmd, cmd)
	}
	switch cmd := cmd.(type) {
	case core.Ring:
		if l.rung || !l.outbound || cmd.Call != l.call {
			w.fail("leg rung twice, or inbound, or in another call: %+v", cmd)
		}
		if cmd.Caller.Leg != "" {
			w.mustRun(cmd.Caller.Leg, cmd)
		}
		l.rung = true
		w.checkRate(cmd)
	case core.TransferProgress:
		if !w.refers[cmd.Leg] {
			w.fail("news of a transfer that nobody asked for, or that is over: %+v", cmd)
		}
		if cmd.Final {
			delete(w.refers, cmd.Leg)
		}
	case core.Answer:
		if l.answered || l.outbound {
			w.fail("leg answered twice, or outbound: %+v", cmd)
		}
		l.answered = true
	case core.End:
		l.ending = true
	}
}

// checkRate says that a trunk never gets more than its calls per second, and a
// user with a limit never more than its calls.
func (w *world) checkRate(cmd core.Ring) {
	if cmd.Target.Trunk == "carrier" && w.timely {
		sent := append(w.sent["carrier"], w.now)
		w.sent["carrier"] = sent
		if n := len(sent); n > 3 && sent[n-1].Sub(sent[n-4]) < time.Second {
			w.fail("4 calls to the trunk within %v", sent[n-1].Sub(sent[n-4]))
		}
	}
	calls := 0
	for _, l := range w.x.legs {
		if l.direction == core.Outbound && l.to.Trunk != "" && l.from.User.Name == "poor" {
			calls++
		}
	}
	if calls > 1 {
		w.fail("%d calls of a user who may make one", calls)
	}
}

func (w *world) watchChange(c core.LegChange) {
	l := w.byID[c.Leg]
	if c.Kind == core.ChangeBegan {
		if l != nil {
			w.fail("leg began twice: %+v", c)
		}
		l = &watched{LegRef: core.LegRef{Leg: c.Leg, Edge: c.Edge}, call: c.Call, outbound: c.Direction == core.Outbound, began: true}
		w.legs, w.byID[c.Leg] = append(w.legs, l), l
		return
	}
	if l == nil || l.ended {
		w.fail("history before the beginning or after the end: %+v", c)
	}
	if (c.Kind == core.ChangeMoved || c.Kind == core.ChangeLeft) && c.Call != l.call {
		if c.Left != l.call && c.App != "" {
			w.fail("leg left another call than it was in: %+v", c)
		}
		if c.App != "" && c.Kind == core.ChangeMoved {
			w.apps.moved++
		}
		l.call = c.Call
	}
	if c.Call != l.call {
		w.fail("leg changed its call: %+v", c)
	}
	if c.Turn.No != 0 {
		w.asked(c.Turn)
		w.apps.asides = append(w.apps.asides, c.Turn)
	}
	switch c.Kind {
	case core.ChangeAnswered:
		l.accepted = true
		w.checkWinners(c.Call)
	case core.ChangeEnded:
		if c.Cause == 0 || c.Cause > 127 {
			w.fail("ended without a Q.850 cause: %+v", c)
		}
		l.ended = true
	case core.ChangeMoved, core.ChangeBegan, core.ChangeRinging, core.ChangeConfirming, core.ChangeBridged, core.ChangeHeld,
		core.ChangeResumed, core.ChangeParked, core.ChangeSilent, core.ChangeHeard,
		core.ChangeHuman, core.ChangeMachine, core.ChangeBeep, core.ChangeNoBeep, core.ChangeClosed, core.ChangeLeft:
	}
}

// checkWinners says that of one hunt at most one leg wins: besides those who
// talk, and who waits for it, at most one leg of a call was answered.
func (w *world) checkWinners(call core.CallID) {
	winners := 0
	for _, l := range w.legs[max(0, len(w.legs)-200):] {
		if l.call != call || !l.outbound || !l.accepted || l.ending || l.ended {
			continue
		}
		if p := w.x.leg(l.Leg); !p.joined && !p.watches && p != p.call.caller && p != p.call.referrer && (p.app == nil || p == p.call.winner) {
			winners++
		}
	}
	if winners > 1 {
		w.fail("call %s has %d winners", call, winners)
	}
}

// checkTimers says that every timer has an owner.
func (w *world) checkTimers() {
	for id := range w.timers {
		switch {
		case id.Leg != "":
			if l := w.byID[id.Leg]; l == nil || l.ended || l.wire && w.x.legs[id.Leg] == nil {
				w.fail("timer of a leg that is gone: %+v", id)
			}
		case w.x.trunks[id.Trunk] == nil || len(w.x.trunks[id.Trunk].waiting) == 0:
			w.fail("timer of a trunk that nobody waits for: %+v", id)
		}
	}
}

// checkState looks inside: every leg is in its call and in no other, and
// everything that waits waits for something.
func (w *world) checkState() {
	inCalls := 0
	for id, c := range w.x.calls {
		if len(c.legs) == 0 || c.id != id {
			w.fail("empty or misnamed call %s", id)
		}
		inCalls += len(c.legs)
		for _, l := range c.legs {
			w.checkLeg(c, l)
		}
		w.checkCall(c)
	}
	if inCalls != len(w.x.legs) {
		w.fail("%d legs, %d of them in calls", len(w.x.legs), inCalls)
	}
	for _, t := range w.x.trunks {
		w.checkTrunk(t)
	}
	w.checkCounts()
	w.checkRefers()
	w.checkApps()
}

// finish hangs up everywhere and checks that nothing is left.
func (w *world) finish() {
	w.apply(core.Draining{})
	w.apply(core.Shutdown{})
	for _, l := range slices.Concat(w.legs, w.wires) {
		switch {
		case l.ended || w.x.legs[l.Leg] == nil:
		case w.dice(4) == 0: // the edge never reports
			id := core.TimerID{Kind: core.TimerDrain, Leg: l.Leg}
			delete(w.timers, id)
			w.apply(core.TimedOut{Timer: id})
		default:
			w.apply(core.LegGone{Leg: l.Leg, Cause: core.CauseNormal})
		}
	}
	for _, l := range w.legs {
		if !l.ended {
			w.fail("leg %s did not end", l.Leg)
		}
	}
	w.checkNothingLeft()
	if legs, calls, _ := w.x.Size(); legs+calls+len(w.timers)+len(w.x.slots) != 0 || !w.x.Drained() || !w.x.meter.Idle() {
		w.fail("left: %d legs, %d calls, timers %v, drained %v", legs, calls, w.timers, w.x.Drained())
	}
}
