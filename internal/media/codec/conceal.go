package codec

// All times below are in samples at 8 kHz; a concealer at 16 kHz doubles them.
const (
	minPeriod = 20  // shortest pitch period looked for: 2.5 ms
	maxPeriod = 128 // longest: 16 ms
	compared  = 160 // how much of the past is compared: 20 ms
	steady    = 160 // a gap is filled at full level for 20 ms
	fadeTime  = 480 // and fades out in the 60 ms that follow
	joinTime  = 40  // what comes after a gap is faded in over 5 ms
	remember  = compared + maxPeriod
)

// concealer fills gaps in a stream by repeating its last pitch period, the idea of
// G.711 appendix I.
type concealer struct {
	k      int     // samples per sample at 8 kHz
	past   []int16 // the end of what was decoded
	cycle  []int16 // the pitch period that a gap is filled with
	period int     // its length, 0 if there is no gap
	filled int     // samples of the gap
}

func newConcealer(rate int) concealer {
	k := rate / 8000
	return concealer{k: k, past: make([]int16, remember*k), cycle: make([]int16, maxPeriod*k)}
}

func (c *concealer) reset() {
	clear(c.past)
	c.period, c.filled = 0, 0
}

// heard remembers the end of what was decoded. After a gap it makes the beginning
// of pcm grow out of what filled it.
func (c *concealer) heard(pcm []int16) {
	if c.period > 0 {
		join := min(joinTime*c.k, len(pcm))
		for i := range pcm[:join] {
			pcm[i] = int16((int(c.next())*(join-i) + int(pcm[i])*i) / join)
		}
		c.period, c.filled = 0, 0
	}
	c.remember(pcm)
}

func (c *concealer) remember(pcm []int16) {
	if n := len(pcm); n < len(c.past) {
		copy(c.past, c.past[n:])
		copy(c.past[len(c.past)-n:], pcm)
	} else {
		copy(c.past, pcm[n-len(c.past):])
	}
}

// fill writes what may have been lost.
func (c *concealer) fill(pcm []int16) {
	if c.period == 0 {
		c.begin()
	}
	for i := range pcm {
		pcm[i] = c.next()
	}
}

// begin cuts out the last pitch period. Its last quarter becomes what came before
// it, so that it can follow itself without a step.
func (c *concealer) begin() {
	c.period = c.pitch()
	end := len(c.past)
	last, before := c.past[end-c.period:], c.past[end-2*c.period:]
	copy(c.cycle, last)
	from, quarter := c.period-c.period/4, c.period/4
	for i := range quarter {
		c.cycle[from+i] = int16((int(last[from+i])*(quarter-i) + int(before[from+i])*i) / quarter)
	}
}

// next returns the next sample of a gap.
func (c *concealer) next() int16 {
	s := int(c.cycle[c.filled%c.period])
	over := max(0, c.filled-steady*c.k)
	c.filled++
	return int16(s * max(0, fadeTime*c.k-over) / (fadeTime * c.k))
}

// pitch returns the lag at which the past resembles itself most. It looks at every
// sample at 8 kHz, then at those between.
func (c *concealer) pitch() int {
	best, most := maxPeriod*c.k, 0.0
	look := func(lag, step int) {
		if r := c.resemblance(lag, step); r > most {
			best, most = lag, r
		}
	}
	for lag := minPeriod * c.k; lag <= maxPeriod*c.k; lag += c.k {
		look(lag, c.k)
	}
	for lag, end := max(best-c.k+1, minPeriod*c.k), min(best+c.k, maxPeriod*c.k+1); c.k > 1 && lag < end; lag++ {
		look(lag, 1)
	}
	return best
}

// resemblance returns how much the end of the past resembles what came lag samples
// before it, up to 1.
func (c *concealer) resemblance(lag, step int) float64 {
	recent := c.past[len(c.past)-compared*c.k:]
	before := c.past[len(c.past)-compared*c.k-lag:]
	var product, energy, energyBefore float64
	for i := 0; i < len(recent); i += step {
		x, y := float64(recent[i]), float64(before[i])
		product += x * y
		energy += x * x
		energyBefore += y * y
	}
	return product / (0.5*(energy+energyBefore) + 1)
}
