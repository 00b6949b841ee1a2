// Package amd finds out whether a person or a machine answered a call, by how long
// and in what pieces it speaks, and hears the beep behind a machine's greeting. It is
// pure: a Detector is given 20 ms after 20 ms and has no clock.
package amd

import (
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/voice"
)

// Rate is the rate of the samples that a Detector takes, in Hz.
const Rate = 8000

const (
	// Latest is when it is said at the latest who answered.
	Latest = 5 * time.Second
	// longestHello is what a person says at most before it waits: a shop's name, one's
	// own and a question. Machines speak on.
	longestHello = 3200 * time.Millisecond
	// answerPause is how long a person waits for an answer before we believe that it
	// does. Machines do not pause so long between two sentences, most of them.
	answerPause = 800 * time.Millisecond
	// atLatest is how much must be said by a machine that still speaks at the end.
	atLatest = 1500 * time.Millisecond
)

// Detector listens to one call from its answer on. It is not safe for concurrent use.
type Detector struct {
	voice   *voice.Detector
	beep    beep
	heard   time.Duration
	who     core.Answerer // 0 until it is known
	beeped  bool          // a beep is over
	told    bool          // and was reported
	greeted time.Duration // length of the greeting so far
}

// New returns a Detector.
func New() *Detector { return &Detector{voice: voice.New(voice.DefaultSensitivity)} }

// Frame takes the next 20 ms and returns what is known by them, 0 for nothing new:
// Human, or Machine, once and no later than Latest; behind Machine, Beep, once.
func (d *Detector) Frame(pcm []int16) core.Answerer {
	d.heard += voice.FrameTime
	d.voice.Frame(pcm)
	d.greeted = d.voice.Spoken()
	if d.beep.frame(pcm) {
		d.beeped = true
	}
	switch {
	case d.who == 0:
		d.who = d.judge()
		return d.who
	case d.who == core.Machine && d.beeped && !d.told:
		d.told = true
		return core.Beep
	}
	return 0
}

// judge says who answered, 0 if it is too early.
func (d *Detector) judge() core.Answerer {
	silent := d.voice.Silent()
	switch {
	case d.beeped, d.greeted > longestHello:
		return core.Machine
	case d.voice.Speaking() && silent >= answerPause:
		return core.Human
	case d.heard < Latest:
		return 0
	case d.greeted > atLatest:
		return core.Machine
	}
	return core.Human // or nobody: who says nothing must not be hung up on
}
