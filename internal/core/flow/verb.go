package flow

import (
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// Verb is one action of a flow.
type Verb interface {
	// Needs is the precondition that must hold before the verb runs.
	Needs() Need
	// Waits reports whether the next verb runs only when this one has ended; else
	// both run alongside.
	Waits() bool
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

// Connect rings whom Dial names and gives the call to the first that accepts.
type Connect struct {
	Dial    *route.Dial
	Dialled string // the number of ours that was called, "" if none
}

// Announce plays a finite sound.
type Announce struct{ Sound core.Sound }

// Play plays an endless sound while the flow goes on, until another verb gives
// the leg something else to hear.
type Play struct{ Sound core.Sound }

// Park keeps the leg in a slot with music until somebody takes it, or for
// Timeout.
type Park struct {
	Slot    string
	Timeout time.Duration
}

// Talk lets the leg talk with all others of its call until they are gone.
type Talk struct{}

// Answer answers the leg.
type Answer struct{}

// Hangup ends the leg.
type Hangup struct {
	Cause core.Cause // 0 is that of the last Connect
	Code  int        // SIP status of an unanswered leg, 0 = of the cause
}

// Needs implements Verb.
func (Connect) Needs() Need { return NeedNothing }

// Needs implements Verb.
func (Announce) Needs() Need { return NeedEarly }

// Needs implements Verb.
func (Play) Needs() Need { return NeedEarly }

// Needs implements Verb.
func (Park) Needs() Need { return NeedAnswer }

// Needs implements Verb.
func (Talk) Needs() Need { return NeedAnswer }

// Needs implements Verb.
func (Answer) Needs() Need { return NeedAnswer }

// Needs implements Verb.
func (Hangup) Needs() Need { return NeedNothing }

// Waits implements Verb.
func (Connect) Waits() bool { return true }

// Waits implements Verb.
func (Announce) Waits() bool { return true }

// Waits implements Verb.
func (Play) Waits() bool { return false }

// Waits implements Verb.
func (Park) Waits() bool { return true }

// Waits implements Verb.
func (Talk) Waits() bool { return true }

// Waits implements Verb.
func (Answer) Waits() bool { return false }

// Waits implements Verb.
func (Hangup) Waits() bool { return true }
