package exchange

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// town is a world of edges and people who behave: they answer what they are
// told, each leg ends once, timers fire on time. Only how long everything takes
// is left to the dice. In it nothing may get stuck: every call comes to its end
// without our help.
type town struct {
	*world
	queue   agenda
	seq     int
	gone    map[core.LegID]bool // LegGone is reported, or will never be
	bridged map[core.LegID]core.LegID
	taken   map[core.CallID]bool // somebody accepted while the caller still waited
	clock   map[core.TimerID]*appointment
	mood    func(*town, core.Ring) // what a callee does; nil is callee
	read    func(*town, core.LegChange)
	answer  func(*town, core.Consult) // what applications say
	rough   bool                      // messages are lost and repeated
	pairs   map[core.LegID]*pair      // by either leg
	widows  map[core.LegID]time.Time  // whose pair ended then, in the other leg
}

// agenda is what will happen, a heap by time.
type agenda []*appointment

type appointment struct {
	at      time.Time
	seq     int // appointments of the same time keep their order
	ev      core.Event
	timer   core.TimerID
	dropped bool // a timer that was stopped
}

func (a agenda) Len() int      { return len(a) }
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a agenda) Less(i, j int) bool {
	return a[i].at.Before(a[j].at) || a[i].at.Equal(a[j].at) && a[i].seq < a[j].seq
}

func (a *agenda) Push(x any) {
	if one, ok := x.(*appointment); ok {
		*a = append(*a, one)
	}
}

func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

func newTown(tb testing.TB, seed uint64) *town {
	tb.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	t := &town{
		world: newWorld(tb, fmt.Sprintf("town %d", seed), r.IntN),
		gone:  map[core.LegID]bool{}, bridged: map[core.LegID]core.LegID{}, taken: map[core.CallID]bool{},
		pairs: map[core.LegID]*pair{}, widows: map[core.LegID]time.Time{},
		clock: map[core.TimerID]*appointment{}, mood: (*town).callee, read: (*town).talk, answer: (*town).instruct,
	}
	t.react, t.timely = t.obey, true
	return t
}

// soon is the time a message takes: now and then none at all, so that two meet.
func (t *town) soon() time.Duration {
	return time.Duration(t.dice(4)*t.dice(60)) * time.Millisecond
}

func (t *town) seconds(most int) time.Duration {
	return time.Duration(t.dice(most*10)) * 100 * time.Millisecond
}

func (t *town) plan(after time.Duration, ev core.Event) *appointment {
	t.seq++
	one := &appointment{at: t.now.Add(after), seq: t.seq, ev: ev}
	heap.Push(&t.queue, one)
	return one
}

// hangup lets a leg's party end it, unless it is over by then. Legs of a pair have no
// party; somebody releases them.
func (t *town) hangup(after time.Duration, leg core.LegID, cause core.Cause, code int) {
	if t.pairs[leg] != nil {
		t.plan(after, core.Asked{Do: core.Release{Leg: leg}})
		return
	}
	t.plan(after, core.LegGone{Leg: leg, Cause: cause, Code: code})
}

// obey is all edges and all people.
func (t *town) obey(cmd core.Command) {
	if to, ok := cmd.(core.LegCommand); ok {
		if p := t.pairs[to.LegID()]; p != nil {
			t.obeyPair(p, cmd)
			return
		}
	}
	switch cmd := cmd.(type) {
	case core.Ring:
		t.mood(t, cmd)
	case core.Answer:
		t.plan(t.soon(), core.LegUp{Leg: cmd.Leg})
	case core.End:
		if t.dice(30) > 0 { // else the edge has lost the leg
			t.hangup(t.soon(), cmd.Leg, core.CauseNormal, 487)
		}
	case core.Hear:
		t.play(cmd)
	case core.StartTimer:
		t.stop(cmd.Timer)
		one := t.plan(cmd.After, core.TimedOut{Timer: cmd.Timer})
		one.timer, t.clock[cmd.Timer] = cmd.Timer, one
	case core.StopTimer:
		t.stop(cmd.Timer)
	case core.Publish:
		if cmd.Change.Kind == core.ChangeEnded {
			t.gone[cmd.Change.Leg] = true
			t.endsPair(cmd.Change.Leg)
		}
		if cmd.Change.Turn.No != 0 {
			t.answer(t, core.Consult{Turn: cmd.Change.Turn, Leg: cmd.Change.Leg})
		}
		t.read(t, cmd.Change)
	default:
		t.obeyApp(cmd)
	}
}

// callee decides what the party of a new leg does.
func (t *town) callee(cmd core.Ring) {
	if cmd.Edge == core.EdgeLoop {
		t.pairUp(cmd)
		return
	}
	leg, at := cmd.Leg, t.soon()
	switch t.dice(8) {
	case 0:
		t.hangup(at, leg, core.CauseBusy, 486)
		return
	case 1: // dead: no answer to the INVITE
		t.hangup(32*time.Second, leg, core.CauseNoResponse, 408)
		return
	}
	t.plan(at, core.LegRinging{Leg: leg})
	if t.dice(4) == 0 {
		t.plan(at+t.soon(), core.LegEarly{Leg: leg})
	}
	at += t.seconds(60)
	if t.dice(3) == 0 {
		t.hangup(at, leg, core.CauseRejected, 603)
		return
	}
	t.plan(at, core.LegAccepted{Leg: leg})
	if t.dice(8) > 0 { // else its media never comes up
		t.plan(at+t.soon(), core.LegUp{Leg: leg})
	}
}

// stop drops a running timer; a replaced one does not fire either.
func (t *town) stop(id core.TimerID) {
	if one := t.clock[id]; one != nil {
		one.dropped = true
		delete(t.clock, id)
	}
}

// talk lets who is connected hang up after a while.
func (t *town) talk(c core.LegChange) {
	if c.Kind == core.ChangeBridged {
		t.bridged[c.Leg] = c.Peer
		if c.Direction == core.Inbound {
			t.hangup(t.seconds(20), []core.LegID{c.Leg, c.Peer}[t.dice(2)], core.CauseNormal, 0)
		}
	}
}

// live lets everything happen that is planned, and all that follows from it.
func (t *town) live() {
	for events := 0; len(t.queue) > 0; events++ {
		if events > 100_000 {
			t.fail("the town never sleeps")
		}
		one, ok := heap.Pop(&t.queue).(*appointment)
		if !ok || one.dropped {
			continue
		}
		t.now = one.at
		t.checkPairs()
		delete(t.timers, one.timer)
		if t.clock[one.timer] == one {
			delete(t.clock, one.timer)
		}
		switch ev := one.ev.(type) {
		case core.LegGone:
			if t.gone[ev.Leg] {
				continue
			}
			t.gone[ev.Leg] = true
		case core.LegEvent:
			if t.gone[ev.LegID()] {
				continue
			}
			if _, accepts := ev.(core.LegAccepted); accepts {
				t.accepts(ev.LegID())
			}
		}
		t.deliver(one)
	}
}

// deliver applies one event; on a rough day some are lost, and some come again.
func (t *town) deliver(one *appointment) {
	if t.rough && !t.ofPair(one.ev) {
		switch one.ev.(type) {
		case core.LegRinging, core.LegEarly, core.LegUp, core.Played, core.LegDigit, core.LegHeld:
			if t.dice(25) == 0 {
				return
			}
		}
		if t.dice(15) == 0 && one.timer == (core.TimerID{}) && !namesLeg(one.ev) {
			t.apply(one.ev)
		}
	}
	t.apply(one.ev)
}

// namesLeg reports whether an event gives a new leg its name, which nobody does twice.
func namesLeg(ev core.Event) bool {
	asked, ok := ev.(core.Asked)
	if !ok {
		return false
	}
	_, creates := asked.Do.(flow.Create)
	return creates
}

// accepts notes that a call is taken before its callee's accept is applied.
func (t *town) accepts(leg core.LegID) {
	if l := t.byID[leg]; !l.ending && !l.ended {
		t.taken[l.call] = true
	}
}

// TestTown lets people call each other all day. Whoever accepts a call that is
// still wanted talks to its caller, unless no media came or somebody hung up.
func TestTown(t *testing.T) {
	var calls, talked, silent int
	for seed := range uint64(300) {
		w := newTown(t, seed)
		for _, up := range []core.Event{desk, tab, bobtab} {
			w.apply(up)
		}
		for i := range 12 {
			w.plan(w.seconds(90), func() core.Event {
				ev := fromTrunk([]string{"18", "17", "15", "16", "12"}[w.dice(5)])
				if w.dice(3) == 0 {
					ev = fromAlice([]string{"18", "bob", "0012995551234", "112"}[w.dice(4)])
				}
				ev.Leg = core.LegID(fmt.Sprintf("caller-%d", i))
				if w.dice(3) == 0 {
					w.plan(90*time.Second+w.seconds(40), core.LegGone{Leg: ev.Leg, Cause: core.CauseNormal, Code: 487})
				}
				return ev
			}())
		}
		w.live()
		if legs, live, _ := w.x.Size(); legs+live+len(w.timers) != 0 {
			w.fail("left at night: %d legs, %d calls, timers %v", legs, live, w.timers)
		}
		for _, l := range w.legs {
			if peer := w.bridged[l.Leg]; peer != "" && w.bridged[peer] != l.Leg {
				w.fail("leg %s talks with %s, who talks with %s", l.Leg, peer, w.bridged[peer])
			}
			switch {
			case l.outbound:
				continue
			case w.bridged[l.Leg] != "":
				talked++
			case w.taken[l.call]:
				silent++
			}
			calls++
		}
		for call := range w.taken {
			w.checkTaken(call)
		}
	}
	t.Logf("%d calls, %d of them talked, %d were accepted without media or left", calls, talked, silent)
	if talked < calls/5 || silent == 0 {
		t.Error("too quiet a town to prove anything")
	}
}

// checkTaken says that a call somebody accepted has exactly one winner.
func (t *town) checkTaken(call core.CallID) {
	winners := 0
	for _, l := range t.legs {
		if l.call == call && l.outbound && l.accepted {
			winners++
		}
	}
	if winners != 1 {
		t.fail("call %s was accepted and has %d winners", call, winners)
	}
}
