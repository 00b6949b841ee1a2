// Package tone makes the sounds of the network: the tones of a country's tone
// plan (ITU-T E.180) and a short loop of music for parties on hold.
package tone

import (
	"math"
	"time"
)

// Burst is one step of a cadence: tones that sound together for a time. No
// frequency is silence.
type Burst struct {
	Hz  []float64
	For time.Duration
}

// Length returns how many samples at rate one round of a cadence takes.
func Length(cadence []Burst, rate int) int {
	n := 0
	for _, b := range cadence {
		n += b.samples(rate)
	}
	return n
}

func (b Burst) samples(rate int) int { return int(b.For * time.Duration(rate) / time.Second) }

// amplitude of each frequency: two of them are -16 dBFS, as exchanges send.
const amplitude = 3600

// Beep returns the tone that says to speak now: one round of it, with a pause behind it;
// packets of any usual length fill it.
func Beep() []Burst {
	return []Burst{{Hz: []float64{1000}, For: 400 * time.Millisecond}, {For: 80 * time.Millisecond}}
}

// Generator plays a cadence for ever. The zero value is silence. It is not safe
// for concurrent use.
type Generator struct {
	cadence []Burst
	rate    int
	step    int
	left    int       // samples left of the step
	phase   []float64 // of each frequency, in turns
}

// NewGenerator plays cadence at rate samples a second.
func NewGenerator(cadence []Burst, rate int) *Generator {
	g := &Generator{cadence: cadence, rate: rate, step: -1}
	most := 0
	for _, b := range cadence {
		most = max(most, len(b.Hz))
	}
	g.phase = make([]float64, most)
	return g
}

// Read fills pcm with the next samples.
func (g *Generator) Read(pcm []int16) {
	for i := range pcm {
		if g.left == 0 {
			g.next()
		}
		pcm[i] = g.sample()
	}
}

func (g *Generator) next() {
	if len(g.cadence) == 0 {
		g.left = math.MaxInt
		return
	}
	g.step = (g.step + 1) % len(g.cadence)
	g.left = g.cadence[g.step].samples(g.rate)
	clear(g.phase)
}

func (g *Generator) sample() int16 {
	g.left--
	if g.step < 0 {
		return 0
	}
	var sum float64
	for i, hz := range g.cadence[g.step].Hz {
		sum += math.Sin(2 * math.Pi * g.phase[i])
		g.phase[i] += hz / float64(g.rate)
		g.phase[i] -= math.Floor(g.phase[i])
	}
	return int16(amplitude * sum)
}
