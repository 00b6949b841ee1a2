// Package voice tells when somebody speaks, by how loud it is against the noise of
// the line. It is pure: it is given 20 ms after 20 ms and has no clock.
package voice

import (
	"math"
	"slices"
	"time"
)

// FrameTime is how long each piece lasts that a Detector is given.
const FrameTime = 20 * time.Millisecond

// DefaultSensitivity serves telephone lines.
const DefaultSensitivity = 50

const (
	// beginFrames of the last beginSpan must be loud for speech to begin: a click is
	// none.
	beginFrames, beginSpan = 3, 4
	// noiseSpan is how many frames are looked back on for the noise: 1.6 s. Speech has
	// a gap in that time.
	noiseSpan = 80
	// No line has less noise than quietest dBFS; more than loudest is not taken for
	// noise, so that who speaks at once is heard.
	quietest, loudest = -65.0, -32.0
	// nothing is what a line without any signal counts as, one below digital: a line
	// whose noise sets in later must not seem to speak.
	nothing, digital = -48.0, -80.0
	// smoothing is how much of the level of the frame before goes into the next one.
	smoothing = 0.5
)

// Detector tells speech from noise. It is not safe for concurrent use.
type Detector struct {
	margin float64 // of speech above the noise, in dB

	level    float64 // of the last frames, dBFS
	past     float64 // for the high-pass: the sample before
	levels   [noiseSpan]float64
	frames   int   // so far
	recent   uint8 // whether each of the last frames was loud
	speaking bool
	loudFor  int // frames since speech began
	quietFor int // frames since it was last loud
}

// New returns a Detector. Sensitivity is 0 for who speaks up to 100 for who whispers;
// anything else, such as -1, is DefaultSensitivity.
func New(sensitivity int) *Detector {
	if sensitivity < 0 || sensitivity > 100 {
		sensitivity = DefaultSensitivity
	}
	return &Detector{margin: 15 - 0.12*float64(sensitivity), level: nothing}
}

// Frame takes the next 20 ms at any rate and reports whether speech begins in it, or
// 60 ms before.
func (d *Detector) Frame(pcm []int16) (begins bool) {
	loud := d.listen(pcm)
	d.quietFor++
	d.recent = d.recent<<1&(1<<beginSpan-1) | b2u(loud)
	switch {
	case d.speaking && loud:
		d.quietFor = 0
	case !d.speaking && ones(d.recent) >= beginFrames:
		d.speaking, d.quietFor, d.loudFor = true, 0, beginFrames-1
		begins = true
	}
	d.loudFor++
	return begins
}

// Speaking reports whether speech began, and was not ended by Rest.
func (d *Detector) Speaking() bool { return d.speaking }

// Silent returns for how long nothing was said: since the last sound of it, since the
// beginning if there was none.
func (d *Detector) Silent() time.Duration { return time.Duration(d.quietFor) * FrameTime }

// Spoken returns how long the speech lasts that began last, up to its last sound.
func (d *Detector) Spoken() time.Duration {
	if !d.speaking {
		return 0
	}
	return time.Duration(d.loudFor-d.quietFor) * FrameTime
}

// Rest ends speech, when the caller has found it silent for long enough. What comes
// then begins anew; the noise is still known.
func (d *Detector) Rest() { d.speaking, d.recent = false, 0 }

// Level returns how loud it was lately, in dBFS.
func (d *Detector) Level() float64 { return d.level }

// Noise returns how loud the line is without speech, in dBFS.
func (d *Detector) Noise() float64 {
	n := min(d.frames, noiseSpan)
	if n == 0 {
		return loudest
	}
	return min(loudest, max(quietest, slices.Min(d.levels[:n])))
}

// listen measures a frame and reports whether it is loud.
func (d *Detector) listen(pcm []int16) bool {
	energy := 1.0
	for _, s := range pcm {
		x := float64(s)
		high := x - d.past // hum and DC are taken out, hiss is not made much of
		d.past = d.past + 0.1*high
		energy += high * high
	}
	level := 10*math.Log10(energy/float64(max(1, len(pcm)))) - 20*math.Log10(math.MaxInt16)
	if level < digital {
		level = nothing
	}
	loud := level > d.Noise()+d.margin
	d.level = smoothing*d.level + (1-smoothing)*level
	if d.frames == 0 {
		d.level = level
	}
	d.levels[d.frames%noiseSpan] = d.level
	d.frames++
	return loud
}

func b2u(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func ones(bits uint8) (n int) {
	for ; bits != 0; bits &= bits - 1 {
		n++
	}
	return n
}
