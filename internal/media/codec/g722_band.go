package codec

// band is the adaptive predictor and step size of one of G.722's two bands. Encoder
// and decoder keep the same one by the same codes (ITU-T G.722 section 3). Its
// arithmetic is that of the recommendation, bit by bit.
type band struct {
	log  int // logarithm of the step size
	step int

	predicted int // what the next sample is expected to be
	zeros     int // the share of the zero section in it
	pole      [2]int
	zero      [6]int
	diffs     [6]int // quantized differences, newest first
	rebuilt   [2]int // samples as the decoder has them, newest first
	partial   [2]int
}

const (
	lowFirstStep, highFirstStep = 32, 8
	lowMaxLog, highMaxLog       = 18432, 22528
	lowShift, highShift         = 8, 10
)

// quantizeLow returns the code of a sample of the lower band.
func (b *band) quantizeLow(sample int) byte {
	e := saturate(sample - b.predicted)
	size, codes := e, &lowPositive
	if e < 0 {
		size, codes = -(e + 1), &lowNegative
	}
	i := 1
	for i < len(lowLevels) && size >= lowLevels[i]*b.step>>12 {
		i++
	}
	return codes[i]
}

// quantizeHigh returns the code of a sample of the upper band.
func (b *band) quantizeHigh(sample int) byte {
	e := saturate(sample - b.predicted)
	size, code := e, byte(3)
	if e < 0 {
		size, code = -(e + 1), 1
	}
	if size >= 564*b.step>>12 {
		code--
	}
	return code
}

// adaptLow follows a code of the lower band; its two last bits do not matter here,
// so that a network may take them away.
func (b *band) adaptLow(code byte) {
	b.predict(b.step * lowInverse15[code>>2] >> 15)
	b.scale(lowScale[code>>2], lowMaxLog, lowShift)
}

// adaptHigh follows a code of the upper band.
func (b *band) adaptHigh(code byte) {
	b.predict(b.step * highInverse[code] >> 15)
	b.scale(highScale[code], highMaxLog, highShift)
}

// scale adapts the step size.
func (b *band) scale(change, limit, shift int) {
	b.log = min(max(b.log*127>>7+change, 0), limit)
	b.step = stepSizes[b.log>>6&31]
	if right := shift - b.log>>11; right >= 0 {
		b.step >>= right
	} else {
		b.step <<= -right
	}
	b.step <<= 2
}

// predict adapts the predictor to a quantized difference and predicts the next
// sample (blocks RECONS, PARREC, UPPOL, UPZERO, FILTEP, FILTEZ, PREDIC).
func (b *band) predict(diff int) {
	rebuilt, partial := saturate(b.predicted+diff), saturate(b.zeros+diff)
	b.adaptPoles(partial)
	step := 128
	if diff == 0 {
		step = 0
	}
	zeros, newer := 0, diff
	for i, old := range b.diffs {
		change := step
		if (old < 0) != (diff < 0) {
			change = -step
		}
		b.zero[i] = saturate(b.zero[i]*32640>>15 + change)
		b.diffs[i] = newer
		zeros += b.zero[i] * saturate(2*newer) >> 15
		newer = old
	}
	b.zeros = saturate(zeros)
	b.rebuilt[1], b.rebuilt[0] = b.rebuilt[0], rebuilt
	b.partial[1], b.partial[0] = b.partial[0], partial
	poles := saturate(b.pole[0]*saturate(2*b.rebuilt[0])>>15 + b.pole[1]*saturate(2*b.rebuilt[1])>>15)
	b.predicted = saturate(poles + b.zeros)
}

// adaptPoles adapts the pole section, by the signs of partial and the two before.
func (b *band) adaptPoles(partial int) {
	same := func(old int) bool { return (old < 0) == (partial < 0) }
	change, first := saturate(4*b.pole[0]), -192
	if same(b.partial[0]) {
		change, first = -change, 192
	}
	second := -128
	if same(b.partial[1]) {
		second = 128
	}
	b.pole[1] = min(max(b.pole[1]*32512>>15+min(change, 32767)>>7+second, -12288), 12288)
	limit := 15360 - b.pole[1]
	b.pole[0] = min(max(saturate(b.pole[0]*32640>>15+first), -limit), limit)
}

func saturate(v int) int { return min(max(v, -32768), 32767) }
