package exchange

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// payphone plays calls of a user with few minutes: every callee answers at once,
// every End is obeyed, timers fire on time.
type payphone struct {
	t      *testing.T
	x      *Exchange
	now    time.Time
	timers map[core.TimerID]time.Time
	talks  map[core.LegID]time.Time // since when legs over the trunk talk
	talked time.Duration            // of those that ended
	begun  int
	ended  []core.LegChange
}

func newPayphone(t *testing.T, limit route.Limit) *payphone {
	t.Helper()
	d, err := route.NewDirectory(route.Resources{
		Users:  []route.User{{Name: "ann", Limits: &limit}},
		Trunks: []route.Trunk{{Name: "line", URI: "sip:line"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &payphone{
		t: t, x: New(Config{Directory: d}), now: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC),
		timers: map[core.TimerID]time.Time{}, talks: map[core.LegID]time.Time{},
	}
}

func (p *payphone) apply(ev core.Event) {
	for _, cmd := range slices.Clone(p.x.Apply(p.now, ev)) {
		switch cmd := cmd.(type) {
		case core.Ring:
			p.talks[cmd.Leg] = p.now
			p.apply(core.LegAccepted{Leg: cmd.Leg})
			p.apply(core.LegUp{Leg: cmd.Leg})
		case core.End:
			p.gone(cmd.Leg)
		case core.StartTimer:
			p.timers[cmd.Timer] = p.now.Add(cmd.After)
		case core.StopTimer:
			delete(p.timers, cmd.Timer)
		case core.Publish:
			if cmd.Change.Kind == core.ChangeEnded {
				p.ended = append(p.ended, cmd.Change)
			}
		}
	}
}

// gone ends a leg, of either side.
func (p *payphone) gone(leg core.LegID) {
	if since, talks := p.talks[leg]; talks {
		p.talked += p.now.Sub(since)
		delete(p.talks, leg)
	}
	p.apply(core.LegGone{Leg: leg, Cause: core.CauseNormal})
}

func (p *payphone) call() (leg core.LegID) {
	p.begun++
	leg = core.LegID(fmt.Sprint("ann", p.begun))
	p.apply(core.Offered{Leg: leg, Edge: core.EdgeSIP, From: core.Party{User: core.UserID{Name: "ann"}}, To: "+12995550100"})
	return leg
}

// wait lets time pass and timers fire.
func (p *payphone) wait(d time.Duration) {
	until := p.now.Add(d)
	for {
		next, at := core.TimerID{}, until
		for id, due := range p.timers {
			if !due.After(at) {
				next, at = id, due
			}
		}
		if next == (core.TimerID{}) {
			break
		}
		delete(p.timers, next)
		p.now = at
		p.apply(core.TimedOut{Timer: next})
	}
	p.now = until
}

// used is all that was talked.
func (p *payphone) used() time.Duration {
	sum := p.talked
	for _, since := range p.talks {
		sum += p.now.Sub(since)
	}
	return sum
}

// cut returns how many legs were ended by a limit.
func (p *payphone) cut() (n int) {
	for _, c := range p.ended {
		if c.Reason == core.ReasonLimit {
			n++
			if c.Cause != core.CauseNotAllowed {
				p.t.Errorf("leg %s ended with cause %d", c.Leg, c.Cause)
			}
		}
	}
	return n
}

// TestMinutesAreUsedUp wants running conversations to end, together, when the
// minutes of their user are used up, and both sides to be told why.
func TestMinutesAreUsedUp(t *testing.T) {
	p := newPayphone(t, route.Limit{Minutes: 2})
	p.call()
	p.wait(30 * time.Second)
	p.call()
	p.wait(45*time.Second - time.Millisecond) // 30 s of one, 45 s of two
	if n := p.cut(); n != 0 {
		t.Fatalf("%d legs ended after %v", n, p.used())
	}
	p.wait(2 * time.Millisecond)
	if n := p.cut(); n != 4 || p.used() != 2*time.Minute {
		t.Errorf("%d legs of two calls ended, after %v", n, p.used())
	}
	p.call()
	if len(p.talks) != 0 {
		t.Error("a call without minutes")
	}
}

// TestMinutesLastLongerAlone wants who is left alone to talk for what is left.
func TestMinutesLastLongerAlone(t *testing.T) {
	p := newPayphone(t, route.Limit{Minutes: 2})
	p.call()
	second := p.call()
	p.wait(30 * time.Second)
	p.gone(second)
	p.wait(time.Minute - time.Millisecond)
	if n := p.cut(); n != 0 {
		t.Fatalf("%d legs ended after %v", n, p.used())
	}
	p.wait(2 * time.Millisecond)
	if n := p.cut(); n != 2 || p.used() != 2*time.Minute {
		t.Errorf("%d legs ended after %v", n, p.used())
	}
}

// TestLongestConversation ends each call by itself.
func TestLongestConversation(t *testing.T) {
	p := newPayphone(t, route.Limit{Longest: route.Duration(time.Minute)})
	p.call()
	p.wait(30 * time.Second)
	p.call()
	p.wait(31 * time.Second)
	if n := p.cut(); n != 2 || len(p.talks) != 1 {
		t.Errorf("%d legs ended, %d calls go on", n, len(p.talks))
	}
	p.wait(30 * time.Second)
	if n := p.cut(); n != 4 || p.used() != 2*time.Minute {
		t.Errorf("%d legs ended after %v", n, p.used())
	}
}

// TestMinutesUnderAnyOrder begins and ends calls at random: the minutes are never
// exceeded, and no call is cut off before.
func TestMinutesUnderAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		dice := rand.New(rand.NewPCG(seed, 7))
		p := newPayphone(t, route.Limit{Minutes: 3})
		var calls []core.LegID
		for range 60 {
			p.wait(time.Duration(dice.IntN(20_000_000_000)))
			if n := len(calls); n > 0 && dice.IntN(2) == 0 {
				i := dice.IntN(n)
				if p.x.legs[calls[i]] != nil {
					p.gone(calls[i])
				}
				calls = slices.Delete(calls, i, i+1)
				continue
			}
			calls = append(calls, p.call())
		}
		// Times are rounded up, once for each leg.
		switch used := p.used(); {
		case used > 3*time.Minute+time.Microsecond:
			t.Fatalf("seed %d: %v were talked", seed, used)
		case used < 3*time.Minute && p.cut() > 0:
			t.Fatalf("seed %d: %d legs were cut off after %v", seed, p.cut(), used)
		}
	}
}
