package speech

import (
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/meter"
)

func TestEveryPromptIsThereAndAudible(t *testing.T) {
	names := []string{
		core.PromptNoAnswer, core.PromptBusy, core.PromptDeclined, core.PromptUnreachable, core.PromptUnknownNumber,
		core.PromptNotAllowed, core.PromptFailed, core.PromptClosed, core.PromptConfirm, "answered-elsewhere", "goodbye",
		"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "star", "pound",
	}
	for _, name := range names {
		pcm, ok := Prompt(name)
		if !ok || pcm.Rate != 8000 {
			t.Errorf("%s: %v at %d Hz", name, ok, pcm.Rate)
			continue
		}
		if s := len(pcm.Samples) / pcm.Rate; s >= 8 { // the exchange waits no longer than 10 s
			t.Errorf("%s lasts %d s", name, s)
		}
		if l := meter.Level(pcm.Samples); l < -35 || l > -12 {
			t.Errorf("%s is at %.0f dBFS", name, l)
		}
	}
}

func TestUnknownPrompts(t *testing.T) {
	for _, name := range []string{"", "nobody", "../speech", "README"} {
		if _, ok := Prompt(name); ok {
			t.Errorf("there is a prompt %q", name)
		}
	}
}
