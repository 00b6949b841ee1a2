package jitter

import "math"

// Noise is the comfort noise of a pause (RFC 3389). The spectrum that a sender may
// describe is not followed, only the level. The zero value is silent.
type Noise struct {
	on    bool
	level float64 // amplitude of the white noise
	seed  uint32
}

// Set begins noise as a payload, which must not be empty, describes it.
func (n *Noise) Set(payload []byte) {
	n.on = true
	// Level in -dBov, where 0 is a square wave of full scale; uniform noise of
	// amplitude a has an RMS of a/sqrt(3).
	n.level = math.MaxInt16 * math.Sqrt(3) * math.Pow(10, -float64(payload[0]&0x7f)/20)
	n.level = min(n.level, math.MaxInt16/8) // a wrong one must not hurt
}

func (n *Noise) stop() { n.on = false }

// Fill writes noise over pcm; it is false, and pcm as it was, if there is none.
func (n *Noise) Fill(pcm []int16) bool {
	if !n.on || len(pcm) == 0 {
		return false
	}
	for i := range pcm {
		n.seed = n.seed*1664525 + 1013904223
		pcm[i] = int16(n.level * float64(int32(n.seed)) / (1 << 31))
	}
	return true
}
