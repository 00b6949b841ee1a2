// Package meter measures linear audio: how loud it is and how much of it is one
// tone. Tests and the headless phone judge calls with it instead of by ear.
package meter

import "math"

// Silence is the level of no sound at all, and the lowest that Level returns.
const Silence = -90

// Level returns the RMS level of pcm in dB below full scale, Silence to 0. A
// sine of full scale is at -3.
func Level(pcm []int16) float64 {
	var sum float64
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	if sum == 0 {
		return Silence
	}
	rms := math.Sqrt(sum/float64(len(pcm))) / math.MaxInt16
	return min(0, max(Silence, 20*math.Log10(rms)))
}

// Purity returns the share of pcm's energy that lies at freq Hz, 0 to 1: 1 is a
// pure tone, 0.8 a tone through a lossy codec, below 0.05 something else. It is
// the Goertzel algorithm over the whole of pcm, so the longer pcm is, the
// narrower is the band: about rate/len(pcm) Hz.
func Purity(pcm []int16, rate int, freq float64) float64 {
	coeff := 2 * math.Cos(2*math.Pi*freq/float64(rate))
	var s1, s2, energy float64
	for _, sample := range pcm {
		x := float64(sample)
		energy += x * x
		s1, s2 = x+coeff*s1-s2, s1
	}
	if energy == 0 {
		return 0
	}
	power := s1*s1 + s2*s2 - coeff*s1*s2
	return min(1, 2*power/(float64(len(pcm))*energy))
}

// Glitches returns how often pcm, a tone of freq Hz, does something that a tone
// does not: cuts, slips, clicks. The two ends of a cut count as two; what lies
// within 5 ms counts once.
func Glitches(pcm []int16, rate int, freq float64) int {
	coeff := 2 * math.Cos(2*math.Pi*freq/float64(rate))
	peak := 0.0
	for _, s := range pcm {
		peak = max(peak, math.Abs(float64(s)))
	}
	found, last := 0, -rate
	for i := 1; i+1 < len(pcm); i++ {
		off := float64(pcm[i+1]) - coeff*float64(pcm[i]) + float64(pcm[i-1])
		if math.Abs(off) > peak/8 {
			if i-last > rate/200 {
				found++
			}
			last = i
		}
	}
	return found
}
