// Package speech has the recorded announcements and digits that are in the
// binary, so that callers are told what happens without any speech engine.
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
// "answered-elsewhere", "goodbye", "star", "pound" or a digit "0" to "9". It has 8000 Hz and is
// decoded anew for each caller.
func Prompt(name string) (file.PCM, bool) {
	data, err := prompts.ReadFile("prompts/" + name + ".wav")
	if err != nil {
		return file.PCM{}, false
	}
	rate, samples, err := file.DecodeWAV(bytes.NewReader(data))
	return file.PCM{Rate: rate, Samples: samples}, err == nil
}
