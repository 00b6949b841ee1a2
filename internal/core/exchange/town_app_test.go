package exchange

import (
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// play lets sounds come to their end, most of them.
func (t *town) play(row core.Hear) {
	sounds := append([]core.Sound{row.Sound}, row.Over[:]...)
	for _, sound := range sounds {
		switch {
		case !sound.Ends():
		case sound.Kind == core.SoundPrompt && t.dice(10) > 0:
			t.plan(3*time.Second, core.Played{Leg: row.Leg, Sound: sound})
		case sound.Kind == core.SoundPrompt:
		case t.dice(6) == 0:
			t.plan(t.soon(), core.SoundFailed{Leg: row.Leg, Sound: sound, Why: "404"})
		default:
			t.plan(t.seconds(6), core.Played{Leg: row.Leg, Sound: sound})
		}
	}
}

// obeyApp is applications, recorders and recognisers.
func (t *town) obeyApp(cmd core.Command) {
	switch cmd := cmd.(type) {
	case core.Consult:
		t.answer(t, cmd)
	case core.Record:
		if t.dice(3) == 0 {
			t.plan(t.seconds(20), core.RecordEnded{ID: cmd.ID, Leg: cmd.Leg})
		}
	case core.Listen:
		at := t.seconds(6)
		if t.dice(3) > 0 {
			t.plan(at, core.SpeechBegan{Leg: cmd.Leg, Turn: cmd.Turn})
		}
		if t.dice(8) > 0 { // else it is never heard of again
			t.plan(at+t.seconds(6), core.SpeechHeard{Leg: cmd.Leg, Turn: cmd.Turn, Result: t.speechResult()})
		}
	case core.Detect:
		t.plan(t.seconds(5), core.AnswererKnown{Leg: cmd.Leg, Who: []core.Answerer{core.Human, core.Machine}[t.dice(2)]})
		if t.dice(2) == 0 {
			t.plan(5*time.Second+t.seconds(20), core.AnswererKnown{Leg: cmd.Leg, Who: []core.Answerer{core.Beep, core.NoBeep}[t.dice(2)]})
		}
	}
}

// instruct answers a question with any flow, in time, late, never or badly.
func (t *town) instruct(q core.Consult) {
	kind, at := flow.Run, t.soon()
	switch t.dice(12) {
	case 0:
		return // the node must go on by itself
	case 1:
		at = 50*time.Second + t.seconds(20)
	case 2:
		kind = flow.Failed
	case 3:
		kind = flow.Go
	case 4:
		kind = flow.Idle
	}
	t.says(at, q.Turn, kind, t.verbs()...)
}

// says lets an application answer.
func (t *town) says(after time.Duration, turn core.Turn, kind flow.AnswerKind, verbs ...flow.Verb) {
	ev := flow.Instructed{Turn: turn, Kind: kind}
	if kind == flow.Run {
		ev.Verbs = verbs
	}
	t.plan(after, ev)
}
