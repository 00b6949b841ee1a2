package exchange

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// digit is a key pressed at a leg.
func digit(leg core.LegID, key byte) core.LegDigit { return core.LegDigit{Leg: leg, Digit: key} }

// offer is a call of leg from bob's browser.
func fromBob(leg core.LegID, to string) core.Offered {
	return core.Offered{Leg: leg, Edge: core.EdgeBrowser, From: core.Party{User: core.UserID{Name: "bob"}}, Contact: "bobtab", To: to}
}

func ask(do core.Request) core.Asked { return core.Asked{Ask: 1, Do: do} }

// up is a callee that answers and has media at once.
func up(leg core.LegID) []core.Event {
	return []core.Event{core.LegRinging{Leg: leg}, core.LegAccepted{Leg: leg}, core.LegUp{Leg: leg}}
}

// seq joins events and lists of events.
func seq(parts ...any) (all []core.Event) {
	for _, p := range parts {
		switch p := p.(type) {
		case core.Event:
			all = append(all, p)
		case []core.Event:
			all = append(all, p...)
		}
	}
	return all
}

// Each case: the events before, the event, what the exchange orders at it.
func TestGroups(t *testing.T) {
	confirm := core.Played{Leg: "1001", Sound: core.Sound{Kind: core.SoundPrompt, Name: core.PromptConfirm}}
	asked := seq(bobtab, fromTrunk("25"), core.LegAccepted{Leg: "1001"}, core.LegUp{Leg: "1001"})
	steps := seq(desk, bobtab, fromTrunk("21"))
	tests := []step{
		{"sequential rings the first", seq(desk, bobtab), fromTrunk("21"), "ring 1001, start ring a 10s"},
		{"sequential: busy, the next", steps, gone("1001", 17, 486), "ring desk"},
		{"sequential: step over, the next", steps, timedOut(core.TimerRing, "a"), "end 1001 19 timeout, ring desk, start ring a 10s"},
		{"sequential: nobody answers, on to carol, who has no phone", seq(steps, alerted("1001"), alerted("desk"), core.LegRinging{Leg: "bobtab"}), timedOut(core.TimerRing, "a"), "end bobtab 19 timeout, hear a prompt:unreachable, start play a 10s"},
		{"sequential: no phone even rings, on to where the unreachable go", seq(steps, timedOut(core.TimerRing, "a"), timedOut(core.TimerRing, "a")), timedOut(core.TimerRing, "a"), "end bobtab 19 timeout, ring 1001, start ring a 29s, ring 1002, ring desk, ring bobtab"},
		{"all busy falls through to an announcement", seq(steps, gone("1001", 17, 486), gone("desk", 17, 486)), gone("bobtab", 17, 486), "progress a, hear a prompt:closed, start play a 10s"},
		{"confirm: answer is not enough", seq(bobtab, fromTrunk("25")), core.LegAccepted{Leg: "1001"}, "start media 1001 5s"},
		{"confirm: the prompt", seq(bobtab, fromTrunk("25"), core.LegAccepted{Leg: "1001"}), core.LegUp{Leg: "1001"}, "start confirm 1001 12s, hear 1001 prompt:confirm"},
		{"confirm: the prompt repeats", asked, confirm, "hear 1001 nothing, hear 1001 prompt:confirm"},
		{"confirm: another key", asked, digit("1001", '1'), ""},
		{"confirm: the key wins", asked, digit("1001", '5'), "end 1002 26 answered_elsewhere, end bobtab 26 answered_elsewhere, hear a 1001, hear 1001 a, answer a"},
		{"confirm: two listen, the second presses", seq(asked, core.LegAccepted{Leg: "1002"}, core.LegUp{Leg: "1002"}), digit("1002", '5'), "end 1001 26 answered_elsewhere, end bobtab 26 answered_elsewhere, hear a 1002, hear 1002 a, answer a"},
		{"confirm: the first presses too late", seq(asked, core.LegAccepted{Leg: "1002"}, core.LegUp{Leg: "1002"}, digit("1002", '5')), digit("1001", '5'), ""},
		{"confirm: key before the media", seq(bobtab, fromTrunk("25"), core.LegAccepted{Leg: "1001"}), digit("1001", '5'), "end 1002 26 answered_elsewhere, end bobtab 26 answered_elsewhere, start answer a 2s"},
		{"confirm: no key in time counts as no answer", asked, timedOut(core.TimerConfirm, "1001"), "end 1001 19 timeout"},
		{"confirm: hung up instead, the last", seq(asked, gone("1002", 17, 486), gone("bobtab", 17, 486)), gone("1001", 16, 0), "progress a, hear a prompt:no-answer, start play a 10s"},
		{"confirm: ring time over while one listens", asked, timedOut(core.TimerRing, "a"), "end 1002 19 timeout, end bobtab 19 timeout"},
		{"confirm: media never up", seq(bobtab, fromTrunk("25"), core.LegAccepted{Leg: "1001"}), timedOut(core.TimerMedia, "1001"), "end 1001 102 no_media"},
		{"skip busy: alice is in a call", seq(desk, bobtab, fromTrunkLeg("x", "17"), core.LegAccepted{Leg: "desk"}), fromTrunk("27"), "ring bobtab, start ring a 30s"},
		{"skip busy: registration of who is in a call", seq(desk, bobtab, fromTrunkLeg("x", "17"), core.LegAccepted{Leg: "desk"}, fromTrunk("27")), tab, ""},
		{"skip busy: all are", seq(desk, bobtab, fromTrunkLeg("x", "17"), core.LegAccepted{Leg: "desk"}, fromTrunkLeg("y", "15"), core.LegAccepted{Leg: "bobtab"}), fromTrunk("27"), "progress a, hear a prompt:busy, start play a 10s"},
		{"183 of the only member of a group", seq(fromTrunk("28")), core.LegEarly{Leg: "4930"}, ""},
		{"music instead of ringback", seq(fromTrunk("30")), core.LegRinging{Leg: "1001"}, "progress a, hear a music"},
		{"do not disturb", nil, fromTrunk("29"), "progress a, hear a prompt:busy, start play a 10s"},
		{"least recent: who hung up last comes last", seq(
			desk, bobtab, fromTrunkLeg("x", "23"), up("desk"), fromTrunkLeg("y", "23"), up("bobtab"), after{d: time.Minute}, gone("bobtab", 16, 0),
			after{d: time.Hour}, gone("desk", 16, 0), after{d: time.Minute},
		), fromTrunk("23"), "ring bobtab, start ring a 15s"},
		{"nested group, one delayed", seq(desk, bobtab), fromTrunk("26"), "ring bobtab, start ring a 5s, ring 1001"},
		{"nested group steps on", seq(desk, bobtab, fromTrunk("26")), gone("1001", 17, 486), "ring desk"},
		{"delay is over", seq(desk, bobtab, fromTrunk("26")), timedOut(core.TimerRing, "a"), "ring 1009, start ring a 5s"},
		{"trunk of the longest prefix and lowest priority", nil, fromAlice("4940"), "ring 4940, start ring a 8s"},
		{"trunk fails over", seq(fromAlice("4940")), gone("4940", 34, 503), "ring 4940@backup"},
		{"trunk's callee is busy", seq(fromAlice("4940")), gone("4940", 17, 486), "progress a, hear a prompt:busy, start play a 10s"},
		{"trunk gives no sign of life", seq(fromAlice("4940")), timedOut(core.TimerRing, "a"), "end 4940 18 timeout, ring 4940@backup, start ring a 8s"},
		{"dead trunk goes last", seq(core.TrunkState{Trunk: "main"}), fromAlice("4940"), "ring 4940@backup, start ring a 8s"},
		{"trunk is alive again", seq(core.TrunkState{Trunk: "main"}, core.TrunkState{Trunk: "main", Up: true}), fromAlice("4940"), "ring 4940, start ring a 8s"},
		{"all trunks of a group failed, on to bob", seq(bobtab, fromTrunk("28"), gone("4930", 34, 503), gone("4930@backup", 34, 503)), gone("4930", 34, 503), "ring bobtab, start ring a 30s"},
		{"one call at a time", seq(poor("x", "0012995551")), poor("a", "0012995552"), "progress a, hear a prompt:not-allowed, start play a 10s"},
	}
	runSteps(t, tests)
}

// alerted is a phone that rings its whole time.
func alerted(leg core.LegID) []core.Event {
	return []core.Event{core.LegRinging{Leg: leg}, timedOut(core.TimerRing, "a")}
}

func fromTrunkLeg(leg core.LegID, to string) core.Offered {
	ev := fromTrunk(to)
	ev.Leg = leg
	return ev
}

func poor(leg core.LegID, to string) core.Offered {
	return core.Offered{Leg: leg, Edge: core.EdgeSIP, From: core.Party{User: core.UserID{Name: "poor"}}, To: to}
}

func TestMoves(t *testing.T) {
	talk := seq(desk, tab, bobtab, fromTrunk("17"), up("desk"), core.LegUp{Leg: "a"}, gone("tab", 16, 0))
	consult := seq(talk, dial("b", "15"))                                        // another trunk call, bob rings
	second := seq(talk, fromDesk("d2", "15"))                                    // alice's desk calls bob, in a call of its own
	attended := seq(second, up("bobtab"))                                        // and talks with him
	blind := seq(talk, core.TransferAsked{Leg: "desk", To: "bob"})               // alice sends a on to bob
	parked := seq(talk, core.TransferAsked{Leg: "desk", To: "700"})              // alice parks a
	three := seq(talk, ask(core.AddParty{Leg: "desk", To: "bob"}), up("bobtab")) // a, alice and bob
	tests := []step{
		{"blind transfer rings", talk, core.TransferAsked{Leg: "desk", To: "bob"}, "hear a nothing, hear desk nothing, notify desk 100, ring bobtab, start ring a 30s"},
		{"blind transfer: alerted", blind, core.LegRinging{Leg: "bobtab"}, "notify desk 180, hear a ringback:us"},
		{"blind transfer: answered", seq(blind, core.LegAccepted{Leg: "bobtab"}), core.LegUp{Leg: "bobtab"}, "hear a bobtab, hear bobtab a, notify desk 200 final, end desk 16"},
		{"blind transfer: busy, back to who sent", blind, gone("bobtab", 17, 486), "notify desk 486 final, hear a desk, hear desk a"},
		{"blind transfer: who sent is gone, busy", seq(blind, gone("desk", 16, 0)), gone("bobtab", 17, 486), "hear a prompt:busy, start play a 10s"},
		{"blind transfer: who sent is gone, busy: an answered leg has no code", seq(blind, gone("desk", 16, 0), gone("bobtab", 17, 486)), timedOut(core.TimerPlay, "a"), "end a 17"},
		{"blind transfer: who sent hangs up", blind, gone("desk", 16, 0), ""},
		{"blind transfer: the sent hangs up", blind, gone("a", 16, 0), "notify desk 480 final, end desk 16, end bobtab 16 caller_gone"},
		{"blind transfer to an emergency number", talk, core.TransferAsked{Leg: "desk", To: "112"}, "notify desk 403 final"},
		{"blind transfer by a trunk to a trunk", talk, core.TransferAsked{Leg: "a", To: "0012995551"}, "notify a 404 final"},
		{"blind transfer by a trunk to our number", talk, core.TransferAsked{Leg: "a", To: "15"}, "hear a nothing, hear desk nothing, notify a 100, ring bobtab, start ring desk 30s"},
		{"transfer while it rings", seq(desk, fromTrunk("17")), core.TransferAsked{Leg: "desk", To: "bob"}, "notify desk 481 final"},
		{"attended transfer", attended, core.TransferAsked{Leg: "desk", Replaces: "d2"}, "notify desk 200 final, hear desk nothing, end d2 16, hear bobtab a, hear a bobtab, end desk 16"},
		{"attended transfer: the two hang up", seq(attended, core.TransferAsked{Leg: "desk", Replaces: "d2"}), gone("a", 16, 0), "end bobtab 16"},
		{"attended transfer while it rings", second, core.TransferAsked{Leg: "desk", Replaces: "d2"}, "notify desk 200 final, hear desk nothing, end d2 16, start ring a 30s, hear a nothing, end desk 16"},
		{"attended transfer while it rings: answered", seq(second, core.TransferAsked{Leg: "desk", Replaces: "d2"}, core.LegAccepted{Leg: "bobtab"}), core.LegUp{Leg: "bobtab"}, "hear bobtab a, hear a bobtab"},
		{"attended transfer to somebody else's leg", seq(talk, fromTrunkLeg("b", "15"), up("bobtab")), core.TransferAsked{Leg: "desk", Replaces: "b"}, "notify desk 403 final"},
		{"pickup by code", consult, fromAliceTab("p", "*8bob"), "end bobtab 26 answered_elsewhere, hear b p, hear p b, answer b, answer p"},
		{"pickup by Replaces", consult, core.Offered{Leg: "p", Edge: core.EdgeSIP, From: core.Party{User: core.UserID{Name: "carol"}}, To: "15", Replaces: "bobtab"}, "end bobtab 26 answered_elsewhere, hear b p, hear p b, answer b, answer p"},
		{"pickup with nothing there", talk, fromAliceTab("p", "*8bob"), "end p 3 code=480"},
		{"Replaces of a leg that is gone (RFC 3891 section 3)", talk, core.Offered{Leg: "p", Edge: core.EdgeSIP, From: core.Party{User: core.UserID{Name: "carol"}}, To: "15", Replaces: "nobody"}, "end p 3 code=481"},
		{"own call taken over from another device", talk, core.Offered{Leg: "p", Edge: core.EdgeBrowser, From: core.Party{User: core.UserID{Name: "alice"}}, Contact: "tab", To: "alice", Replaces: "desk"}, "end desk 16, hear a p, hear p a, answer p"},
		{"somebody else's call taken over", talk, core.Offered{Leg: "p", Edge: core.EdgeSIP, From: core.Party{User: core.UserID{Name: "carol"}}, To: "15", Replaces: "desk"}, "end p 3 code=481"},
		{"second transfer while the first is under way", blind, core.TransferAsked{Leg: "desk", To: "17"}, ""},
		{"park by transfer", talk, core.TransferAsked{Leg: "desk", To: "700"}, "notify desk 200 final, end desk 16, hear a music, start park a 45s"},
		{"park by request", talk, ask(core.Park{Leg: "a", Slot: "705"}), "end desk 16, hear a music, start park a 45s, done 705"},
		{"park in a taken slot", seq(parked, dial("b", "15"), up("bobtab")), ask(core.Park{Leg: "b", Slot: "701"}), "refused conflict"},
		{"park in no slot", talk, ask(core.Park{Leg: "a", Slot: "9"}), "refused invalid"},
		{"retrieve by dialling", parked, fromBob("r", "701"), "hear a r, hear r a, answer r"},
		{"parked too long: back to alice", parked, timedOut(core.TimerPark, "a"), "ring desk, start ring a 30s, ring tab"},
		{"parked caller hangs up", parked, gone("a", 16, 0), ""},
		{"dialling an empty slot is an ordinary call", nil, fromAlice("701"), "ring 701, start ring a 30s"},
		{"add a party", talk, ask(core.AddParty{Leg: "desk", To: "bob"}), "ring bobtab, start ring a 30s, done"},
		{"add a party that is not there", talk, ask(core.AddParty{Leg: "desk", To: "16"}), "refused unavailable"},
		{"transfer by request to who is not there", talk, ask(core.Transfer{Leg: "desk", To: "16"}), "hear a nothing, hear desk nothing, hear a desk, hear desk a, refused unavailable"},
		{"added party answers", seq(talk, ask(core.AddParty{Leg: "desk", To: "bob"}), core.LegAccepted{Leg: "bobtab"}), core.LegUp{Leg: "bobtab"}, "hear a desk+bobtab, hear desk a+bobtab, hear bobtab a+desk"},
		{"added party declines", seq(talk, ask(core.AddParty{Leg: "desk", To: "bob"})), gone("bobtab", 21, 0), ""},
		{"added party declines after one hung up", seq(talk, ask(core.AddParty{Leg: "desk", To: "bob"}), gone("desk", 16, 0)), gone("bobtab", 21, 0), "end a 16"},
		{"one of three leaves", three, gone("desk", 16, 0), "hear a bobtab, hear bobtab a"},
		{"caller of three leaves", three, gone("a", 16, 0), "hear desk bobtab, hear bobtab desk"},
		{"two of three leave", seq(three, gone("a", 16, 0)), gone("bobtab", 16, 0), "end desk 16"},
		{"merge with the own second call", attended, ask(core.Merge{Leg: "desk", With: "d2"}), "hear d2 nothing, end d2 16, hear a desk+bobtab, hear desk a+bobtab, hear bobtab a+desk, done"},
		{"merge with itself", talk, ask(core.Merge{Leg: "desk", With: "a"}), "refused conflict"},
		{"monitor", seq(talk, fromBob("s", "112")), ask(core.Supervise{Leg: "s", Target: "desk", Mode: core.Monitor}), "hear s a+desk, answer s, done"},
		{"monitor, then whisper", seq(talk, fromBob("s", "112"), ask(core.Supervise{Leg: "s", Target: "desk", Mode: core.Monitor})), ask(core.Supervise{Leg: "s", Target: "desk", Mode: core.Whisper}), "hear desk a+s, done"},
		{"barge", seq(talk, fromBob("s", "112")), ask(core.Supervise{Leg: "s", Target: "desk", Mode: core.Barge}), "hear a desk+s, hear desk a+s, hear s a+desk, answer s, done"},
		{"supervised call ends", seq(talk, fromBob("s", "112"), ask(core.Supervise{Leg: "s", Target: "desk", Mode: core.Barge})), gone("a", 16, 0), "end desk 16, end s 16"},
		{"supervised call ends by the agent", seq(talk, fromBob("s", "112"), ask(core.Supervise{Leg: "s", Target: "desk", Mode: core.Barge})), gone("desk", 16, 0), "end a 16, end s 16"},
		{"supervisor is rung", talk, ask(core.AddParty{Leg: "desk", To: "bob", Mode: core.Whisper}), "ring bobtab, start ring a 30s, done"},
		{"supervisor who was rung answers", seq(talk, ask(core.AddParty{Leg: "desk", To: "bob", Mode: core.Whisper}), core.LegAccepted{Leg: "bobtab"}), core.LegUp{Leg: "bobtab"}, "hear desk a+bobtab, hear bobtab a+desk"},
		{"supervisor who was rung: the call ends", seq(talk, ask(core.AddParty{Leg: "desk", To: "bob", Mode: core.Whisper}), up("bobtab")), gone("a", 16, 0), "end desk 16, end bobtab 16"},
		{"supervisor answers, whom it was to coach is gone", seq(three, ask(core.AddParty{Leg: "desk", To: "4940", Mode: core.Whisper}), core.LegAccepted{Leg: "4940"}, gone("desk", 16, 0)), core.LegUp{Leg: "4940"}, "end 4940 16"},
		{"no such mode", talk, ask(core.AddParty{Leg: "desk", To: "bob", Mode: 9}), "refused invalid"},
		{"supervisor leaves", seq(talk, fromBob("s", "112"), ask(core.Supervise{Leg: "s", Target: "desk", Mode: core.Barge})), gone("s", 16, 0), "hear a desk, hear desk a"},
		{"retrieve by request, of a leg", seq(parked, fromBob("r", "112")), ask(core.Retrieve{Leg: "a", By: "r"}), "hear a r, hear r a, answer r, done"},
		{"retrieve by request, of a leg that is not parked", seq(talk, fromBob("r", "112")), ask(core.Retrieve{Leg: "a", By: "r"}), "refused conflict"},
		{"release by request", talk, ask(core.Release{Leg: "desk"}), "end desk 16, end a 16, done"},
		{"hold by request", talk, ask(core.Hold{Leg: "desk", Held: true}), "hear a music, hear desk nothing, done"},
		{"hold by request of a leg that rings", seq(desk, fromTrunk("17")), ask(core.Hold{Leg: "desk", Held: true}), "refused conflict"},
		{"dismissed supervisor", seq(talk, fromBob("s", "112"), ask(core.Supervise{Leg: "s", Target: "desk", Mode: core.Barge})), ask(core.Dismiss{Leg: "s"}), "end s 16, hear a desk, hear desk a, done"},
		{"dismissed party", talk, ask(core.Dismiss{Leg: "desk"}), "refused conflict"},
		{"request about a leg that is gone", talk, ask(core.Release{Leg: "nobody"}), "refused not_found"},
	}
	runSteps(t, tests)
}

// TestSetHear: who hears whom by order, in a call of a, alice's desk and bob.
func TestSetHear(t *testing.T) {
	three := seq(desk, bobtab, fromTrunk("17"), up("desk"), core.LegUp{Leg: "a"}, ask(core.AddParty{Leg: "desk", To: "bob"}), up("bobtab"))
	deaf := core.HearPair{From: "desk", To: "a"}
	for _, tt := range []struct {
		name  string
		given []core.Event
		pairs []core.HearPair
		after core.Event // the order after the pairs, nil: that at them
		want  string
	}{
		{"one hears one less", three, []core.HearPair{deaf}, nil, "hear a bobtab, done"},
		{"and hears it again", three, []core.HearPair{deaf, {From: "desk", To: "a", Hears: true}}, nil, "done"},
		{"both ways", three, []core.HearPair{deaf, {From: "a", To: "desk"}}, nil, "hear a bobtab, hear desk bobtab, done"},
		{"a muted leg stays muted", seq(three, core.LegMuted{Leg: "desk", Muted: true}), []core.HearPair{{From: "desk", To: "a", Hears: true}}, nil, "done"},
		{"a monitor is heard by one", seq(three, fromBob("s", "112"), ask(core.Supervise{Leg: "s", Target: "desk", Mode: core.Monitor})), []core.HearPair{{From: "s", To: "a", Hears: true}}, nil, "hear a desk+bobtab+s, done"},
		{"who leaves is forgotten", three, []core.HearPair{deaf}, gone("desk", 16, 0), "hear bobtab a"},
		{"the order outlives a hold", three, []core.HearPair{deaf}, core.LegHeld{Leg: "bobtab", Held: true}, "hear a music, hear desk a, hear bobtab nothing"},
		{"itself", three, []core.HearPair{deaf, {From: "a", To: "a"}}, nil, "refused invalid"},
		{"a leg of no call", three, []core.HearPair{deaf, {From: "x", To: "a"}}, nil, "refused not_found"},
		{"a leg of another call", seq(three, dial("b", "15")), []core.HearPair{{From: "b", To: "a"}}, nil, "refused not_found"},
		{"a leg that rings", seq(three, ask(core.AddParty{Leg: "a", To: "18"})), []core.HearPair{{From: "1001", To: "a"}}, nil, "refused conflict"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t)
			for _, ev := range tt.given {
				s.apply(ev)
			}
			got, _ := s.apply(ask(core.SetHear{Call: s.x.legs["a"].call.id, Pairs: tt.pairs}))
			if tt.after != nil {
				got, _ = s.apply(tt.after)
			}
			got = slices.DeleteFunc(got, func(line string) bool { return strings.HasPrefix(line, "stop ") })
			if got := strings.Join(got, ", "); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestMovesHistory: what the records of an attended transfer and of a retrieved
// call say.
func TestMovesHistory(t *testing.T) {
	talk := seq(desk, tab, bobtab, fromTrunk("17"), up("desk"), core.LegUp{Leg: "a"}, gone("tab", 16, 0))
	for _, tt := range []struct {
		name  string
		given []core.Event
		when  core.Event
		want  string
	}{
		{
			"attended transfer", seq(talk, fromDesk("d2", "15"), up("bobtab")),
			core.TransferAsked{Leg: "desk", Replaces: "d2"},
			"moved a, bridged a bobtab, bridged bobtab a",
		},
		{
			"park", talk,
			core.TransferAsked{Leg: "desk", To: "700"},
			"parked a 701",
		},
		{
			"retrieve", seq(talk, core.TransferAsked{Leg: "desk", To: "700"}), fromBob("r", "701"),
			"began r, moved r, answered r, bridged a r, bridged r a",
		},
		{
			"confirmed", seq(bobtab, fromTrunk("25"), core.LegAccepted{Leg: "1001"}, core.LegUp{Leg: "1001"}), digit("1001", '5'),
			"answered 1001, answered a, bridged a 1001, bridged 1001 a",
		},
	} {
		s := newScript(t)
		for _, ev := range tt.given {
			s.apply(ev)
		}
		if _, history := s.apply(tt.when); strings.Join(history, ", ") != tt.want {
			t.Errorf("%s: %s", tt.name, strings.Join(history, ", "))
		}
	}
}

// fromDesk is a second call of alice's desk phone, fromAliceTab one of her browser.
func fromDesk(leg core.LegID, to string) core.Offered {
	ev := fromAlice(to)
	ev.Leg = leg
	return ev
}

func fromAliceTab(leg core.LegID, to string) core.Offered {
	ev := fromDesk(leg, to)
	ev.Edge, ev.Contact = core.EdgeBrowser, "tab"
	return ev
}

// step is what happens, and what is ordered then, joined by commas. Drain timers
// and the stopping of timers are left out.
type step struct {
	name  string
	given []core.Event
	when  core.Event
	want  string
}

func runSteps(t *testing.T, tests []step) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t)
			for _, ev := range tt.given {
				s.now = s.now.Add(time.Second)
				s.apply(ev)
			}
			got, _ := s.apply(tt.when)
			got = slices.DeleteFunc(got, func(line string) bool {
				return strings.HasPrefix(line, "start drain") || strings.HasPrefix(line, "stop ")
			})
			if got := strings.Join(got, ", "); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}
