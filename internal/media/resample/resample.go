// Package resample converts mono audio between sample rates with a polyphase FIR
// filter: flat to 0.42 of the lower rate (3.4 kHz at 8 kHz), 70 dB down where it
// would alias.
package resample

import "math"

const (
	// width is the length of the filter in samples of the lower rate.
	width = 48
	// beta of the Kaiser window: 80 dB in the stop band.
	beta = 8
	// cutoff is where the filter is 6 dB down, in parts of the lower rate.
	cutoff = 0.475
	// maxPhases bounds the table. Ratios of usual rates need 640 phases at most
	// (11025 to 16000 Hz) and are exact; for others the nearest of this many phases
	// leaves errors 60 dB down.
	maxPhases = 2048
)

// Resampler converts one stream. It is not safe for concurrent use.
type Resampler struct {
	up, down int // the ratio of the rates in lowest terms
	phases   int // rows of the table
	taps     int // columns: input samples of one output sample
	table    []float32

	history []float32 // input that is still needed, oldest first
	at      int       // of the next output sample: first input sample in history
	phase   int       // and how far behind it, in parts of up
}

// New returns a Resampler from one rate to another, both in Hz and above 0.
func New(from, to int) *Resampler {
	divisor := gcd(from, to)
	r := &Resampler{up: to / divisor, down: from / divisor}
	r.phases = min(r.up, maxPhases)
	// A filter for the lower rate is longer in samples of a higher input rate.
	stretch := max(1, float64(from)/float64(to))
	r.taps = int(math.Ceil(width * stretch))
	r.table = design(r.phases, r.taps, stretch)
	r.Reset()
	return r
}

// Reset forgets the stream, for another one.
func (r *Resampler) Reset() {
	// Half a filter of silence in front: the first output sample is that of the
	// first input sample.
	r.history = append(r.history[:0], make([]float32, r.taps/2)...)
	r.at, r.phase = 0, 0
}

// Append appends to dst what src has become, and returns it. What comes out lags
// half the filter behind what went in: 24 samples of the lower rate.
func (r *Resampler) Append(dst, src []int16) []int16 {
	if r.up == r.down {
		return append(dst, src...)
	}
	for _, s := range src {
		r.history = append(r.history, float32(s))
	}
	for r.at+r.taps <= len(r.history) {
		dst = append(dst, r.sample())
		r.phase += r.down
		r.at += r.phase / r.up
		r.phase %= r.up
	}
	r.forget()
	return dst
}

// Flush appends what is still inside, as if silence followed, and forgets the
// stream.
func (r *Resampler) Flush(dst []int16) []int16 {
	if r.up != r.down {
		dst = r.Append(dst, make([]int16, r.taps-r.taps/2-1))
	}
	r.Reset()
	return dst
}

func (r *Resampler) sample() int16 {
	row := r.phase * r.phases / r.up * r.taps
	taps := r.table[row : row+r.taps]
	in := r.history[r.at : r.at+r.taps]
	var sum float32
	for i, tap := range taps {
		sum += tap * in[i]
	}
	return int16(max(math.MinInt16, min(math.MaxInt16, math.Round(float64(sum)))))
}

// forget drops the input that no output needs any more.
func (r *Resampler) forget() {
	used := min(r.at, len(r.history))
	r.history = r.history[:copy(r.history, r.history[used:])]
	r.at -= used
}

// design returns the filter's coefficients, a row for each phase. stretch is how
// many input samples the lower rate's sample lasts.
func design(phases, taps int, stretch float64) []float32 {
	table := make([]float32, 0, phases*taps)
	half := width * stretch / 2
	row := make([]float64, taps)
	for phase := range phases {
		sum := 0.0
		for i := range row {
			t := float64(i-taps/2) - float64(phase)/float64(phases)
			row[i] = sinc(2*cutoff*t/stretch) * kaiser(t/half)
			sum += row[i]
		}
		for _, v := range row {
			table = append(table, float32(v/sum)) // every phase passes DC alike
		}
	}
	return table
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the window at x, -1 to 1.
func kaiser(x float64) float64 {
	if x < -1 || x > 1 {
		return 0
	}
	return bessel(beta*math.Sqrt(1-x*x)) / bessel(beta)
}

// bessel is the modified Bessel function of the first kind of order zero.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= (x / (2 * k)) * (x / (2 * k))
		sum += term
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
