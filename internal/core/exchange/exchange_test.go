package exchange

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

func gone(leg core.LegID, cause core.Cause, code int) core.LegGone {
	return core.LegGone{Leg: leg, Cause: cause, Code: code}
}

func timedOut(kind core.TimerKind, leg core.LegID) core.TimedOut {
	return core.TimedOut{Timer: core.TimerID{Kind: kind, Leg: leg}}
}

var (
	paceOver = core.TimedOut{Timer: core.TimerID{Kind: core.TimerPace, Trunk: "carrier"}}
	noAnswer = core.Sound{Kind: core.SoundPrompt, Name: core.PromptNoAnswer}
)

// Each case: the events before, the event, what the exchange orders at it. An
// order begins with its verb; see script.line.
func TestApply(t *testing.T) {
	type events = []core.Event
	group := events{desk, tab, bobtab, fromTrunk("18")}
	alice := events{desk, tab, fromTrunk("17")}
	mobile := events{desk, tab, fromAlice("+1 299 555")}
	bridged := append(slices.Clone(alice), core.LegRinging{Leg: "desk"}, core.LegAccepted{Leg: "desk"}, core.LegUp{Leg: "desk"})
	silentDesk := core.LegSilent{Leg: "desk", Silence: core.SilenceNoRTP, Diagnosis: "no RTP comes to port 4000"}
	tests := []struct {
		name  string
		given []core.Event
		when  core.Event
		want  []string
	}{
		// Who is rung.
		{"group rings everybody at once", group[:3], group[3], []string{
			"ring 1001", "start ring a 29s", "ring 1002", "ring desk", "ring tab", "ring bobtab",
		}},
		{"user with two registrations", events{desk, tab}, fromTrunk("+17"), []string{"ring desk", "start ring a 30s", "ring tab"}},
		{"caller's own phone is not rung", events{desk, tab}, fromAlice("17"), []string{"ring tab", "start ring a 30s"}},
		{"caller with no other phone calls itself", events{desk}, fromAlice("alice"), []string{
			"progress a", "hear a prompt:unreachable", "start play a 10s",
		}},
		{"user without registration", nil, fromTrunk("16"), []string{
			"progress a", "hear a prompt:unreachable", "start play a 10s",
		}},
		{"registration gone before the call", events{desk, tab, core.ContactGone{ID: "desk"}}, fromTrunk("17"), []string{
			"ring tab", "start ring a 30s",
		}},
		{"phone of a later rank registered while its user rings", alice, core.ContactUp{Contact: core.Contact{ID: "mobile", User: core.UserID{Name: "alice"}, Edge: core.EdgeSIP, Rank: 500}}, []string{"start ring a 15s"}},
		{"tab opened while its user rings", alice, core.ContactUp{Contact: core.Contact{ID: "tab2", User: core.UserID{Name: "alice"}, Edge: core.EdgeBrowser}}, []string{"ring tab2"}},
		{"refreshed registration rings once", alice, desk, nil},
		{"registration resumed after a lost socket rings once", append(slices.Clone(alice), core.ContactGone{ID: "tab"}), tab, nil},
		{"registration of somebody else", alice, bobtab, nil},
		{
			"registration after the answer", append(slices.Clone(alice), core.LegAccepted{Leg: "tab"}),
			core.ContactUp{Contact: core.Contact{ID: "tab2", User: core.UserID{Name: "alice"}}},
			nil,
		},
		{"user dials a mobile", events{desk}, fromAlice("+1 299 555"), []string{"ring 1299555", "start ring a 30s"}},

		// Who is refused.
		{"trunk may not reach a trunk", nil, fromTrunk("0049301234567"), []string{"end a 1 code=404", "start drain a 40s"}},
		{"trunk may not reach a user by name", events{desk}, fromTrunk("alice"), []string{"end a 1 code=404", "start drain a 40s"}},
		{"emergency number", nil, fromAlice("112"), []string{"progress a", "hear a prompt:not-allowed", "start play a 10s"}},
		{"after the refusal's announcement", events{fromAlice("112")}, core.Played{Leg: "a", Sound: core.Sound{Kind: core.SoundPrompt, Name: core.PromptNotAllowed}}, []string{
			"stop play a", "end a 57 code=403", "start drain a 40s",
		}},
		{"unknown name", nil, fromAlice("nobody"), []string{"progress a", "hear a prompt:unknown-number", "start play a 10s"}},
		{"new call while draining", events{desk, core.Draining{}}, fromTrunk("17"), []string{"end a 41 code=503", "start drain a 40s"}},
		{"the same INVITE reported twice", alice, fromTrunk("17"), nil},

		// Before the answer.
		{"first 180", alice, core.LegRinging{Leg: "desk"}, []string{"progress a", "hear a ringback:us"}},
		{"second 180", append(slices.Clone(alice), core.LegRinging{Leg: "desk"}), core.LegRinging{Leg: "tab"}, nil},
		{"ringback of the group's country", group, core.LegRinging{Leg: "1001"}, []string{"progress a", "hear a ringback:de"}},
		{"183 of a single callee is passed on", mobile, core.LegEarly{Leg: "1299555"}, []string{"progress a", "hear a 1299555"}},
		{"180 after 183", append(slices.Clone(mobile), core.LegEarly{Leg: "1299555"}), core.LegRinging{Leg: "1299555"}, []string{"rings a"}},
		{"180 after 183, as an edge reports them", append(slices.Clone(mobile), core.LegRinging{Leg: "1299555"}, core.LegEarly{Leg: "1299555"}), core.LegRinging{Leg: "1299555"}, []string{"rings a"}},
		{"second 180 after 183", append(slices.Clone(mobile), core.LegEarly{Leg: "1299555"}, core.LegRinging{Leg: "1299555"}), core.LegRinging{Leg: "1299555"}, nil},
		{"180 after 183 of a group member", append(slices.Clone(group), core.LegRinging{Leg: "1001"}, core.LegEarly{Leg: "1001"}), core.LegRinging{Leg: "1001"}, nil},
		{"183 after 180", append(slices.Clone(mobile), core.LegRinging{Leg: "1299555"}), core.LegEarly{Leg: "1299555"}, []string{"hear a 1299555"}},
		{
			"callee whose 183 was passed on declines, its other phone rings on",
			events{desk, fromTrunk("17"), core.LegEarly{Leg: "desk"}, tab, core.LegRinging{Leg: "tab"}},
			gone("desk", 21, 603),
			[]string{"hear a ringback:us"},
		},
		{"183 of one of several phones", alice, core.LegEarly{Leg: "desk"}, nil},
		{"183 of a group member", group, core.LegEarly{Leg: "1001"}, nil},

		// Somebody answers.
		{"callee accepts", alice, core.LegAccepted{Leg: "desk"}, []string{
			"stop ring a", "end tab 26 answered_elsewhere", "start drain tab 40s", "start media desk 5s", "start answer a 2s",
		}},
		{"group member accepts", group, core.LegAccepted{Leg: "bobtab"}, []string{
			"stop ring a", "end 1001 26 answered_elsewhere", "start drain 1001 40s", "end 1002 26 answered_elsewhere", "start drain 1002 40s",
			"end desk 26 answered_elsewhere", "start drain desk 40s", "end tab 26 answered_elsewhere", "start drain tab 40s",
			"start media bobtab 5s", "start answer a 2s",
		}},
		{"second to accept loses", append(slices.Clone(alice), core.LegAccepted{Leg: "desk"}), core.LegAccepted{Leg: "tab"}, nil},
		{"200 OK crosses CANCEL (RFC 5407 3.1.2)", append(slices.Clone(alice), gone("a", 16, 487)), core.LegAccepted{Leg: "desk"}, nil},
		{"winner's media is up", append(slices.Clone(alice), core.LegAccepted{Leg: "desk"}), core.LegUp{Leg: "desk"}, []string{
			"stop media desk", "hear a desk", "hear desk a", "stop answer a", "answer a",
		}},
		{"winner's media is slow: caller is answered anyway", append(slices.Clone(alice), core.LegAccepted{Leg: "tab"}), timedOut(core.TimerAnswer, "a"), []string{"answer a"}},
		{"winner's media after the caller's answer", append(slices.Clone(alice), core.LegAccepted{Leg: "tab"}, timedOut(core.TimerAnswer, "a")), core.LegUp{Leg: "tab"}, []string{
			"stop media tab", "hear a tab", "hear tab a",
		}},
		{"winner's media never up", append(slices.Clone(alice), core.LegAccepted{Leg: "tab"}, timedOut(core.TimerAnswer, "a")), timedOut(core.TimerMedia, "tab"), []string{
			"end tab 102 no_media", "start drain tab 40s", "hear a prompt:failed", "start play a 10s",
		}},
		{"winner's media never up, caller not answered", append(slices.Clone(alice), core.LegAccepted{Leg: "tab"}), timedOut(core.TimerMedia, "tab"), []string{
			"end tab 102 no_media", "start drain tab 40s", "stop answer a", "progress a", "hear a prompt:failed", "start play a 10s",
		}},
		{"media timer fires late", bridged, timedOut(core.TimerMedia, "desk"), nil},
		{"media up without accept", alice, core.LegUp{Leg: "tab"}, []string{
			"stop ring a", "end desk 26 answered_elsewhere", "start drain desk 40s", "start media tab 5s", "start answer a 2s",
			"stop media tab", "hear a tab", "hear tab a", "stop answer a", "answer a",
		}},
		{"caller gone between accept and media", append(slices.Clone(alice), core.LegAccepted{Leg: "tab"}), gone("a", 16, 487), []string{
			"stop answer a", "stop media tab", "end tab 16 caller_gone", "start drain tab 40s",
		}},
		{"winner gone between accept and media", append(slices.Clone(alice), core.LegAccepted{Leg: "tab"}), gone("tab", 16, 0), []string{
			"stop media tab", "stop answer a", "end a 16", "start drain a 40s",
		}},

		// In conversation.
		{"caller hangs up", bridged, gone("a", 16, 0), []string{"end desk 16", "start drain desk 40s"}},
		{"callee hangs up", bridged, gone("desk", 16, 0), []string{"end a 16", "start drain a 40s"}},
		{"hold: sendonly of the callee", bridged, core.LegHeld{Leg: "desk", Held: true}, []string{"hear a music", "hear desk nothing"}},
		{"hold repeated", append(slices.Clone(bridged), core.LegHeld{Leg: "desk", Held: true}), core.LegHeld{Leg: "desk", Held: true}, nil},
		{"hold resumed", append(slices.Clone(bridged), core.LegHeld{Leg: "desk", Held: true}), core.LegHeld{Leg: "desk"}, []string{"hear a desk", "hear desk a"}},
		{"both hold", append(slices.Clone(bridged), core.LegHeld{Leg: "desk", Held: true}), core.LegHeld{Leg: "a", Held: true}, []string{"hear a nothing"}},
		{"mute", bridged, core.LegMuted{Leg: "a", Muted: true}, []string{"hear desk nothing"}},
		{"unmute", append(slices.Clone(bridged), core.LegMuted{Leg: "a", Muted: true}), core.LegMuted{Leg: "a"}, []string{"hear desk a"}},
		{"callee is not heard", bridged, silentDesk, nil},
		{"both are not heard", seq(bridged, silentDesk), core.LegSilent{Leg: "a", Silence: core.SilenceStopped}, []string{"start silence a 1m0s"}},
		{"one is heard again", seq(bridged, silentDesk, core.LegSilent{Leg: "a", Silence: core.SilenceStopped}), core.LegHeard{Leg: "desk"}, []string{"stop silence a"}},
		{"nothing is heard for too long", seq(bridged, silentDesk, core.LegSilent{Leg: "a", Silence: core.SilenceStopped}), timedOut(core.TimerSilence, "a"), []string{
			"end a 102 no_media", "start drain a 40s", "end desk 102 no_media", "start drain desk 40s",
		}},
		{"nothing is heard on hold", seq(bridged, silentDesk, core.LegHeld{Leg: "desk", Held: true}), core.LegSilent{Leg: "a", Silence: core.SilenceStopped}, nil},
		{
			"resumed while nothing is heard", seq(bridged, silentDesk, core.LegHeld{Leg: "desk", Held: true}, core.LegSilent{Leg: "a", Silence: core.SilenceStopped}),
			core.LegHeld{Leg: "desk"},
			[]string{"hear a desk", "hear desk a", "start silence a 1m0s"},
		},
		{"held while nothing is heard", seq(bridged, silentDesk, core.LegSilent{Leg: "a", Silence: core.SilenceStopped}, core.LegHeld{Leg: "a", Held: true}), timedOut(core.TimerSilence, "a"), nil},

		// Nobody answers.
		{"caller gives up because its call was taken elsewhere", append(slices.Clone(mobile), core.LegRinging{Leg: "1299555"}), gone("a", 26, 487), []string{
			"stop ring a", "end 1299555 26 answered_elsewhere", "start drain 1299555 40s",
		}},
		{"caller gives up while ringing", alice, gone("a", 16, 487), []string{
			"stop ring a", "end desk 16 caller_gone", "start drain desk 40s", "end tab 16 caller_gone", "start drain tab 40s",
		}},
		{"ring time-out", append(slices.Clone(alice), core.LegRinging{Leg: "desk"}), timedOut(core.TimerRing, "a"), []string{
			"end desk 19 timeout", "start drain desk 40s", "end tab 19 timeout", "start drain tab 40s", "hear a prompt:no-answer", "start play a 10s",
		}},
		{"ring time-out, and no phone has rung", alice, timedOut(core.TimerRing, "a"), []string{
			"end desk 19 timeout", "start drain desk 40s", "end tab 19 timeout", "start drain tab 40s", "progress a",
			"hear a prompt:unreachable", "start play a 10s",
		}},
		{"and at the end", append(slices.Clone(alice), timedOut(core.TimerRing, "a")), timedOut(core.TimerPlay, "a"), []string{
			"end a 18 code=408", "start drain a 40s",
		}},
		{"after the announcement", append(slices.Clone(alice), core.LegRinging{Leg: "desk"}, timedOut(core.TimerRing, "a")), core.Played{Leg: "a", Sound: noAnswer}, []string{
			"stop play a", "end a 19 code=480", "start drain a 40s",
		}},
		{"announcement whose end is not reported", append(slices.Clone(alice), core.LegRinging{Leg: "desk"}, timedOut(core.TimerRing, "a")), timedOut(core.TimerPlay, "a"), []string{
			"end a 19 code=480", "start drain a 40s",
		}},
		{"announcement from a URL may take its time", nil, fromTrunk("31"), []string{
			"progress a", "hear a file:https://example.com/hours.wav", "start play a 5m0s",
		}},
		{"end of a sound that was replaced", alice, core.Played{Leg: "a", Sound: noAnswer}, nil},
		{"ring timer fires late", bridged, timedOut(core.TimerRing, "a"), nil},
		{"one of two declines", alice, gone("desk", 21, 603), nil},
		{"all decline", append(slices.Clone(alice), gone("desk", 21, 603)), gone("tab", 21, 0), []string{
			"stop ring a", "progress a", "hear a prompt:declined", "start play a 10s",
		}},
		{"all busy, at the end", append(slices.Clone(alice), gone("desk", 17, 486), gone("tab", 17, 486)), timedOut(core.TimerPlay, "a"), []string{
			"end a 17 code=486", "start drain a 40s",
		}},
		{"one busy, one declines, at the end", append(slices.Clone(alice), gone("desk", 17, 486), gone("tab", 21, 603)), timedOut(core.TimerPlay, "a"), []string{
			"end a 19 code=480", "start drain a 40s",
		}},
		{"single callee's own code", append(slices.Clone(mobile), gone("1299555", 88, 488)), timedOut(core.TimerPlay, "a"), []string{
			"end a 88 code=488", "start drain a 40s",
		}},
		{"callee announced its refusal itself", append(slices.Clone(mobile), core.LegEarly{Leg: "1299555"}), gone("1299555", 1, 404), []string{
			"stop ring a", "end a 1 code=404", "start drain a 40s",
		}},
		{"ring time-out after 183", append(slices.Clone(mobile), core.LegEarly{Leg: "1299555"}), timedOut(core.TimerRing, "a"), []string{
			"end 1299555 19 timeout", "start drain 1299555 40s", "hear a prompt:no-answer", "start play a 10s",
		}},
		{"302 of a callee is neither followed nor passed on", append(slices.Clone(mobile), gone("1299555", 3, 302)), timedOut(core.TimerPlay, "a"), []string{
			"end a 3", "start drain a 40s",
		}},
		{"a decline for all the user's devices", append(slices.Clone(events{bobtab}), core.ContactUp{Contact: core.Contact{ID: "bobdesk", User: core.UserID{Name: "bob"}, Edge: core.EdgeSIP}}, fromTrunk("15")), gone("bobtab", 21, 0), []string{
			"end bobdesk 21 declined_elsewhere", "start drain bobdesk 40s", "stop ring a", "progress a", "hear a prompt:declined", "start play a 10s",
		}},
		{"a decline for all leaves the others of the group ringing", group, gone("bobtab", 21, 0), nil},

		// Faults and the end of the node.
		{"broken", bridged, core.Broken{Leg: "desk"}, []string{"end a 41", "start drain a 40s", "end desk 41", "start drain desk 40s"}},
		{"shutdown", bridged, core.Shutdown{}, []string{"end a 41 shutdown", "start drain a 40s", "end desk 41 shutdown", "start drain desk 40s"}},
		{"shutdown while ringing", alice, core.Shutdown{}, []string{
			"stop ring a", "end a 41 shutdown", "start drain a 40s", "end desk 41 shutdown", "start drain desk 40s", "end tab 41 shutdown", "start drain tab 40s",
		}},
		{"draining leaves running calls", bridged, core.Draining{}, nil},
		{"event of an unknown leg", bridged, core.LegAccepted{Leg: "nobody"}, nil},
		{"edge never reports the end", append(slices.Clone(bridged), gone("a", 16, 0)), timedOut(core.TimerDrain, "desk"), nil},
		{"gone after the drain timer", append(slices.Clone(bridged), gone("a", 16, 0), timedOut(core.TimerDrain, "desk")), gone("desk", 16, 0), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t)
			for _, ev := range tt.given {
				s.apply(ev)
			}
			if got, _ := s.apply(tt.when); !slices.Equal(got, tt.want) {
				t.Errorf("\n got %s\nwant %s", strings.Join(got, ", "), strings.Join(tt.want, ", "))
			}
		})
	}
}

// TestCallerID shows callees of a group what the group says.
func TestCallerID(t *testing.T) {
	s := newScript(t)
	shown := map[string]string{}
	for _, cmd := range s.x.Apply(s.now, fromTrunk("30")) {
		if r, ok := cmd.(core.Ring); ok {
			shown[r.Target.Number] = r.From.Number
		}
	}
	if want := map[string]string{"1001": "30", "1002": "1000", "1003": "1777"}; !maps.Equal(shown, want) {
		t.Errorf("shown %v, want %v", shown, want)
	}
}

// TestHistory follows one call's log from end to end.
func TestHistory(t *testing.T) {
	s := newScript(t)
	var got []string
	for _, ev := range []core.Event{
		desk, tab, fromTrunk("17"),
		core.LegRinging{Leg: "tab"},
		core.LegRinging{Leg: "desk"},
		core.LegAccepted{Leg: "desk"},
		core.LegAccepted{Leg: "tab"},
		core.LegUp{Leg: "desk"},
		core.LegUp{Leg: "a"},
		gone("tab", 16, 487), gone("tab", 16, 487),
		core.LegHeld{Leg: "a", Held: true},
		core.LegHeld{Leg: "a"},
		gone("desk", 16, 0), gone("a", 16, 0),
	} {
		_, history := s.apply(ev)
		got = append(got, history...)
	}
	want := []string{
		"began a", "began desk", "began tab", "ringing tab", "ringing a", "ringing desk", "answered desk", "answered a",
		"bridged a desk", "bridged desk a", "ended tab 26 answered_elsewhere code=487", "held a", "resumed a", "ended desk 16", "ended a 16",
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %s\nwant %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
	if legs, calls, contacts := s.x.Size(); legs != 0 || calls != 0 || contacts != 2 {
		t.Errorf("left: %d legs, %d calls, %d contacts", legs, calls, contacts)
	}
}

// TestPacing lets three calls out at once and the fourth a second later, across calls.
func TestPacing(t *testing.T) {
	s := newScript(t)
	steps := []struct {
		when core.Event
		want []string
	}{
		{desk, nil},
		{fromTrunk("18"), []string{"ring 1001", "start ring a 29s", "ring 1002", "ring desk"}},
		{after{d: 400 * time.Millisecond}, nil},
		{dial("b", "1003"), []string{"ring 1003", "start ring b 30s"}},
		{dial("c", "1004"), []string{"start pace carrier 600ms"}},
		{dial("d", "1005"), nil},
		{dial("e", "1006"), nil},
		{gone("d", 16, 487), nil}, // gives up in the queue: its number is never dialled
		{after{d: 600 * time.Millisecond}, nil},
		{paceOver, []string{"ring 1004", "start ring c 30s", "ring 1006", "start ring e 30s"}},
		{paceOver, nil}, // late
		{dial("f", "1007"), []string{"start pace carrier 400ms"}},
		{gone("f", 16, 487), []string{"stop pace carrier"}},
	}
	for i, step := range steps {
		if got, _ := s.apply(step.when); !slices.Equal(got, step.want) {
			t.Errorf("step %d:\n got %s\nwant %s", i, strings.Join(got, ", "), strings.Join(step.want, ", "))
		}
	}
}

func dial(leg core.LegID, to string) core.Offered {
	return core.Offered{Leg: leg, Edge: core.EdgeSIP, From: core.Party{User: core.UserID{Name: "alice"}}, Contact: "desk", To: to}
}

// TestParties says what callees are shown.
func TestParties(t *testing.T) {
	s := newScript(t)
	s.apply(desk)
	rings := func(ev core.Event) (from, to core.Party) {
		for _, cmd := range s.x.Apply(s.now, ev) {
			if r, ok := cmd.(core.Ring); ok {
				return r.From, r.To
			}
		}
		return core.Party{}, core.Party{}
	}
	forged := dial("b", "1299")
	forged.From.Number, forged.From.Name = "911", "The President"
	for _, tt := range []struct {
		name string
		from core.Party
		want core.Party
	}{
		{"a phone cannot choose its caller id", first(rings(forged)), core.Party{User: core.UserID{Name: "alice"}, Number: "1555", Name: "Alice"}},
		{"a trunk's caller keeps its number", first(rings(fromTrunk("17"))), core.Party{Trunk: "carrier", Number: "1777"}},
	} {
		if tt.from != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, tt.from, tt.want)
		}
	}
}

func first(from, _ core.Party) core.Party { return from }

// TestDrained needs every leg gone, not only ended.
func TestDrained(t *testing.T) {
	s := newScript(t)
	for _, step := range []struct {
		when core.Event
		want bool
	}{
		{desk, false},
		{fromTrunk("17"), false},
		{core.Draining{}, false},
		{core.Shutdown{}, false},
		{gone("desk", 16, 487), false},
		{gone("a", 41, 503), true},
	} {
		s.apply(step.when)
		if got := s.x.Drained(); got != step.want {
			t.Errorf("after %T: Drained = %v", step.when, got)
		}
	}
}

// TestIDs checks the form of minted identifiers and that a seed repeats them.
func TestIDs(t *testing.T) {
	a, b := New(Config{}), New(Config{})
	seen := map[string]bool{}
	for range 1000 {
		id := a.newID()
		if len(id) != 36 || id[14] != '4' || !strings.ContainsRune("89ab", rune(id[19])) || strings.ToLower(id) != id {
			t.Fatalf("%q is no lower-case version 4 UUID", id)
		}
		if id != b.newID() {
			t.Fatal("the same seed gave another identifier")
		}
		if seen[id] {
			t.Fatalf("%q came twice", id)
		}
		seen[id] = true
	}
}

// TestPanicLosesNoCommand: what a broken Apply had ordered comes with Broken,
// which ends the call.
func TestPanicLosesNoCommand(t *testing.T) {
	s := newScript(t)
	s.apply(desk)
	s.apply(fromTrunk("17"))
	s.x.legs["a"].call.connect.Dial = nil // a bug
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		s.apply(core.LegRinging{Leg: "desk"})
	}()
	got, history := s.apply(core.Broken{Leg: "desk"})
	want := []string{"progress a", "stop ring a", "end a 41", "start drain a 40s", "end desk 41", "start drain desk 40s"}
	if !slices.Equal(got, want) || !slices.Equal(history, []string{"ringing desk", "ringing a"}) {
		t.Errorf("got %v, %v", got, history)
	}
	if got, _ := s.apply(desk); got != nil {
		t.Errorf("ordered twice: %v", got)
	}
}
