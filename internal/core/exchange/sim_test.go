package exchange

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// The simulator drives an Exchange with phones, browsers, trunks, networks and
// applications that behave, each in its own time, some badly. A seed says what
// happens. After every event the world checks what the package promises.
//
//	go test -run TestSimulator ./internal/core/exchange -sim.events 10000000
//	go test -run TestSimulator ./internal/core/exchange -sim.time 10m
//	go test -run TestSimulator ./internal/core/exchange -sim.seed 4711
var (
	simEvents = flag.Int("sim.events", 100_000, "least number of events to simulate")
	simTime   = flag.Duration("sim.time", 0, "simulate for that long, with seeds nobody has tried")
	simSeed   = flag.Uint64("sim.seed", 0, "simulate this seed alone")
)

// foundSeeds once broke a promise. What each found is in docs/testing.md.
var foundSeeds = []uint64{167}

// act is one scenario within a simulation: somebody calls, things happen.
type act struct {
	at   time.Duration
	kind int
	seed uint64
}

// sim is a town with a list of acts.
type sim struct {
	*town
	acts  []act
	legs  map[core.LegID]*scenario // of inbound legs: the scenario they play in
	calls map[core.CallID]*scenario
	count map[string]int // how often each scenario came to its point
	plays *scenario      // whose legs are planned
	n     int            // inbound legs so far
}

// script makes the acts of a seed.
func scriptOf(seed uint64) (acts []act) {
	r := rand.New(rand.NewPCG(seed, 7))
	for range 2 + r.IntN(6) {
		acts = append(acts, act{at: time.Duration(r.IntN(400)) * 100 * time.Millisecond, kind: r.IntN(len(scenarios)), seed: r.Uint64()})
	}
	return acts
}

// run plays acts and returns the promise that was broken, "" for none.
func run(tb testing.TB, seed uint64, acts []act, count map[string]int) (s *sim, problem string) {
	tb.Helper()
	s = &sim{
		town: newTown(tb, seed), acts: acts, count: count,
		legs: map[core.LegID]*scenario{}, calls: map[core.CallID]*scenario{},
	}
	s.name, s.caught, s.rough = fmt.Sprintf("seed %d", seed), true, seed%2 == 0
	s.mood = func(_ *town, cmd core.Ring) { s.callee(cmd) }
	s.town.read = func(_ *town, c core.LegChange) { s.read(c) }
	s.answer = func(_ *town, q core.Consult) { s.instructed(q) }
	defer func() {
		if p := recover(); p != nil {
			problem = fmt.Sprint(p)
		}
	}()
	for _, up := range []core.Event{desk, tab, bobtab, annTab} {
		s.apply(up)
	}
	for _, a := range acts {
		sc := &scenarios[a.kind]
		s.plays = sc
		for range max(1, sc.calls) {
			s.offer(a.at+s.soon(), sc)
		}
		if sc.around != nil {
			sc.around(s, a.at)
		}
	}
	s.live()
	if legs, calls, _ := s.x.Size(); legs+calls+len(s.timers)+len(s.x.slots)+len(s.x.lines) != 0 || !s.x.meter.Idle() {
		s.fail("left at night: %d legs, %d calls, timers %v", legs, calls, s.timers)
	}
	s.checkNothingLeft()
	answered, last := s.checkPairsOver()
	s.count[pairsAnswered] += answered
	s.count[pairsLast] += last
	return s, ""
}

// offer lets somebody call, and give up or hang up at last.
func (s *sim) offer(at time.Duration, sc *scenario) core.LegID {
	s.n++
	leg := core.LegID(fmt.Sprintf("caller-%d", s.n))
	ev := fromTrunk(sc.to[s.dice(len(sc.to))])
	switch sc.from {
	case "alice":
		ev = fromAlice(ev.To)
	case "bob":
		ev = fromBob(leg, ev.To)
	case "poor":
		ev = poor(leg, ev.To)
	}
	ev.Leg = leg
	s.legs[leg] = sc
	s.plan(at, ev)
	patience := 150*time.Second + s.seconds(60)
	if sc.impatient {
		patience = s.seconds(30)
	}
	s.hangup(at+patience, leg, core.CauseNormal, 487)
	return leg
}

// callee lets the party of a new leg do what its scenario wants, or anything.
func (s *sim) callee(cmd core.Ring) {
	sc := s.legs[cmd.Caller.Leg]
	if sc == nil {
		sc = s.calls[cmd.Call]
	}
	s.calls[cmd.Call] = sc
	if cmd.Edge == core.EdgeLoop {
		s.legs[s.pairUp(cmd).in] = sc
		return
	}
	if sc == nil || sc.mood == nil {
		s.town.callee(cmd)
	} else {
		sc.mood(s, cmd.Leg)
	}
	s.hangup(240*time.Second+s.seconds(60), cmd.Leg, core.CauseNormal, 0) // the end of any conversation
}

// read follows the history: who is connected does what the scenario is about,
// and who is asked for a key presses one, sooner or later.
func (s *sim) read(c core.LegChange) {
	switch c.Kind {
	case core.ChangeConfirming:
		s.plan(s.seconds(20), core.LegDigit{Leg: c.Leg, Digit: "5551"[s.dice(4)]})
	case core.ChangeParked:
		s.plan(s.seconds(60), core.Offered{Leg: s.newLeg(), Edge: core.EdgeBrowser, From: core.Party{User: core.UserID{Name: "bob"}}, To: c.Slot})
	case core.ChangeBridged:
		sc := s.legs[c.Leg]
		if sc == nil || c.Direction != core.Inbound || sc.talk == nil {
			s.talk(c)
			return
		}
		s.legs[c.Leg] = nil // once
		s.calls[c.Call] = nil
		s.count[sc.name]++
		sc.talk(s, c)
		s.talk(c)
	case core.ChangeBegan, core.ChangeRinging, core.ChangeAnswered, core.ChangeHeld, core.ChangeResumed,
		core.ChangeMoved, core.ChangeEnded, core.ChangeSilent, core.ChangeHeard,
		core.ChangeHuman, core.ChangeMachine, core.ChangeBeep, core.ChangeNoBeep, core.ChangeClosed, core.ChangeLeft:
	}
}

// instructed lets the application of a scenario answer.
func (s *sim) instructed(q core.Consult) {
	sc := s.legs[q.Leg]
	if sc == nil {
		sc = s.calls[q.Call]
	}
	if sc == nil || sc.program == nil {
		s.instruct(q)
		return
	}
	s.count[sc.name]++
	s.plays = sc
	sc.program(s, q)
}

// newLeg names an inbound leg that ends by itself at last.
func (s *sim) newLeg() core.LegID {
	s.n++
	leg := core.LegID(fmt.Sprintf("caller-%d", s.n))
	s.hangup(200*time.Second, leg, core.CauseNormal, 0)
	return leg
}

func (s *sim) ask(after time.Duration, do core.Request) { s.plan(after, core.Asked{Do: do}) }

// What is counted of pairs, beside scenarios.
const pairsAnswered, pairsLast = "pairs answered", "pairs behind as many numbers of ours as may be"

// tries is how many other throws of the dice shrink gives a shorter story.
const tries = 40

// shrink leaves out every act without which the story still ends badly, perhaps
// with other dice. It returns the seed of those.
func shrink(tb testing.TB, seed uint64, acts []act) (uint64, []act) {
	tb.Helper()
next:
	for i := 0; i < len(acts); {
		fewer := slices.Delete(slices.Clone(acts), i, i+1)
		for try := range uint64(tries) {
			if _, problem := run(tb, seed+try<<32, fewer, map[string]int{}); problem != "" {
				seed, acts = seed+try<<32, fewer
				continue next
			}
		}
		i++
	}
	return seed, acts
}

// report tells the shortest story of a failure.
func report(tb testing.TB, seed uint64) {
	tb.Helper()
	dice, acts := shrink(tb, seed, scriptOf(seed))
	s, problem := run(tb, dice, acts, map[string]int{})
	names := make([]string, len(acts))
	for i, a := range acts {
		names[i] = scenarios[a.kind].name
	}
	tb.Fatalf("-sim.seed %d: %s\nscenarios: %q\n%s", seed, problem, names, s.ladder(150))
}

// TestSimulator plays one seed after the other, until there were events enough.
func TestSimulator(t *testing.T) {
	count := map[string]int{}
	events, played := 0, make([]int, len(scenarios))
	one := func(seed uint64) {
		acts := scriptOf(seed)
		s, problem := run(t, seed, acts, count)
		if problem != "" {
			report(t, seed)
		}
		events += s.events
		for _, a := range acts {
			played[a.kind]++
		}
	}
	if *simSeed != 0 {
		one(*simSeed)
		return
	}
	for _, seed := range foundSeeds {
		one(seed)
	}
	first, began := uint64(1), time.Now()
	if *simTime > 0 {
		first = uint64(began.UnixMicro())
	}
	seed := first
	for ; events < *simEvents || time.Since(began) < *simTime; seed++ {
		one(seed)
	}
	t.Logf("%d events in %d simulations of %d scenarios, %.0f events/s", events, seed-first, len(scenarios), float64(events)/time.Since(began).Seconds())
	t.Logf("%d %s, %d %s", count[pairsAnswered], pairsAnswered, count[pairsLast], pairsLast)
	if count[pairsAnswered] == 0 || count[pairsLast] == 0 {
		t.Error("calls of applications to themselves prove nothing")
	}
	for i, sc := range scenarios {
		if played[i] == 0 || (sc.talk != nil || sc.program != nil) && count[sc.name] == 0 {
			t.Errorf("scenario %q never came to its point", sc.name)
		}
	}
}
