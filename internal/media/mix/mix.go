// Package mix adds voices: sums of 16-bit samples in 32 bits, so that any number
// of voices up to 65,536 adds without a loss and one of them can be taken out of
// the sum exactly, and what leads from 8 to 16 kHz and back. All functions work
// on slices of equal length and allocate nothing.
package mix

import "math"

// quiet is the highest sample value that counts as silence: A-law has no zero,
// its smallest value is 8 (-72 dB).
const quiet = 8

// Quiet reports whether pcm holds nothing that could be heard.
func Quiet(pcm []int16) bool {
	for _, s := range pcm {
		if s > quiet || s < -quiet {
			return false
		}
	}
	return true
}

// Add adds a voice to sum.
func Add(sum []int32, voice []int16) {
	for len(voice) >= 8 && len(sum) >= 8 { // eight at a time, without bounds to check
		to, v := (*[8]int32)(sum), (*[8]int16)(voice)
		to[0] += int32(v[0])
		to[1] += int32(v[1])
		to[2] += int32(v[2])
		to[3] += int32(v[3])
		to[4] += int32(v[4])
		to[5] += int32(v[5])
		to[6] += int32(v[6])
		to[7] += int32(v[7])
		sum, voice = sum[8:], voice[8:]
	}
	for i, s := range voice {
		sum[i] += int32(s)
	}
}

// Clip writes sum to pcm; what is louder than full scale stays at full scale.
func Clip(pcm []int16, sum []int32) {
	sum = sum[:len(pcm)]
	for i, s := range sum {
		pcm[i] = clip(s)
	}
}

// ClipWithout is Clip of sum without one of its voices.
func ClipWithout(pcm []int16, sum []int32, voice []int16) {
	sum, voice = sum[:len(pcm)], voice[:len(pcm)]
	for i, s := range sum {
		pcm[i] = clip(s - int32(voice[i]))
	}
}

// Fade turns pcm into a passage from another sound to it, so that a change of
// what is heard is no click.
func Fade(pcm, from []int16) {
	n := int32(len(pcm))
	for i := range pcm {
		share := int32(i) + 1
		pcm[i] = int16((int32(pcm[i])*share + int32(from[i])*(n-share)) / n)
	}
}

// Over adds a voice to pcm; what is louder than full scale stays at full scale.
func Over(pcm, voice []int16) {
	voice = voice[:len(pcm)]
	for i, s := range voice {
		pcm[i] = clip(int32(pcm[i]) + int32(s))
	}
}

// Peak returns the highest sample value in pcm, without its sign.
func Peak(pcm []int16) int {
	peak := 0
	for _, s := range pcm {
		peak = max(peak, int(s), -int(s))
	}
	return peak
}

func clip(s int32) int16 { return int16(max(math.MinInt16, min(math.MaxInt16, s))) }
