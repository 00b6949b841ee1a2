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

// Plan is a country's tones. Each cadence repeats for ever.
type Plan struct{ Ringback, Busy []Burst }

func on(d time.Duration, hz ...float64) Burst { return Burst{hz, d} }
func off(d time.Duration) Burst               { return Burst{nil, d} }

// Length returns how many samples at rate one round of a cadence takes.
func Length(cadence []Burst, rate int) int {
	n := 0
	for _, b := range cadence {
		n += b.samples(rate)
	}
	return n
}

func (b Burst) samples(rate int) int { return int(b.For * time.Duration(rate) / time.Second) }

const ms = time.Millisecond

// plans are the tone plans by country code, from ITU-T E.180 Supplement 2. "eu"
// is what most of Europe uses.
func plans(country string) (Plan, bool) {
	eu := Plan{
		Ringback: []Burst{on(1000*ms, 425), off(4000 * ms)},
		Busy:     []Burst{on(500*ms, 425), off(500 * ms)},
	}
	switch country {
	case "us", "ca":
		return Plan{
			Ringback: []Burst{on(2000*ms, 440, 480), off(4000 * ms)},
			Busy:     []Burst{on(500*ms, 480, 620), off(500 * ms)},
		}, true
	case "gb", "ie":
		return Plan{
			Ringback: []Burst{on(400*ms, 400, 450), off(200 * ms), on(400*ms, 400, 450), off(2000 * ms)},
			Busy:     []Burst{on(375*ms, 400), off(375 * ms)},
		}, true
	case "de":
		return Plan{Ringback: eu.Ringback, Busy: []Burst{on(480*ms, 425), off(480 * ms)}}, true
	case "fr":
		return Plan{
			Ringback: []Burst{on(1500*ms, 440), off(3500 * ms)},
			Busy:     []Burst{on(500*ms, 440), off(500 * ms)},
		}, true
	case "es":
		return Plan{
			Ringback: []Burst{on(1500*ms, 425), off(3000 * ms)},
			Busy:     []Burst{on(200*ms, 425), off(200 * ms)},
		}, true
	case "in":
		return Plan{
			Ringback: []Burst{on(400*ms, 400, 425), off(200 * ms), on(400*ms, 400, 425), off(2000 * ms)},
			Busy:     []Burst{on(750*ms, 400), off(750 * ms)},
		}, true
	case "jp":
		return Plan{
			Ringback: []Burst{on(1000*ms, 384, 416), off(2000 * ms)},
			Busy:     []Burst{on(500*ms, 400), off(500 * ms)},
		}, true
	case "au", "nz":
		return Plan{
			Ringback: []Burst{on(400*ms, 400, 425, 450), off(200 * ms), on(400*ms, 400, 425, 450), off(2000 * ms)},
			Busy:     []Burst{on(375*ms, 425), off(375 * ms)},
		}, true
	case "eu", "it", "nl", "be", "at", "ch", "pt", "pl", "cz", "dk", "se", "no", "fi":
		return eu, true
	}
	return Plan{}, false
}

// Of returns a country's plan, that of the United States for an unknown one.
func Of(country string) Plan {
	if p, ok := plans(country); ok {
		return p
	}
	p, _ := plans("us")
	return p
}

// amplitude of each frequency: two of them are -16 dBFS, as exchanges send.
const amplitude = 3600

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
