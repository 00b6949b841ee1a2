package codec

// All times below are in samples at 8 kHz.
const (
	memory    = 240 // what is remembered of the past, 30 ms
	minPeriod = 40  // shortest pitch period looked for: 200 Hz
	maxPeriod = 120 // longest: 66 Hz
	compared  = 120 // how much of the past is compared
	fadeTime  = 480 // a gap is silent after 60 ms
)

// concealer fills gaps in a G.711 stream by repeating its last pitch period, the
// idea of G.711 appendix I. The zero value is ready.
type concealer struct {
	past   [memory]int16
	period int // of the gap being filled, 0 if there is none
	filled int // samples of it
}

// heard remembers the end of what was decoded.
func (c *concealer) heard(pcm []int16) {
	c.period, c.filled = 0, 0
	if n := len(pcm); n < memory {
		copy(c.past[:], c.past[n:])
		copy(c.past[memory-n:], pcm)
	} else {
		copy(c.past[:], pcm[n-memory:])
	}
}

// fill writes what may have been lost.
func (c *concealer) fill(pcm []int16) {
	if c.period == 0 {
		c.period = c.pitch()
	}
	for i := range pcm {
		s := int(c.past[memory-c.period+c.filled%c.period])
		pcm[i] = int16(s * max(0, fadeTime-c.filled) / fadeTime)
		c.filled++
	}
}

// pitch returns the lag at which the past resembles itself most.
func (c *concealer) pitch() int {
	best, most := minPeriod, 0.0
	recent := c.past[memory-compared:]
	for lag := minPeriod; lag <= maxPeriod; lag++ {
		before := c.past[memory-compared-lag:]
		var product, energy float64
		for i, s := range recent {
			product += float64(s) * float64(before[i])
			energy += float64(before[i]) * float64(before[i])
		}
		if product <= 0 {
			continue
		}
		if alike := product * product / (energy + 1); alike > most {
			best, most = lag, alike
		}
	}
	return best
}
