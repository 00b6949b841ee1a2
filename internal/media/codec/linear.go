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
		PutLinear(dst, e.ready[:n])
		e.ready = e.ready[:copy(e.ready, e.ready[n:])]
	} else {
		PutLinear(dst, pcm)
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

// PutLinear writes pcm to dst, two bytes a sample, the lower first.
func PutLinear(dst []byte, pcm []int16) {
	for len(pcm) >= 4 { // four at a time, which is twice as fast
		p := (*[4]int16)(pcm)
		four := uint64(uint16(p[0])) | uint64(uint16(p[1]))<<16 | uint64(uint16(p[2]))<<32 | uint64(uint16(p[3]))<<48
		binary.LittleEndian.PutUint64(dst, four)
		dst, pcm = dst[8:], pcm[4:]
	}
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
		GetLinear(pcm[:n], payload)
	} else {
		d.raw = append(d.raw[:0], make([]int16, len(payload)/2)...)
		GetLinear(d.raw, payload)
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

// GetLinear fills pcm out of src, which is twice as long.
func GetLinear(pcm []int16, src []byte) {
	for len(pcm) >= 4 && len(src) >= 8 {
		four, p := binary.LittleEndian.Uint64(src), (*[4]int16)(pcm)
		p[0], p[1], p[2], p[3] = int16(four), int16(four>>16), int16(four>>32), int16(four>>48)
		pcm, src = pcm[4:], src[8:]
	}
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(src[2*i:]))
	}
}
