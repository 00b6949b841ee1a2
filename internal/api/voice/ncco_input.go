package voice

import (
	"cmp"
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// input reads the action of that name, in its present form and in the old one,
// which has no type.
func (a action) input() flow.Verb {
	in := flow.Input{Hook: a.hook()}
	types, present := a.inputTypes()
	if !present {
		in.Legacy, in.Keys = true, a.keyInput()
		return in
	}
	if len(types) == 0 {
		a.fail("type", "must have an entry")
	}
	for _, t := range types {
		if t != "dtmf" && t != "speech" {
			a.fail("type", "can only contain dtmf and speech")
		}
	}
	if slices.Contains(types, "dtmf") {
		in.Keys = a.section("dtmf").keyInput()
	}
	in.Async = a.async(types)
	if slices.Contains(types, "speech") {
		in.Speech, in.Speaker = a.speechInput()
	}
	return in
}

// inputTypes reads what is waited for. Between the old form and the present one there
// was a time when the settings alone said so, and some SDKs still write that.
func (a action) inputTypes() (types []string, present bool) {
	if types, present = a.texts(10, "type"); present {
		return types, true
	}
	for _, kind := range []string{"dtmf", "speech"} {
		if a.has(kind) {
			types = append(types, kind)
		}
	}
	return types, len(types) > 0
}

// keyInput reads when a row of keys is complete.
func (o object) keyInput() *flow.KeyInput {
	return &flow.KeyInput{
		Timeout:      o.seconds("timeOut", 3, 0, 10),
		MaxDigits:    o.integer("maxDigits", 4, 1, 20),
		SubmitOnHash: o.truth("submitOnHash", false),
	}
}

// async reads whether the application is told of every key while the flow goes on,
// which goes with keys alone and with none of their settings.
func (a action) async(types []string) bool {
	if a.word("mode", "synchronous", "asynchronous") == "synchronous" {
		return false
	}
	if slices.Contains(types, "speech") || len(a.section("dtmf").fields) > 0 {
		a.fail("mode", "asynchronous goes with dtmf without settings only")
	}
	return true
}

// speechInput reads how to listen, and to whom.
func (a action) speechInput() (*core.Speech, core.LegID) {
	s := a.section("speech")
	hints, _ := s.texts(500, "context")
	var speaker core.LegID
	if legs := s.circle("uuid"); legs != nil && len(legs.Legs) > 0 {
		speaker = legs.Legs[0]
	}
	return &core.Speech{
		Language:     limited(s.text("language")),
		Hints:        hints,
		StartTimeout: s.seconds("startTimeout", 10, 1, 60),
		MaxDuration:  s.seconds("maxDuration", 60, 1, 60),
		EndOnSilence: s.seconds("endOnSilence", 2, 0.4, 10),
		Sensitivity:  s.integer("sensitivity", -1, -1, 100),
		Keep:         s.truth("saveAudio", false),
		App:          a.App,
	}, speaker
}

// record reads the action of that name.
func (a action) record() flow.Verb {
	r := a.recording()
	r.EndOnSilence = a.atLeast("endOnSilence", 3, 10)
	r.EndOnKey = a.key("endOnKey")
	r.Timeout = a.atLeast("timeOut", 3, 7200)
	r.Beep = a.truth("beepStart", false)
	r.Background = r.EndOnSilence == 0 && r.EndOnKey == 0 && (r.Timeout == 0 || a.TimedAside)
	return r
}

// atLeast reads a time that is none if it is not given, or 0.
func (o object) atLeast(name string, low, high float64) time.Duration {
	if !o.has(name) || o.number(name, 0, 0, high) == 0 {
		return 0
	}
	return o.seconds(name, low, low, high)
}

// recording reads what record and conversation have in common.
func (a action) recording() flow.Record {
	r := flow.Record{Hook: a.hook(), Channels: 1}
	if a.word("split", "", "conversation") != "" {
		r.Split, r.Channels = true, cmp.Or(a.integer("channels", 2, 0, 32), 2) // 0 is none given
	}
	byDefault := []string{"mp3", "wav", "ogg"}
	if r.Channels > 2 {
		byDefault = []string{"wav", "mp3", "ogg"}
	}
	switch a.word("format", byDefault...) {
	case "wav":
		r.Format = core.RecordWAV
	case "ogg":
		r.Format = core.RecordOgg
	default:
		r.Format = core.RecordMP3
	}
	if t, ok := a.object.object("transcription"); ok {
		r.Transcribe = &core.Transcription{Language: limited(t.text("language")), Hook: t.hook()}
	}
	return r
}

// converse reads the action conversation.
func (a action) converse() flow.Verb {
	c := flow.Converse{
		Name:         a.needText(maxName, "name"),
		Music:        a.music("musicOnHoldUrl"),
		StartOnEnter: a.truth("startOnEnter", true),
		EndOnExit:    a.truth("endOnExit", false),
		Speaks:       a.circle("canSpeak"), Hears: a.circle("canHear"),
		Mute: a.truth("mute", false),
	}
	if c.Mute && c.Speaks != nil {
		a.fail("mute", "does not go with canSpeak")
	}
	if a.truth("record", false) {
		r := a.recording()
		r.Background = true
		c.Record = &r
	}
	return c
}
