// Package flow is call control as data: verbs, what each needs before it may
// run and whether the next one waits for it, and the sequencer that hands them
// out. It is pure and knows no legs but the one it controls.
package flow

import (
	"cmp"

	"github.com/offhook/offhook/internal/core"
)

// Outcome is how a verb ended.
type Outcome struct {
	// Connected says that a Connect led to a conversation, which is over now.
	Connected bool
	// Heard says that the caller heard the callee's own early media, so that an
	// announcement of ours would only repeat it.
	Heard bool
	// TimedOut says that it rang for as long as it may.
	TimedOut bool
	Cause    core.Cause
	Code     int
}

// Flow hands out verbs. It never runs dry: a Connect that failed without a verb
// behind it is followed by the announcement that says why, and the last verb is
// always a Hangup.
type Flow struct {
	verbs []Verb // the one that is waited for first
	last  Outcome
}

// New returns a Flow whose first verb is running.
func New(verbs ...Verb) *Flow { return &Flow{verbs: verbs} }

// Current returns the running verb that the flow waits for.
func (f *Flow) Current() Verb {
	if len(f.verbs) == 0 {
		return Hangup{Cause: core.CauseNormal}
	}
	return f.verbs[0]
}

// Next ends the running verb with o and returns the one that runs now. Should
// that one not wait, Next is called again as soon as it was started.
func (f *Flow) Next(o Outcome) Verb {
	if len(f.verbs) > 0 {
		if _, ok := f.verbs[0].(Connect); ok {
			f.last = o
			if len(f.verbs) == 1 && !o.Connected {
				f.verbs = append(f.verbs, fallThrough(o)...)
			}
		}
		f.verbs = f.verbs[1:]
	}
	if len(f.verbs) == 0 {
		f.verbs = []Verb{Hangup{}}
	}
	if h, ok := f.verbs[0].(Hangup); ok && h.Cause == 0 {
		f.verbs[0] = Hangup{Cause: cmp.Or(f.last.Cause, core.CauseNormal), Code: f.last.Code}
	}
	return f.verbs[0]
}

// Divert ends the running verb with o and lets verbs run in place of it and of
// all that would have followed. It returns the first of them.
func (f *Flow) Divert(o Outcome, verbs ...Verb) Verb {
	f.verbs = append([]Verb{f.Current()}, verbs...)
	return f.Next(o)
}

// fallThrough says why a Connect failed.
func fallThrough(o Outcome) []Verb {
	prompt := promptFor(o.Cause)
	if prompt == "" || o.Heard {
		return nil
	}
	return []Verb{Announce{Sound: core.Sound{Kind: core.SoundPrompt, Name: prompt}}}
}

// promptFor returns the announcement for a cause, "" if none is due.
func promptFor(cause core.Cause) string {
	switch cause {
	case core.CauseNormal, core.CauseElsewhere:
		return ""
	case core.CauseBusy:
		return core.PromptBusy
	case core.CauseRejected:
		return core.PromptDeclined
	case core.CauseNoAnswer:
		return core.PromptNoAnswer
	case core.CauseUnallocated, core.CauseInvalidNumber:
		return core.PromptUnknownNumber
	case core.CauseNotAllowed:
		return core.PromptNotAllowed
	case core.CauseNoRoute, core.CauseNoResponse, core.CauseUnreachable, core.CauseOutOfOrder, core.CauseNoCircuit,
		core.CauseNetworkOrder, core.CauseTempFailure, core.CauseNoResource:
		return core.PromptUnreachable
	case core.CauseIncompatible, core.CauseRecoveryOnTimer, core.CauseInterworking:
	}
	return core.PromptFailed
}
