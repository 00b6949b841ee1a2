package codec

// G.722 at 64 kbit/s (ITU-T G.722 mode 1): one byte is two samples at 16 kHz, six
// bits for the band below 4 kHz and two for that above. At 8000 Hz only the lower
// band is coded, which is what a telephone hears of it; the filter that splits the
// bands and its delay of 1.5 ms are left out.

// splitter is the memory of the filter bank: the last 24 samples, newest last.
type splitter [24]int

// next adds two and returns the filter's two sums.
func (s *splitter) next(first, second int) (even, odd int) {
	copy(s[:], s[2:])
	s[22], s[23] = first, second
	for i, c := range qmf {
		odd += s[2*i] * c
		even += s[2*i+1] * qmf[11-i]
	}
	return even, odd
}

type g722Encoder struct {
	wide      bool // 16 kHz
	split     splitter
	low, high band
}

func newG722Encoder(rate int) *g722Encoder {
	e := &g722Encoder{wide: rate == 16000}
	e.Reset()
	return e
}

// Reset implements Encoder.
func (e *g722Encoder) Reset() {
	*e = g722Encoder{wide: e.wide, low: band{step: lowFirstStep}, high: band{step: highFirstStep}}
}

// Encode implements Encoder.
func (e *g722Encoder) Encode(dst []byte, pcm []int16) (int, error) {
	n := len(pcm)
	if e.wide {
		n /= 2
	}
	if len(dst) < n {
		return 0, ErrTooLong
	}
	for i := range dst[:n] {
		var low, high int
		if e.wide {
			even, odd := e.split.next(int(pcm[2*i]), int(pcm[2*i+1]))
			low, high = (even+odd)>>14, (even-odd)>>14
		} else {
			low = int(pcm[i]) >> 1
		}
		lowCode, highCode := e.low.quantizeLow(low), e.high.quantizeHigh(high)
		e.low.adaptLow(lowCode)
		e.high.adaptHigh(highCode)
		dst[i] = highCode<<6 | lowCode
	}
	return n, nil
}

type g722Decoder struct {
	wide      bool
	split     splitter
	low, high band
	lost      concealer
}

func newG722Decoder(rate int) *g722Decoder {
	d := &g722Decoder{wide: rate == 16000, lost: newConcealer(rate)}
	d.Reset()
	return d
}

// Reset implements Decoder.
func (d *g722Decoder) Reset() {
	d.split, d.low, d.high = splitter{}, band{step: lowFirstStep}, band{step: highFirstStep}
	d.lost.reset()
}

// Decode implements Decoder.
func (d *g722Decoder) Decode(pcm []int16, payload []byte) (int, error) {
	n := len(payload)
	if d.wide {
		n *= 2
	}
	if len(pcm) < n {
		return 0, ErrTooLong
	}
	for i, code := range payload {
		low := bounded(d.low.predicted + d.low.step*lowInverse60[code&63]>>15)
		d.low.adaptLow(code & 63)
		if !d.wide {
			pcm[i] = int16(2 * low)
			continue
		}
		high := bounded(d.high.predicted + d.high.step*highInverse[code>>6]>>15)
		d.high.adaptHigh(code >> 6)
		first, second := d.split.next(low+high, low-high)
		pcm[2*i], pcm[2*i+1] = int16(saturate(first>>11)), int16(saturate(second>>11))
	}
	d.lost.heard(pcm[:n])
	return n, nil
}

// bounded limits a sample of a band to its 15 bits.
func bounded(v int) int { return min(max(v, -16384), 16383) }

// Conceal implements Decoder. The bands go on from where they were: their memory of
// wrong samples fades within a few milliseconds.
func (d *g722Decoder) Conceal(pcm []int16, _ []byte) error {
	d.lost.fill(pcm)
	return nil
}
