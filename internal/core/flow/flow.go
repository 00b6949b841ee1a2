// Package flow is call control as data: verbs, what each needs before it may
// run, and the sequencer that hands them out one after the other. It is pure
// and knows no legs but the one it controls.
package flow

import (
	"cmp"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// Verb is one action of a flow.
type Verb interface {
	// Needs is the precondition that must hold before the verb runs.
	Needs() Need
}

// Need is what a leg must be able to do before a verb runs on it.
type Need uint8

const (
	// NeedNothing lets a verb run at any time.
	NeedNothing Need = iota
	// NeedEarly needs a leg that can hear us: early media, or answered.
	NeedEarly
	// NeedAnswer needs an answered leg.
	NeedAnswer
)

// Connect rings Targets and gives the call to the first that accepts.
type Connect struct {
	Targets  []core.Target
	Dialled  string // the number of ours that was called, "" if none
	Group    bool   // early media of callees is not passed on
	Timeout  time.Duration
	Ringback string // country of the tone the caller hears
}

// Announce plays a finite sound.
type Announce struct{ Sound core.Sound }

// Hangup ends the leg.
type Hangup struct {
	Cause core.Cause
	Code  int // SIP status of an unanswered leg, 0 = of the cause
}

// Needs implements Verb.
func (Connect) Needs() Need { return NeedNothing }

// Needs implements Verb.
func (Announce) Needs() Need { return NeedEarly }

// Needs implements Verb.
func (Hangup) Needs() Need { return NeedNothing }

// Outcome is how a verb ended.
type Outcome struct {
	// Connected says that a Connect led to a conversation, which is over now.
	Connected bool
	// Heard says that the caller heard the callee's own early media, so that an
	// announcement of ours would only repeat it.
	Heard bool
	Cause core.Cause
	Code  int
}

// Flow hands out verbs. It never runs dry: a Connect that failed without a verb
// behind it is followed by the announcement that says why, and the last verb is
// always a Hangup.
type Flow struct {
	verbs []Verb // the running one first
	last  Outcome
}

// New returns a Flow whose first verb is running.
func New(verbs ...Verb) *Flow { return &Flow{verbs: verbs} }

// Current returns the running verb.
func (f *Flow) Current() Verb {
	if len(f.verbs) == 0 {
		return Hangup{Cause: core.CauseNormal}
	}
	return f.verbs[0]
}

// Next ends the running verb with o and returns the one that runs now.
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
		f.verbs = []Verb{Hangup{Cause: cmp.Or(f.last.Cause, core.CauseNormal), Code: f.last.Code}}
	}
	return f.verbs[0]
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
