package speech

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/media/pcm"
	"github.com/offhook/offhook/internal/media/voice"
)

const (
	// hearFrame is how many samples come at once.
	hearFrame = HearRate / 50
	// maxBehind is how many frames wait for the recogniser: 10 s.
	maxBehind = 500
	// preroll is how many frames before speech was noticed belong to it: 400 ms.
	preroll = 20
	// deafAfter ends a listening that gets no audio at all.
	deafAfter = 10 * time.Second
)

var (
	errStopped = errors.New("not wanted any more")
	errDeaf    = errors.New("no audio comes from the media")
)

// listening is to one party, once.
type listening struct {
	l      *Listener
	order  core.Listen
	frames chan []int16

	ctx  context.Context //nolint:containedctx // ends it; StopListen cancels it
	stop context.CancelCauseFunc

	// What follows belongs to run.
	voice   *voice.Detector
	said    []int16 // from preroll on
	hearing Hearing // nil before speech
	failed  error   // of hearing
	since   time.Duration
}

func newListening(l *Listener, cmd core.Listen) *listening {
	it := &listening{l: l, order: cmd, frames: make(chan []int16, maxBehind), voice: voice.New(cmd.Sensitivity)}
	it.ctx, it.stop = context.WithCancelCause(context.Background())
	path := pcm.New(pcm.Config{Rate: HearRate, Heard: func(_ int64, samples []int16) {
		select {
		case it.frames <- slices.Clone(samples):
		default: // the recogniser is too slow for speech
		}
	}})
	l.cfg.Media.Attach(it.leg(), path)
	l.cfg.Media.Do(core.Hear{Leg: it.leg(), From: []core.LegID{cmd.Leg}})
	return it
}

// leg names the leg that hears to package media.
func (it *listening) leg() core.LegID {
	return core.LegID(fmt.Sprintf("asr-%s-%d", it.order.Turn.Leg, it.order.Turn.No))
}

// run listens and reports.
func (it *listening) run() {
	defer it.stop(nil)
	reason, err := it.listen()
	it.l.cfg.Media.Detach(it.leg())
	if it.hearing != nil {
		defer it.hearing.Close()
	}
	if err != nil {
		it.l.report(it, core.SpeechResult{Error: err.Error()})
		return
	}
	result := core.SpeechResult{Reason: reason}
	if reason != core.SpeechNone {
		it.understand(&result)
	}
	it.l.report(it, result)
}

// listen takes frames until it is known how the speech ended.
func (it *listening) listen() (core.SpeechEnd, error) {
	deaf := time.NewTimer(deafAfter)
	defer deaf.Stop()
	for {
		select {
		case <-it.ctx.Done():
			return 0, context.Cause(it.ctx)
		case <-deaf.C:
			return 0, errDeaf
		case frame := <-it.frames:
			deaf.Reset(deafAfter)
			if end := it.frame(frame); end != 0 {
				return end, nil
			}
		}
	}
}

// frame takes 20 ms. Time is counted in frames: what waited for a slow recogniser was
// in time.
func (it *listening) frame(frame []int16) core.SpeechEnd {
	it.said = append(it.said, frame...)
	it.since += pcm.FrameTime
	began := it.voice.Frame(frame)
	switch {
	case it.hearing == nil && it.failed == nil && began:
		it.begin()
	case it.hearing == nil && it.failed == nil:
		if over := len(it.said) - preroll*hearFrame; over > 0 {
			it.said = it.said[:copy(it.said, it.said[over:])]
		}
		if it.since >= it.order.StartTimeout {
			return core.SpeechNone
		}
	default:
		it.write(frame)
		if it.voice.Silent() >= it.order.EndOnSilence {
			return core.SpeechSilence
		}
		if it.since >= it.order.MaxDuration {
			return core.SpeechTooLong
		}
	}
	return 0
}

// begin tells that speech began, and lets the recogniser hear it.
func (it *listening) begin() {
	it.l.post(core.SpeechBegan{Leg: it.order.Leg, Turn: it.order.Turn})
	it.since = 0
	it.hearing, it.failed = it.l.cfg.Recogniser.Open(it.ctx, Hints{Language: languageOf(it.order.Language), Words: it.order.Hints})
	it.write(it.said)
}

func languageOf(tag string) string {
	if tag == "" {
		return defaultLanguage
	}
	return tag
}

// write gives a recogniser more, unless it failed: then only the end is waited for,
// as what was said may have to be kept.
func (it *listening) write(pcm []int16) {
	if it.failed == nil {
		it.failed = it.hearing.Write(pcm)
	}
}

// understand asks the recogniser for the text, and keeps what was said.
func (it *listening) understand(result *core.SpeechResult) {
	late := time.AfterFunc(it.l.cfg.Timeout, func() { it.stop(errSlow) })
	defer late.Stop()
	err := it.failed
	if err == nil {
		result.Results, err = it.hearing.Finish()
	}
	if err != nil {
		if cause := context.Cause(it.ctx); cause != nil {
			err = cause
		}
		it.l.cfg.Log.Warn("speech was not recognised", "leg", string(it.order.Turn.Leg), "error", err)
		result.Error = "Speech could not be recognised: " + err.Error()
	}
	if !it.order.Keep || it.l.cfg.Keeper == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(it.ctx), it.l.cfg.Timeout)
	defer cancel()
	name, err := it.l.cfg.Keeper.Keep(ctx, it.order.App, it.order.Turn.Leg, file.PCM{Rate: HearRate, Samples: it.said})
	if err != nil {
		it.l.cfg.Log.Error("what a party said cannot be kept", "leg", string(it.order.Turn.Leg), "error", err)
		return
	}
	result.Recording = name
}
