package jitter

const (
	// past is how many ms of played samples are kept: the longest pitch period and
	// what is compared.
	past = 30
	// Pitch periods looked for, in samples at 8 kHz: 2.5 to 12.5 ms.
	minPeriod, maxPeriod = 20, 100
	// fade is over how many samples at 8 kHz one piece becomes another: 5 ms.
	fade = 40
)

// insert plays the last pitch period once more and returns its samples. Without
// room it does nothing.
func (b *Buffer) insert() int {
	f, k := &b.fifo, b.cfg.Rate/8000
	if f.len() < fade*k {
		return 0
	}
	period, _ := b.period(-1, minPeriod*k, maxPeriod*k)
	n := f.len()
	f.room(period)
	// Behind the fade comes what came a period before it, then all the rest again.
	waiting := f.buf[f.r : f.r+n+period]
	var faded [fade * 6]int16
	crossfade(faded[:fade*k], waiting, f.buf[f.r-period:])
	copy(waiting[period:], waiting[:n])
	copy(waiting[:period], f.buf[f.r-period:f.r])
	copy(waiting, faded[:fade*k])
	f.commit(period)
	return period
}

// remove leaves out a pitch period of at most limit samples, and returns how many
// it left out: none if what follows resembles it less than likeness.
func (b *Buffer) remove(limit int, likeness float64) int {
	f, k := &b.fifo, b.cfg.Rate/8000
	limit = min(limit, maxPeriod*k, f.len()-fade*k)
	if limit < minPeriod*k {
		return 0
	}
	period, alike := b.period(1, minPeriod*k, limit)
	if alike < likeness {
		return 0
	}
	waiting := f.buf[f.r:f.w]
	var faded [fade * 6]int16
	crossfade(faded[:fade*k], waiting, waiting[period:])
	copy(waiting[period:], faded[:fade*k])
	f.r += period
	// What was played stays before what is to come.
	copy(f.buf[f.r-f.past:f.r], f.buf[f.r-period-f.past:f.r-period])
	return period
}

// crossfade fills out with from, becoming to.
func crossfade(out, from, to []int16) {
	for i := range out {
		n := len(out)
		out[i] = int16((int(from[i])*(n-i) + int(to[i])*i) / n)
	}
}

// period returns the distance, least to most, at which the samples that are played
// next resemble those before (direction -1) or after them (1) most, and how much.
func (b *Buffer) period(direction, least, most int) (period int, alike float64) {
	f, k := &b.fifo, b.cfg.Rate/8000
	alike = -2
	for lag := least; lag <= most; lag += k {
		if r := f.resemblance(direction*lag, fade*k, k); r > alike {
			alike, period = r, lag
		}
	}
	for lag := max(least, period-k+1); lag < min(most+1, period+k); lag++ {
		if r := f.resemblance(direction*lag, fade*k, 1); r > alike {
			alike, period = r, lag
		}
	}
	return period, alike
}

// resemblance returns how much n samples that are played next resemble those at a
// distance, -1 to 1; silence resembles everything. It looks at one of step.
func (f *fifo) resemblance(distance, n, step int) float64 {
	var product, here, there float64
	for i := 0; i < n; i += step {
		x, y := float64(f.buf[f.r+i]), float64(f.buf[f.r+i+distance])
		product += x * y
		here += x * x
		there += y * y
	}
	const silent = 50 * 50 // about -56 dBFS
	quiet := silent * float64(n/step)
	if here < quiet && there < quiet {
		return 1
	}
	return product / (0.5 * (here + there))
}
