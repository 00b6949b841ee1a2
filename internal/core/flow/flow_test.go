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
	ring := Connect{Ringback: "us"}
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

// same compares verbs; a Connect has a slice and is never among those wanted.
func same(a, b Verb) bool {
	_, isA := a.(Connect)
	_, isB := b.(Connect)
	return !isA && !isB && a == b
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
