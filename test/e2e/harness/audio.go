//go:build e2e

package harness

import (
	"math"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/meter"
)

// Sine returns a tone at half of full scale.
func Sine(rate int, freq float64, d time.Duration) []int16 {
	pcm := make([]int16, int(d.Seconds()*float64(rate)))
	for i := range pcm {
		pcm[i] = int16(math.MaxInt16 / 2 * math.Sin(2*math.Pi*freq*float64(i)/float64(rate)))
	}
	return pcm
}

// The marks of LAB: a tone through any codec of ours passes the one, everything
// else stays below the other.
const (
	Present = 0.8
	Absent  = 0.05
)

// HasTone reports whether pcm holds the tone for at least d without a break.
func HasTone(pcm []int16, rate int, freq float64, d time.Duration) bool {
	return HasTones(pcm, rate, d, freq)
}

// HasTones reports whether pcm holds the tones at once, equally loud, for at least
// d without a break.
func HasTones(pcm []int16, rate int, d time.Duration, freqs ...float64) bool {
	window := rate / 4
	need := max(1, int(d.Seconds()*4))
	run := 0
	for ; len(pcm) >= window && run < need; pcm = pcm[window:] {
		if mix(pcm[:window], rate, freqs) && meter.Level(pcm[:window]) > -50 {
			run++
		} else {
			run = 0
		}
	}
	return run >= need
}

// mix reports whether pcm is these tones, each with its share.
func mix(pcm []int16, rate int, freqs []float64) bool {
	sum := 0.0
	for _, freq := range freqs {
		purity := meter.Purity(pcm, rate, freq)
		if purity < Present/float64(len(freqs))*0.75 {
			return false
		}
		sum += purity
	}
	return sum >= Present
}

// WantTone fails the test unless pcm holds the tone for a second.
func WantTone(t testing.TB, who string, pcm []int16, rate int, freq float64) {
	t.Helper()
	if !HasTone(pcm, rate, freq, time.Second) {
		t.Errorf("%s: %.0f Hz was not there for a second: purity %.2f, level %.0f dB over %.1f s",
			who, freq, meter.Purity(pcm, rate, freq), meter.Level(pcm), float64(len(pcm))/float64(rate))
	}
}
