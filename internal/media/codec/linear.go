package codec

import (
	"encoding/binary"

	"github.com/offhook/offhook/internal/media/resample"
)

// L16 returns the linear PCM of a rate, 8000, 16000 or 24000 Hz, else None.
func L16(rate int) Kind {
	switch rate {
	case 8000:
		return L16x8
	case 16000:
		return L16x16
	case 24000:
		return L16x24
	}
	return None
}

// Linear reports whether k is linear PCM.
func (k Kind) Linear() bool { return k == L16x8 || k == L16x16 || k == L16x24 }

// lead is the silence in front of what a converter gives, so that each frame gives
// as many samples as it lasts: its filter looks ahead 24 samples of the lower rate.
func lead(from, to int) []int16 { return make([]int16, 24*to/min(from, to)+1) }

// linearEncoder writes samples as they are, or at another rate.
type linearEncoder struct {
	from, to int
	convert  *resample.Resampler // nil at the same rate
	ready    []int16
}

func newLinearEncoder(k Kind, rate int) *linearEncoder {
	e := &linearEncoder{from: rate, to: int(k.ClockRate())}
	if e.from != e.to {
		e.convert = resample.New(e.from, e.to)
	}
	e.Reset()
	return e
}

// Encode implements Encoder. Every frame gives as many samples as it lasts.
func (e *linearEncoder) Encode(dst []byte, pcm []int16) (int, error) {
	n := len(pcm) * e.to / e.from
	if len(dst) < 2*n {
		return 0, ErrTooLong
	}
	if e.convert != nil {
		e.ready = e.convert.Append(e.ready, pcm)
		n = min(n, len(e.ready))
		putLinear(dst, e.ready[:n])
		e.ready = e.ready[:copy(e.ready, e.ready[n:])]
	} else {
		putLinear(dst, pcm)
	}
	return 2 * n, nil
}

// Reset implements Encoder.
func (e *linearEncoder) Reset() {
	if e.convert != nil {
		e.convert.Reset()
		e.ready = append(e.ready[:0], lead(e.from, e.to)...)
	}
}

func putLinear(dst []byte, pcm []int16) {
	dst = dst[:2*len(pcm)]
	for i, s := range pcm {
		binary.LittleEndian.PutUint16(dst[2*i:], uint16(s))
	}
}

// linearDecoder reads samples as they are, or at another rate.
type linearDecoder struct {
	from, to int
	convert  *resample.Resampler // nil at the same rate
	raw      []int16
	ready    []int16
	lost     concealer
}

func newLinearDecoder(k Kind, rate int) *linearDecoder {
	d := &linearDecoder{from: int(k.ClockRate()), to: rate, lost: newConcealer(rate)}
	if d.from != d.to {
		d.convert = resample.New(d.from, d.to)
	}
	d.Reset()
	return d
}

// Decode implements Decoder.
func (d *linearDecoder) Decode(pcm []int16, payload []byte) (int, error) {
	n := len(payload) / 2 * d.to / d.from
	if len(pcm) < n {
		return 0, ErrTooLong
	}
	if d.convert == nil {
		linear(pcm[:n], payload)
	} else {
		d.raw = append(d.raw[:0], make([]int16, len(payload)/2)...)
		linear(d.raw, payload)
		d.ready = d.convert.Append(d.ready, d.raw)
		n = copy(pcm[:n], d.ready)
		d.ready = d.ready[:copy(d.ready, d.ready[n:])]
	}
	d.lost.heard(pcm[:n])
	return n, nil
}

// Conceal implements Decoder.
func (d *linearDecoder) Conceal(pcm []int16, _ []byte) error {
	d.lost.fill(pcm)
	return nil
}

// Reset implements Decoder.
func (d *linearDecoder) Reset() {
	d.lost.reset()
	if d.convert != nil {
		d.convert.Reset()
		d.ready = append(d.ready[:0], lead(d.from, d.to)...)
	}
}

func linear(pcm []int16, payload []byte) {
	payload = payload[:2*len(pcm)]
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(payload[2*i:]))
	}
}
