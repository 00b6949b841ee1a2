package exchange

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// calls takes a snapshot and writes each call as "leg state", joined by commas.
func (s *script) calls(req core.Snapshot) (lines []string, r core.Reply) {
	for _, cmd := range s.x.Apply(s.now, core.Asked{Ask: 1, Do: req}) {
		if reply, ok := cmd.(core.Reply); ok {
			r = reply
		}
	}
	for _, c := range r.Calls {
		var legs []string
		for _, l := range c.Legs {
			legs = append(legs, s.leg(l))
		}
		lines = append(lines, strings.Join(legs, ", "))
	}
	return lines, r
}

func (s *script) leg(l core.LiveLeg) string {
	line := s.name(l.Leg) + " " + l.State.String()
	if l.Slot != "" {
		line += " " + l.Slot
	}
	if l.Mode != 0 {
		line += " " + l.Mode.String() + " " + s.name(l.Target)
	}
	if l.Held {
		line += " held"
	}
	if l.Muted {
		line += " muted"
	}
	if source := s.source(l.Hears); source != "nothing" {
		line += " <" + source
	}
	return line
}

// TestSnapshot: what happened, and how the legs stand.
func TestSnapshot(t *testing.T) {
	talk := seq(desk, bobtab, fromTrunk("17"), up("desk"), core.LegUp{Leg: "a"})
	for _, tt := range []struct {
		name  string
		given []core.Event
		want  string
	}{
		{"nobody", nil, ""},
		{"trying", seq(desk, fromTrunk("17")), "a trying, desk trying"},
		{"ringing", seq(desk, fromTrunk("17"), core.LegRinging{Leg: "desk"}), "a early <ringback:us, desk ringing"},
		{"early media", seq(fromAlice("4940"), core.LegEarly{Leg: "4940"}), "a early <4940, 4940 early"},
		{"accepted, no media yet", seq(desk, fromTrunk("17"), core.LegAccepted{Leg: "desk"}), "a trying, desk answered"},
		{"talking", talk, "a answered <desk, desk answered <a"},
		{"held and muted", seq(talk, core.LegHeld{Leg: "desk", Held: true}, core.LegMuted{Leg: "a", Muted: true}), "a answered muted <music, desk answered held"},
		{"confirming", seq(bobtab, fromTrunk("25"), core.LegAccepted{Leg: "1001"}, core.LegUp{Leg: "1001"}), "a trying, 1001 confirming <prompt:confirm, 1002 trying, bobtab trying"},
		{"parked", seq(talk, ask(core.Park{Leg: "a", Slot: "705"}), gone("desk", 16, 0)), "a parked 705 <music"},
		{"told to end", seq(talk, ask(core.Park{Leg: "a", Slot: "705"})), "a parked 705 <music"},
		{"all told to end", seq(talk, core.Shutdown{}), ""},
		{"supervised", seq(talk, fromBob("s", "112"), ask(core.Supervise{Leg: "s", Target: "desk", Mode: core.Whisper})), "a answered <desk, desk answered <a+s, s supervising whisper desk <a+desk"},
		{"two calls", seq(talk, dial("b", "15")), "a answered <desk, desk answered <a; b trying, bobtab trying"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t)
			for _, ev := range tt.given {
				s.apply(ev)
			}
			lines, r := s.calls(core.Snapshot{Limit: 10})
			if got := strings.Join(lines, "; "); got != tt.want || r.Err != nil {
				t.Errorf("\n got %s %v\nwant %s", got, r.Err, tt.want)
			}
		})
	}
}

// TestSnapshotTimes: when a call and its legs began and were answered.
func TestSnapshotTimes(t *testing.T) {
	s := newScript(t)
	began := s.now
	for _, ev := range seq(desk, fromTrunk("17"), after{d: time.Second}, core.LegAccepted{Leg: "desk"}, after{d: time.Second}, core.LegUp{Leg: "desk"}) {
		s.apply(ev)
	}
	_, r := s.calls(core.Snapshot{Limit: 1})
	a, d := r.Calls[0].Legs[0], r.Calls[0].Legs[1]
	if !r.Calls[0].Begun.Equal(began) || !a.Begun.Equal(began) || !d.Begun.Equal(began) ||
		!d.Answered.Equal(began.Add(time.Second)) || !a.Answered.Equal(began.Add(2*time.Second)) {
		t.Errorf("%+v", r.Calls[0])
	}
}

// TestSnapshotPages: every call once, the oldest first, whatever the page.
func TestSnapshotPages(t *testing.T) {
	s := newScript(t)
	s.apply(desk)
	const n = 25
	var want []string
	for i := range n {
		ev := fromTrunk("17")
		ev.Leg = core.LegID(fmt.Sprintf("leg%02d", i))
		s.apply(ev)
		if i == 7 {
			s.apply(ask(core.Release{Leg: ev.Leg}))
			continue
		}
		want = append(want, string(ev.Leg))
	}
	for _, limit := range []int{1, 6, 24, 25, 1000} {
		var got []string
		q := core.Snapshot{Limit: limit}
		for more := true; more && len(got) <= n; {
			_, r := s.calls(q)
			for _, c := range r.Calls {
				got = append(got, string(c.Legs[0].Leg))
				q.After = c.Seq
			}
			if more = r.More; more && len(r.Calls) != limit {
				t.Fatalf("a page of %d has %d", limit, len(r.Calls))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v", limit, got)
		}
	}
	for _, limit := range []int{0, -1, 1001} {
		if _, r := s.calls(core.Snapshot{Limit: limit}); core.KindOf(r.Err) != core.Invalid {
			t.Errorf("limit %d: %v", limit, r.Err)
		}
	}
	one := s.x.legs["leg03"].call.id
	if lines, r := s.calls(core.Snapshot{Call: one}); r.Err != nil || len(lines) != 1 || r.Calls[0].ID != one {
		t.Errorf("one call: %v, %v", lines, r.Err)
	}
	for _, over := range []core.CallID{"nothing", s.x.legs["leg07"].call.id} {
		if _, r := s.calls(core.Snapshot{Call: over}); core.KindOf(r.Err) != core.NotFound {
			t.Errorf("call %s: %v", over, r.Err)
		}
	}
}

// TestSnapshotKeepsItsValues: what was handed out does not change with the call.
func TestSnapshotKeepsItsValues(t *testing.T) {
	s := newScript(t)
	for _, ev := range seq(desk, bobtab, fromTrunk("17"), up("desk"), core.LegUp{Leg: "a"}) {
		s.apply(ev)
	}
	_, r := s.calls(core.Snapshot{Limit: 1})
	before := s.leg(r.Calls[0].Legs[0])
	for _, ev := range seq(ask(core.AddParty{Leg: "desk", To: "bob"}), up("bobtab"), gone("desk", 16, 0)) {
		s.apply(ev)
	}
	if now := s.leg(r.Calls[0].Legs[0]); now != before {
		t.Errorf("%q became %q", before, now)
	}
}

// TestWithin: a request for a leg that is not in the call it is said to be in.
func TestWithin(t *testing.T) {
	s := newScript(t)
	for _, ev := range seq(desk, bobtab, fromTrunk("17"), up("desk"), core.LegUp{Leg: "a"}, dial("b", "15")) {
		s.apply(ev)
	}
	for call, want := range map[core.CallID]string{
		s.x.legs["a"].call.id: "hear a nothing, hear desk music, done", s.x.legs["b"].call.id: "refused not_found", "": "refused not_found",
	} {
		got, _ := s.apply(ask(core.Within{Call: call, Do: core.Hold{Leg: "a", Held: true}}))
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("in %q: %s, want %s", call, got, want)
		}
	}
}

// BenchmarkSnapshot is one page of 100 of 5,000 calls with 10,000 legs, for which
// the loop waits.
func BenchmarkSnapshot(b *testing.B) {
	s := newScript(b)
	s.apply(desk)
	for i := range 5000 {
		ev := fromTrunk("17")
		ev.Leg = core.LegID(fmt.Sprintf("leg%d", i))
		s.x.Apply(s.now, ev)
	}
	for b.Loop() {
		s.x.Apply(s.now, core.Asked{Ask: 1, Do: core.Snapshot{Limit: 100}})
	}
}
