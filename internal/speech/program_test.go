package speech

import (
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/meter"
)

func TestInstalledProgramsSpeak(t *testing.T) {
	engines := map[string]func() (Engine, error){
		"espeak-ng": func() (Engine, error) { return NewEspeak(t.Context(), nil) },
		"flite":     func() (Engine, error) { return NewFlite(t.Context(), nil) },
	}
	for program, open := range engines {
		t.Run(program, func(t *testing.T) {
			if _, err := exec.LookPath(program); err != nil {
				t.Skip(program, "is not installed")
			}
			e, err := open()
			if err != nil {
				t.Fatal(err)
			}
			length := func(text string, rate float64) time.Duration {
				pcm, err := e.Speak(t.Context(), Utterance{Text: text, Voice: e.Voice(Voice{}), Rate: rate, Pitch: 1})
				if err != nil {
					t.Fatal(err)
				}
				if l := meter.Level(pcm.Samples); l < -40 || l > -5 {
					t.Errorf("%q is at %.0f dBFS", text, l)
				}
				return pcm.Duration()
			}
			short, long := length("yes", 1), length("-f /etc/passwd; this is only text to say $(reboot)", 1)
			if short < 100*time.Millisecond || short > 2*time.Second || long < 2*short {
				t.Errorf("a word lasts %v, a sentence %v", short, long)
			}
			if slow := length("this is only text to say", 0.5); slow < length("this is only text to say", 1)*3/2 {
				t.Errorf("half as fast it lasts %v", slow)
			}
		})
	}
}

func TestVoicesOfEspeak(t *testing.T) {
	e := &Espeak{languages: map[string]bool{"en-us": true, "en-gb": true, "de": true, "fr-fr": true, "pt-br": true, "cmn": true}, voices: Voices{"Amy": "en-gb+f4", "it-IT/2": "x", "sv": "y"}}
	for _, c := range []struct {
		wanted Voice
		want   string
	}{
		{Voice{}, "en-us"},
		{Voice{Language: "en-US", Style: 1}, "en-us+f2"},
		{Voice{Language: "en-AU"}, "en-gb"},
		{Voice{Language: "de-AT"}, "de"},
		{Voice{Language: "fr-CA"}, "fr-fr"},
		{Voice{Language: "pt_BR"}, "pt-br"},
		{Voice{Language: "zh-CN"}, "cmn"},
		{Voice{Language: "tlh"}, "en-us"},
		{Voice{Language: "../etc"}, "en-us"},
		{Voice{Language: "de-DE", Style: -3}, "de"},
		{Voice{Language: "de-DE", Style: 11}, "de+f3"},
		{Voice{Language: "de-DE", Name: "amy"}, "en-gb+f4"},
		{Voice{Language: "it-IT", Style: 2}, "x"},
		{Voice{Language: "sv-SE", Style: 2}, "y"},
	} {
		if got := e.Voice(c.wanted); got != c.want {
			t.Errorf("%+v: %q, want %q", c.wanted, got, c.want)
		}
	}
}

func TestProgramsEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errSlow)
	defer cancel()
	if _, err := runProgram(ctx, "", "sleep", "3600"); !errors.Is(err, errSlow) {
		t.Errorf("got %v", err)
	}
	if _, err := runProgram(t.Context(), "", "false"); err == nil {
		t.Error("a program that fails is taken for one that does not")
	}
	if out, err := runProgram(t.Context(), "to standard input", "cat"); err != nil || string(out) != "to standard input" {
		t.Errorf("%q, %v", out, err)
	}
}

func TestProgramsPrintNoMoreThanAllowed(t *testing.T) {
	if _, err := runProgram(t.Context(), "", "head", "-c", "40M", "/dev/zero"); !errors.Is(err, errOutput) {
		t.Errorf("got %v", err)
	}
}
