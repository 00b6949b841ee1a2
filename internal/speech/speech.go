// Package speech turns text into audio and audio into text.
//
// A Speaker says texts with an Engine, a program of this machine or a server, and
// keeps what was said; without an engine it joins the recorded announcements and
// digits that are in the binary (Prompt), so that callers are told what happens all
// the same. A Listener lets a Recogniser hear what a leg says and tells the exchange
// the words. Engines and recognisers are slow and may fail: none is waited for by a
// loop or a mixer.
package speech

import (
	"bytes"
	"embed"

	"github.com/offhook/offhook/internal/media/file"
)

// scripts/prompts records them; prompts/README.md says with what.
//
//go:embed prompts/*.wav
var prompts embed.FS

// Prompt returns the recording of that name: one of the core's Prompt constants,
// "answered-elsewhere", "goodbye", "star", "pound" or a digit "0" to "9". It has
// 8000 Hz and is decoded anew for each caller.
func Prompt(name string) (file.PCM, bool) {
	data, err := prompts.ReadFile("prompts/" + name + ".wav")
	if err != nil {
		return file.PCM{}, false
	}
	rate, samples, err := file.DecodeWAV(bytes.NewReader(data))
	return file.PCM{Rate: rate, Samples: samples}, err == nil
}
