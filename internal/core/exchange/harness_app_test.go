package exchange

import (
	"fmt"
	"strings"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// fromPSTN is a call a from the carrier to the number of the application.
var fromPSTN = fromTrunk("40")

// answers is what an application answers to the n-th question about a leg.
func instructs(leg core.LegID, no uint32, verbs ...flow.Verb) flow.Instructed {
	return flow.Instructed{Turn: core.Turn{Leg: leg, No: no}, Kind: flow.Run, Verbs: verbs}
}

func says(leg core.LegID, no uint32, kind flow.AnswerKind) flow.Instructed {
	return flow.Instructed{Turn: core.Turn{Leg: leg, No: no}, Kind: kind}
}

// speech is a text to be said.
func speech(text string) core.Sound { return core.Sound{Kind: core.SoundSpeech, Name: text} }

// spoken reports that what a leg is played came to its end; failedToSpeak, that it
// could not be played. The harness fills in which time it is.
type soundEnd struct {
	core.EventBase
	leg  core.LegID
	why  string
	over bool // what is injected
}

func spoken(leg core.LegID) soundEnd               { return soundEnd{leg: leg} }
func unspoken(leg core.LegID, why string) soundEnd { return soundEnd{leg: leg, why: why} }

// heardWords reports what the recogniser of the newest Listen made of it.
type heardWords struct {
	core.EventBase
	began  bool
	result core.SpeechResult
}

// recordOver reports the end of the n-th recording, from 1.
type recordOver struct {
	core.EventBase
	n int
}

func (s *script) renameApp(ev core.Event, id func(core.LegID) core.LegID) core.Event {
	switch ev := ev.(type) {
	case flow.Instructed:
		ev.Turn.Leg = id(ev.Turn.Leg)
		ev.Verbs = renameVerbs(ev.Verbs, id, s)
		return ev
	case soundEnd:
		leg := id(ev.leg)
		row := s.rows[leg]
		sound := row.Sound
		if ev.over {
			sound = row.Over[core.InjectStream]
		}
		if ev.why != "" {
			return core.SoundFailed{Leg: leg, Sound: sound, Why: ev.why}
		}
		return core.Played{Leg: leg, Sound: sound}
	case heardWords:
		if ev.began {
			return core.SpeechBegan{Leg: s.listened.Leg, Turn: s.listened.Turn}
		}
		return core.SpeechHeard{Leg: s.listened.Leg, Turn: s.listened.Turn, Result: ev.result}
	case recordOver:
		return core.RecordEnded{ID: s.records[ev.n-1]}
	case core.AnswererKnown:
		ev.Leg = id(ev.Leg)
		return ev
	case core.LegClosed:
		return core.LegClosed{Leg: id(ev.Leg)}
	}
	return ev
}

// renameVerbs puts real names into the circles of conversations, and the call of a
// leg in place of its name.
func renameVerbs(verbs []flow.Verb, id func(core.LegID) core.LegID, s *script) []flow.Verb {
	circle := func(c *flow.Circle) *flow.Circle {
		if c == nil {
			return nil
		}
		out := &flow.Circle{}
		for _, leg := range c.Legs {
			out.Legs = append(out.Legs, id(leg))
		}
		return out
	}
	out := make([]flow.Verb, len(verbs))
	for i, v := range verbs {
		switch v := v.(type) {
		case flow.Converse:
			v.Speaks, v.Hears = circle(v.Speaks), circle(v.Hears)
			out[i] = v
		case flow.MoveAll:
			v.Speaks, v.Hears = circle(v.Speaks), circle(v.Hears)
			if l := s.x.leg(id(core.LegID(v.To))); l != nil {
				v.To = l.call.id
			}
			out[i] = v
		default:
			out[i] = v
		}
	}
	return out
}

func renameAppRequest(req core.Request, id func(core.LegID) core.LegID) core.Request {
	switch req := req.(type) {
	case core.OfApp:
		return core.OfApp{App: req.App, Do: renameRequest(req.Do, id)}
	case flow.Replace:
		req.Leg = id(req.Leg)
		return req
	case core.Earmuff:
		req.Leg = id(req.Leg)
		return req
	case core.Inject:
		req.Leg = id(req.Leg)
		return req
	case core.Key:
		req.Leg = id(req.Leg)
		return req
	case core.WatchKeys:
		req.Leg = id(req.Leg)
		return req
	}
	return req
}

// appLine writes a command as in "consult a answer 1".
func (s *script) appLine(cmd core.Command) string {
	switch cmd := cmd.(type) {
	case core.Consult:
		kinds := [...]string{"", "answer", "on_answer", "input", "notify"}
		line := fmt.Sprintf("consult %s %s %d", s.name(cmd.Leg), kinds[cmd.Kind], cmd.Turn.No)
		if cmd.Kind == core.ConsultInput {
			line += inputLine(cmd.Input)
		}
		return line + hookLine(cmd.Hook)
	case core.Notice:
		if cmd.Kind == core.NoticeDigit {
			return fmt.Sprintf("digit %s %c", s.name(cmd.Leg), cmd.Digit) + hookLine(cmd.Hook)
		}
		return fmt.Sprintf("error %s %s", s.name(cmd.Leg), cmd.Reason)
	case core.Record:
		line := "record " + s.number(cmd.ID) + s.channels(cmd.Channels) + hookLine(cmd.Hook)
		if cmd.Transcribe != nil {
			line += " text" + hookLine(cmd.Transcribe.Hook)
		}
		return line
	case core.SetRecord:
		return "set " + s.number(cmd.ID) + s.channels(cmd.Channels)
	case core.StopRecord:
		return "save " + s.number(cmd.ID)
	case core.Listen:
		return fmt.Sprintf("listen %s", s.name(cmd.Leg))
	case core.StopListen:
		return fmt.Sprintf("unlisten %s", s.name(cmd.Turn.Leg))
	case core.Detect:
		return fmt.Sprintf("detect %s", s.name(cmd.Leg))
	case core.SendDigits:
		return fmt.Sprintf("keys %s %s", s.name(cmd.Leg), cmd.Digits)
	}
	return fmt.Sprintf("%T", cmd)
}

// hookLine says where the application is told, if not where it wants all of it.
func hookLine(h core.Hook) string {
	if h.URL == "" {
		return ""
	}
	return " at " + h.URL
}

func inputLine(in core.InputResult) string {
	line := ""
	if in.Keys {
		line += fmt.Sprintf(" keys=%q timed_out=%v", in.Digits, in.TimedOut)
	}
	if in.Spoken {
		line += fmt.Sprintf(" reason=%d", in.Speech.Reason)
		if in.Speech.Error != "" {
			line += " error=" + in.Speech.Error
		}
		for _, r := range in.Speech.Results {
			line += " said=" + r.Text
		}
	}
	return line
}

// number says which recording it is, from 1.
func (s *script) number(id core.RecordingID) string {
	for i, r := range s.records {
		if r == id {
			return fmt.Sprint(i + 1)
		}
	}
	s.records = append(s.records, id)
	return fmt.Sprint(len(s.records))
}

func (s *script) channels(rows []core.Hear) string {
	line := ""
	for _, row := range rows {
		line += " [" + s.source(row) + s.over(row) + "]"
	}
	return line
}

// over writes what is injected, as in " + file:x".
func (s *script) over(row core.Hear) string {
	line := ""
	for _, sound := range row.Over {
		if !sound.IsZero() {
			line += " + " + soundName(sound)
		}
	}
	return line
}

func soundName(sound core.Sound) string {
	switch sound.Kind {
	case core.SoundSpeech:
		return "speech:" + strings.ReplaceAll(sound.Name, " ", "_")
	case core.SoundBeep:
		return "beep"
	case core.SoundNone, core.SoundRingback, core.SoundBusy, core.SoundPrompt, core.SoundHold, core.SoundFile, core.SoundMusic:
	}
	return "file:" + sound.Name
}

// see keeps what the events of a test are about.
func (s *script) see(cmd core.Command) {
	switch cmd := cmd.(type) {
	case core.Hear:
		s.rows[cmd.Leg] = cmd
	case core.Listen:
		s.listened = cmd
	}
}
