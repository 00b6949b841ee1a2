package voice

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// talk reads the action of that name.
func (a action) talk() flow.Verb {
	return flow.Say{Sound: a.speech(), BargeIn: a.truth("bargeIn", false)}
}

// stream reads the action of that name.
func (a action) stream() flow.Verb {
	return flow.Say{Sound: a.file(), BargeIn: a.truth("bargeIn", false)}
}

// speech reads what shall be said and how. A language or style that nobody has is
// replaced by who speaks.
func (o object) speech() core.Sound {
	text := o.needText(maxTagged, "text")
	if n := utf8.RuneCountInString(withoutTags(text)); n > maxSpoken {
		o.fail("text", fmt.Sprintf("is longer than %d characters", maxSpoken))
	}
	style := o.number("style", 0, 0, math.MaxInt16)
	return core.Sound{
		Kind: core.SoundSpeech, Name: text, Loop: o.loop(), Level: o.level(),
		Language: limited(o.text("language")), Voice: limited(o.text("voiceName")), Style: int16(style),
	}
}

// limited drops what is too long to be a name.
func limited(name string) string {
	if len(name) > 64 {
		return ""
	}
	return name
}

// file reads what shall be played and how.
func (o object) file() core.Sound {
	return core.Sound{Kind: core.SoundFile, Name: o.needURL("streamUrl"), Loop: o.loop(), Level: o.level()}
}

// loop reads how often a sound is played; 0 is for ever.
func (o object) loop() uint16 {
	n := o.integer("loop", 1, 0, core.LoopForever-1)
	if n == 0 {
		return core.LoopForever
	}
	return uint16(n)
}

// level reads how loud a sound is, -1 to 1 in steps of a tenth.
func (o object) level() int8 {
	return int8(math.Round(o.number("level", 0, -1, 1) * 10))
}

// music reads a file that is played for ever, "" or none is silence.
func (o object) music(names ...string) core.Sound {
	if url := o.url(names...); url != "" {
		return core.Sound{Kind: core.SoundMusic, Name: url}
	}
	return core.Sound{}
}

// withoutTags returns what is left to be said of SSML.
func withoutTags(text string) string {
	if !strings.HasPrefix(strings.TrimSpace(text), "<speak") {
		return text
	}
	var out strings.Builder
	tag := false
	for _, r := range text {
		switch {
		case r == '<':
			tag = true
		case r == '>':
			tag = false
		case !tag:
			out.WriteRune(r)
		}
	}
	return out.String()
}
