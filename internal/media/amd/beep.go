package amd

import (
	"math"
)

const (
	// A beep is one tone between these, in Hz.
	lowest, highest = 350, 2500
	// minShare is how much of all power the tone must have. A key of a telephone is
	// two tones; of a voice one harmonic seldom has so much.
	minShare = 0.85
	// softest is the least power of a beep, -40 dBFS.
	softest = 0.5 * 464 * 464
	// maxDrift and maxSwing are how much the tone may change from frame to frame, in
	// Hz and as a ratio of power: a voice sings, a machine does not.
	maxDrift, maxSwing = 12.0, 1.4
	// A beep lasts from 80 ms, of which three frames may be whole, to 1.5 s.
	minFrames, maxFrames = 3, 75
	// quietFrames are behind it, quietRatio below its power.
	quietFrames, quietRatio = 4, 0.2
)

// beep finds the tone behind a greeting.
type beep struct {
	hz, power float64
	frames    int // of the tone so far
	quiet     int // frames behind it
	edge      int // frames in which it ended
	series    int // frames for which a tone is one of several
}

// frame takes the next 20 ms and reports whether a beep is over. Tones that follow
// each other at once are the network's (ITU-T E.180: special information).
func (b *beep) frame(pcm []int16) bool {
	hz, share, power := tone(pcm)
	b.series = max(0, b.series-1)
	is := share >= minShare && power >= softest && hz >= lowest && hz <= highest
	switch {
	case is && b.frames > 0 && b.edge == 0 && math.Abs(hz-b.hz) <= maxDrift && power < b.power*maxSwing && power > b.power/maxSwing:
		b.frames++
		b.power = power
	case is:
		if b.frames >= minFrames {
			b.series = 2 * maxFrames / 3 // another tone at once
		}
		*b = beep{hz: hz, power: power, frames: 1, series: b.series}
	case b.frames < minFrames || b.frames > maxFrames || b.series > 0:
		b.frames = 0
	case power <= b.power*quietRatio:
		b.quiet++
	default:
		if b.edge++; b.edge > 1 || b.quiet > 0 {
			b.frames = 0 // it goes on with something else
		}
	}
	if b.frames == 0 {
		*b = beep{series: b.series}
	}
	if b.quiet < quietFrames {
		return false
	}
	*b = beep{}
	return true
}

// tone returns the frequency of the strongest tone in pcm, the share it has of the
// power, and the power.
func tone(pcm []int16) (hz, share, power float64) {
	if len(pcm) < 3 {
		return 0, 0, 0
	}
	var near, own float64
	for i := 1; i+1 < len(pcm); i++ {
		x := float64(pcm[i])
		near += x * (float64(pcm[i-1]) + float64(pcm[i+1]))
		own += x * x
	}
	power = own / float64(len(pcm)-2)
	if power < softest {
		return 0, 0, power
	}
	hz = math.Acos(max(-1, min(1, near/(2*own)))) * Rate / (2 * math.Pi)
	best := goertzel(pcm, hz)
	for step := 64.0; step >= 2; step /= 2 { // noise pulls the estimate to the middle
		if step < 64 && best < power*minShare/4 {
			break // a voice: no use looking closer
		}
		for _, at := range [2]float64{hz - step, hz + step} {
			if p := goertzel(pcm, at); p > best {
				hz, best = at, p
			}
		}
	}
	return hz, best / power, power
}

// goertzel returns the power of pcm at hz.
func goertzel(pcm []int16, hz float64) float64 {
	turn := 2 * math.Cos(2*math.Pi*hz/Rate)
	var s1, s2 float64
	for _, s := range pcm {
		s1, s2 = float64(s)+turn*s1-s2, s1
	}
	n := float64(len(pcm))
	return 2 * (s1*s1 + s2*s2 - turn*s1*s2) / (n * n)
}
