package flow

import (
	"slices"
	"testing"

	"github.com/offhook/offhook/internal/core"
)

// TestFlow: the verbs of a flow, how each of them ends, and what runs after.
func TestFlow(t *testing.T) {
	prompt := func(name string) Announce {
		return Announce{Sound: core.Sound{Kind: core.SoundPrompt, Name: name}}
	}
	ring := Connect{Dialled: "17"}
	tests := []struct {
		name  string
		verbs []Verb
		ends  []Outcome
		want  []Verb
	}{
		{"nothing to do", nil, nil, []Verb{Hangup{Cause: core.CauseNormal}}},
		{"conversation over", []Verb{ring}, []Outcome{{Connected: true, Cause: core.CauseNormal}}, []Verb{Hangup{Cause: core.CauseNormal}}},
		{
			"nobody answered",
			[]Verb{ring},
			[]Outcome{{Cause: core.CauseNoAnswer, Code: 480}, {}},
			[]Verb{prompt("no-answer"), Hangup{Cause: core.CauseNoAnswer, Code: 480}},
		},
		{
			"busy",
			[]Verb{ring},
			[]Outcome{{Cause: core.CauseBusy, Code: 600}, {}},
			[]Verb{prompt("busy"), Hangup{Cause: core.CauseBusy, Code: 600}},
		},
		{
			"refused in the callee's own words",
			[]Verb{ring},
			[]Outcome{{Heard: true, Cause: core.CauseUnallocated, Code: 404}},
			[]Verb{Hangup{Cause: core.CauseUnallocated, Code: 404}},
		},
		{"callee hung up at once", []Verb{ring}, []Outcome{{Cause: core.CauseNormal}}, []Verb{Hangup{Cause: core.CauseNormal}}},
		{
			"the flow's own fall-through",
			[]Verb{ring, prompt("custom")},
			[]Outcome{{Cause: core.CauseBusy, Code: 486}, {}},
			[]Verb{prompt("custom"), Hangup{Cause: core.CauseBusy, Code: 486}},
		},
		{
			"refusal",
			[]Verb{prompt("not-allowed"), Hangup{Cause: core.CauseNotAllowed, Code: 403}},
			[]Outcome{{}},
			[]Verb{Hangup{Cause: core.CauseNotAllowed, Code: 403}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := New(tt.verbs...)
			var got []Verb
			for _, end := range tt.ends {
				got = append(got, f.Next(end))
			}
			if len(tt.ends) == 0 {
				got = append(got, f.Current())
			}
			if !slices.EqualFunc(got, tt.want, same) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func same(a, b Verb) bool { return a == b }

// TestDivert: a fall-through replaces all that would have followed.
func TestDivert(t *testing.T) {
	music := Play{Sound: core.Sound{Kind: core.SoundHold}}
	tests := []struct {
		name  string
		verbs []Verb
		with  []Verb
		want  []Verb
	}{
		{"to somebody else", []Verb{Connect{}, Talk{}}, []Verb{Connect{Dialled: "2"}}, []Verb{Connect{Dialled: "2"}, Hangup{Cause: core.CauseNormal}}},
		{"to music and somebody else", []Verb{Connect{}}, []Verb{music, Connect{Dialled: "2"}}, []Verb{music, Connect{Dialled: "2"}}},
		{"to an announcement", []Verb{Connect{}}, []Verb{music, Hangup{}}, []Verb{music, Hangup{Cause: core.CauseBusy, Code: 486}}},
		{"to a hangup of its own", []Verb{Connect{}}, []Verb{Hangup{Cause: core.CauseNormal}}, []Verb{Hangup{Cause: core.CauseNormal}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := New(tt.verbs...)
			got := []Verb{f.Divert(Outcome{Cause: core.CauseBusy, Code: 486}, tt.with...)}
			for len(got) < len(tt.want) {
				got = append(got, f.Next(Outcome{Connected: true}))
			}
			if !slices.EqualFunc(got, tt.want, same) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestVerbs: what each verb needs and whether the flow waits for it.
func TestVerbs(t *testing.T) {
	for _, tt := range []struct {
		verb  Verb
		needs Need
		waits bool
	}{
		{Connect{}, NeedNothing, true},
		{Announce{}, NeedEarly, true},
		{Play{}, NeedEarly, false},
		{Park{}, NeedAnswer, true},
		{Talk{}, NeedAnswer, true},
		{Answer{}, NeedAnswer, false},
		{Hangup{}, NeedNothing, true},
	} {
		if tt.verb.Needs() != tt.needs || tt.verb.Waits() != tt.waits {
			t.Errorf("%T needs %v, waits %v", tt.verb, tt.verb.Needs(), tt.verb.Waits())
		}
	}
}

// TestEveryFailureIsAnnounced: a caller is never left without a word, unless
// somebody simply hung up.
func TestEveryFailureIsAnnounced(t *testing.T) {
	for cause := core.Cause(1); cause <= 127; cause++ {
		prompt := promptFor(cause)
		if (prompt == "") != (cause == core.CauseNormal || cause == core.CauseElsewhere) {
			t.Errorf("cause %d: %q", cause, prompt)
		}
	}
}
