//go:build e2e

package harness

import (
	"math"
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/speech"
)

// prompts are the announcements that WantPrompt tells apart.
var prompts = []string{
	core.PromptNoAnswer, core.PromptBusy, core.PromptDeclined, core.PromptUnreachable,
	core.PromptUnknownNumber, core.PromptNotAllowed, core.PromptFailed, core.PromptClosed, core.PromptConfirm,
}

// WantPrompt fails the test unless pcm, at 8000 Hz, holds the announcement name
// from its first to its last word, and is more like it than like any other.
func WantPrompt(t testing.TB, who string, pcm []int16, name string) {
	t.Helper()
	if heard, likeness := recognise(t, pcm); heard != name {
		t.Errorf("%s did not hear the announcement %q in %.1f s; how like it is: %v", who, name, float64(len(pcm))/8000, likeness)
	}
}

// HearsPrompt reports whether pcm, at 8000 Hz, holds the announcement name from
// its first to its last word.
func HearsPrompt(t testing.TB, pcm []int16, name string) bool {
	t.Helper()
	return alike(loudness(pcm), loudness(words(t, name))) >= Present
}

// HearsRecording reports whether pcm holds all of a recording, both at 8000 Hz.
func HearsRecording(pcm, recording []int16) bool {
	return alike(loudness(pcm), loudness(recording)) >= Present
}

// recognise returns the announcement that pcm holds, "" if none, and how like it
// is to each.
func recognise(t testing.TB, pcm []int16) (name string, likeness map[string]float64) {
	t.Helper()
	heard := loudness(pcm)
	best := ""
	likeness = map[string]float64{}
	for _, p := range prompts {
		likeness[p] = math.Round(100*alike(heard, loudness(words(t, p)))) / 100
		if best == "" || likeness[p] > likeness[best] {
			best = p
		}
	}
	if likeness[best] < Present {
		return "", likeness
	}
	return best, likeness
}

// words returns what is said in an announcement.
func words(t testing.TB, name string) []int16 {
	t.Helper()
	recording, ok := speech.Prompt(name)
	if !ok || recording.Rate != 8000 {
		t.Fatalf("no prompt %s at 8000 Hz", name)
	}
	return trim(recording)
}

// trim cuts the silence at the end of a recording: it is not what people hear.
func trim(p file.PCM) []int16 {
	pcm := p.Samples
	for len(pcm) > 0 && pcm[len(pcm)-1] < 100 && pcm[len(pcm)-1] > -100 {
		pcm = pcm[:len(pcm)-1]
	}
	return pcm
}

// loudness returns the RMS of each 20 ms.
func loudness(pcm []int16) []float64 {
	const frame = 160
	var out []float64
	for ; len(pcm) >= frame; pcm = pcm[frame:] {
		sum := 0.0
		for _, s := range pcm[:frame] {
			sum += float64(s) * float64(s)
		}
		out = append(out, math.Sqrt(sum/frame))
	}
	return out
}

// alike returns the highest correlation, -1 to 1, of a pattern with any part of
// heard. A second before and after counts as silence: paths open and close late.
func alike(heard, pattern []float64) float64 {
	const second = 50
	padded := append(make([]float64, second), heard...)
	padded = append(padded, make([]float64, second)...)
	best := -1.0
	for ; len(padded) >= len(pattern); padded = padded[1:] {
		best = max(best, correlation(padded[:len(pattern)], pattern))
	}
	return best
}

func correlation(a, b []float64) float64 {
	var meanA, meanB float64
	for i := range a {
		meanA += a[i] / float64(len(a))
		meanB += b[i] / float64(len(b))
	}
	var ab, aa, bb float64
	for i := range a {
		x, y := a[i]-meanA, b[i]-meanB
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
