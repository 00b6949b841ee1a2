package exchange

import (
	"cmp"
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// sayTime bounds a sound whose end is never reported.
const sayTime = 2 * time.Hour

// step starts the verbs of a leg's flow until one is waited for. A flow that has come
// to its end ends the leg, unless it is that of a callee who is to be joined.
func (x *Exchange) step(l *leg) {
	p := l.app
	for l.live() && len(p.verbs) > 0 {
		verb := p.verbs[0]
		p.verbs = p.verbs[1:]
		if x.startVerb(l, verb) {
			return
		}
	}
	switch {
	case !l.live():
	case l == l.call.winner:
		x.meet(l)
	default:
		x.letGo(l)
	}
}

// verbOver goes on with the flow of a leg after the verb that it waited for. While
// an answer may still replace what follows it waits for that.
func (x *Exchange) verbOver(l *leg) {
	l.app.verb = nil
	if l.app.asked == 0 {
		x.step(l)
	}
}

// startVerb starts a verb and reports whether the flow waits for it; then verbOver
// follows, perhaps before startVerb returns.
func (x *Exchange) startVerb(l *leg, verb flow.Verb) (waits bool) {
	p := l.app
	if verb.Needs() == flow.NeedAnswer {
		x.answer(l)
	}
	switch verb.(type) {
	case flow.Say, flow.Input:
	default:
		x.hush(l)
	}
	p.verb = verb
	switch verb := verb.(type) {
	case flow.Say:
		waits = x.say(l, verb)
	case flow.Wait:
		x.startTimer(l, core.TimerVerb, verb.For)
		waits = true
	case flow.Input:
		waits = x.input(l, verb)
	case flow.Record:
		waits = x.record(l, verb)
	case flow.Converse:
		waits = x.converse(l, verb)
	case flow.Call:
		waits = x.call(l, verb)
	case flow.Notify:
		x.consult(l, core.Consult{Kind: core.ConsultNotify, Hook: verb.Hook, Payload: verb.Payload})
		waits = true
	case flow.MoveAll:
		waits = x.moveAll(l, verb)
	case flow.Hangup:
		x.finish(l, cmp.Or(verb.Cause, core.CauseNormal), core.ReasonNone, verb.Code)
		waits = true
	}
	if !waits {
		p.verb = nil
	}
	return waits
}

// say plays a sound to a leg. Several that need not be waited for are played one
// after the other, until somebody presses a key or says something.
func (x *Exchange) say(l *leg, v flow.Say) (waits bool) {
	p := l.app
	p.barge = p.barge || v.BargeIn
	p.playing = append(p.playing, x.again(v.Sound))
	if len(p.playing) == 1 {
		x.playFirst(l)
	}
	return !p.barge
}

// again makes a sound another one than all before it, so that it begins anew.
func (x *Exchange) again(s core.Sound) core.Sound {
	x.played++
	s.No = x.played
	return s
}

func (x *Exchange) playFirst(l *leg) {
	l.call.matrix.Play(l.Leg, l.app.playing[0])
	x.hear(l.call)
	if l.app.playing[0].Ends() {
		x.startTimer(l, core.TimerPlay, sayTime)
	}
}

// hush ends what a leg is played.
func (x *Exchange) hush(l *leg) {
	p := l.app
	p.barge = false
	if len(p.playing) == 0 {
		return
	}
	p.playing = nil
	x.stopTimer(l, core.TimerPlay)
	l.call.matrix.Play(l.Leg, core.Sound{})
	x.hear(l.call)
}

// saidOrFailed reports whether a sound that came to its end, or failed, was one of an
// application, and goes on after it.
func (x *Exchange) saidOrFailed(l *leg, sound core.Sound, why string) bool {
	p := l.app
	if len(p.playing) == 0 || p.playing[0] != sound {
		x.unplayed(l, sound, why) // what is heard while somebody rings, or until a conversation starts
		return why != ""
	}
	x.unplayed(l, sound, why)
	x.stopTimer(l, core.TimerPlay)
	if p.playing = p.playing[1:]; len(p.playing) > 0 {
		x.playFirst(l)
		return true
	}
	l.call.matrix.Play(l.Leg, core.Sound{})
	switch v := p.verb.(type) {
	case flow.Say:
		x.verbOver(l)
	case flow.Input:
		x.startKeyTimer(l, v)
	case flow.Record:
		if !x.startRecord(l, v) {
			x.verbOver(l)
		}
	}
	x.hear(l.call)
	return true
}

// sayDue ends a sound whose end was never reported.
func (x *Exchange) sayDue(l *leg) {
	if len(l.app.playing) > 0 {
		x.saidOrFailed(l, l.app.playing[0], "")
	}
}

// verbDue goes on when the time of what a flow waits for is over.
func (x *Exchange) verbDue(l *leg) {
	switch v := l.app.verb.(type) {
	case flow.Wait:
		x.verbOver(l)
	case flow.Input:
		x.inputDue(l, v)
	default:
		x.detectDue(l)
	}
}

// injectionOver reports whether a sound that came to its end, or failed, was
// injected, and forgets it.
func (x *Exchange) injectionOver(l *leg, sound core.Sound, why string) bool {
	over := l.call.matrix.Injected(l.Leg)
	slot := slices.Index(over[:], sound)
	if slot < 0 || sound.IsZero() {
		return false
	}
	l.call.matrix.Inject(l.Leg, core.InjectSlot(slot), core.Sound{})
	x.hear(l.call)
	if l.app != nil {
		x.unplayed(l, sound, why)
	}
	return true
}

// unplayed tells the application why a sound was not played, if there is a reason.
func (x *Exchange) unplayed(l *leg, sound core.Sound, why string) {
	if why != "" && (sound.Kind == core.SoundFile || sound.Kind == core.SoundMusic) {
		why = core.ReasonDownload + why
	}
	x.complain(l, why)
}

// halt stops what the flow of a leg does and drops what it would have done.
func (x *Exchange) halt(l *leg) {
	p, c := l.app, l.call
	_, calls := p.verb.(flow.Call)
	p.verbs, p.verb, p.aside = nil, nil, 0
	x.unasked(l)
	x.stopTimer(l, core.TimerVerb)
	x.stopListening(l)
	p.keys, p.watch = nil, nil
	if p.dialled != nil {
		p.dialled.detecting = false
	}
	x.hush(l)
	if r := p.taking; r != nil {
		x.stopRecord(r)
	}
	if calls && !l.joined {
		x.stopCalling(c)
	}
}
