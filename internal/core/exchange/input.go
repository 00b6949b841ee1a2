package exchange

import (
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// listenTime is how much longer than it may a recogniser takes that never reports.
const listenTime = 10 * time.Second

// keying is a running Input.
type keying struct {
	digits   string
	timedOut bool              // no key came in time; somebody may still speak
	speaks   bool              // somebody does; the time for keys stands still
	turn     core.Turn         // of the recogniser that listens, zero if none does
	speech   core.SpeechResult // what it said, if that did not end the verb
}

// input waits for keys and for speech. The time for both begins when the sounds
// before it are over: who is asked hears the question first.
func (x *Exchange) input(l *leg, v flow.Input) (waits bool) {
	p := l.app
	if v.Async {
		x.hush(l)
		hook := p.hookOf(v.Hook)
		p.watch = &hook
		return false
	}
	p.keys = &keying{}
	x.listen(l, v)
	if len(p.playing) == 0 || !p.playing[0].Ends() {
		x.startKeyTimer(l, v)
	}
	return true
}

// listen lets a recogniser listen to a leg.
func (x *Exchange) listen(l *leg, v flow.Input) {
	if v.Speech == nil {
		return
	}
	p := l.app
	p.turn++
	p.keys.turn = core.Turn{Leg: p.name, No: p.turn}
	x.emit(core.Listen{Turn: p.keys.turn, Leg: x.speaker(l, v).Leg, Speech: *v.Speech})
}

// speaker is who is listened to for an Input of l.
func (x *Exchange) speaker(l *leg, v flow.Input) *leg {
	if o := x.leg(v.Speaker); o != nil && o.call == l.call && o.live() && !o.virtual && o.app != nil && o.app.app == l.app.app {
		return o
	}
	return l
}

// stopListening ends a recogniser without a result.
func (x *Exchange) stopListening(l *leg) {
	if k := l.app.keys; k != nil && k.turn != (core.Turn{}) {
		x.emit(core.StopListen{Turn: k.turn})
		k.turn = core.Turn{}
	}
}

// startKeyTimer begins the time for the next key, or for all that is said.
func (x *Exchange) startKeyTimer(l *leg, v flow.Input) {
	k := l.app.keys
	switch {
	case v.Keys != nil && !k.timedOut && !k.speaks:
		x.startTimer(l, core.TimerVerb, v.Keys.Timeout)
	case v.Speech != nil:
		x.startTimer(l, core.TimerVerb, v.Speech.StartTimeout+v.Speech.MaxDuration+v.Speech.EndOnSilence+listenTime)
	default:
		x.submit(l, v, core.SpeechResult{})
	}
}

// keyed takes a key of a leg's party.
func (x *Exchange) keyed(l *leg, key byte) {
	p := l.app
	if p.watch != nil {
		x.notice(l, core.Notice{Kind: core.NoticeDigit, Hook: *p.watch, Digit: key})
	}
	switch v := p.verb.(type) {
	case flow.Input:
		x.inputKey(l, v, key)
	case flow.Record:
		if r := p.taking; r != nil && v.EndOnKey != 0 && v.EndOnKey == key {
			x.stopRecord(r)
			x.verbOver(l)
		}
	}
}

// inputKey takes a key that a running Input may wait for. The first one ends the
// sounds, and the wait for speech.
func (x *Exchange) inputKey(l *leg, v flow.Input, key byte) {
	k := l.app.keys
	if k == nil || !strings.ContainsRune("0123456789*#", rune(key)) {
		return
	}
	if v.Keys == nil {
		x.cutIn(l, v)
		return
	}
	x.hush(l)
	x.stopListening(l)
	k.timedOut, k.speaks = false, false
	if key == '#' && v.Keys.SubmitOnHash {
		x.submit(l, v, k.speech)
		return
	}
	if k.digits += string(rune(key)); len(k.digits) >= v.Keys.MaxDigits {
		x.submit(l, v, k.speech)
		return
	}
	x.startKeyTimer(l, v)
}

// cutIn ends the sounds before an Input whose party begins to answer.
func (x *Exchange) cutIn(l *leg, v flow.Input) {
	if len(l.app.playing) > 0 {
		x.hush(l)
		x.startKeyTimer(l, v)
	}
}

// inputDue ends an Input whose time is over. Where speech is waited for as well it has
// its own time.
func (x *Exchange) inputDue(l *leg, v flow.Input) {
	k := l.app.keys
	if v.Keys != nil && !k.timedOut && !k.speaks {
		k.timedOut = true
		if k.turn != (core.Turn{}) {
			x.startKeyTimer(l, v)
			return
		}
	}
	speech := k.speech
	if k.turn != (core.Turn{}) {
		speech = core.SpeechResult{Reason: core.SpeechNone}
	}
	x.submit(l, v, speech)
}

// speechBegan ends the sounds, and the time for keys, when the party says something.
func (x *Exchange) speechBegan(l *leg, turn core.Turn) {
	v, ok := l.app.verb.(flow.Input)
	if k := l.app.keys; !ok || k == nil || k.turn != turn {
		return
	}
	l.app.keys.speaks = true
	x.hush(l)
	x.startKeyTimer(l, v)
}

// speechHeard ends an Input by what the party said. Silence while the question is
// still asked means nothing, and a recogniser that fails leaves the keys.
func (x *Exchange) speechHeard(l *leg, turn core.Turn, heard core.SpeechResult) {
	p := l.app
	v, ok := p.verb.(flow.Input)
	k := p.keys
	if !ok || k == nil || k.turn != turn {
		return
	}
	k.turn = core.Turn{}
	switch {
	case heard.Error == "" && heard.Reason == core.SpeechNone && len(p.playing) > 0:
		x.listen(l, v)
	case v.Keys != nil && !k.timedOut && !k.speaks && (heard.Error != "" || heard.Reason == core.SpeechNone):
		k.speech = heard
	default:
		x.submit(l, v, heard)
	}
}

// submit tells the application what came of an Input and asks how to go on.
func (x *Exchange) submit(l *leg, v flow.Input, speech core.SpeechResult) {
	p := l.app
	k := p.keys
	x.hush(l)
	x.stopListening(l)
	x.stopTimer(l, core.TimerVerb)
	p.keys = nil
	x.consult(l, core.Consult{Kind: core.ConsultInput, Hook: p.hookOf(v.Hook), Input: core.InputResult{
		Legacy: v.Legacy,
		Keys:   v.Keys != nil, Digits: k.digits, TimedOut: k.timedOut && v.Keys != nil,
		Spoken: v.Speech != nil, Speech: speech,
	}})
}
