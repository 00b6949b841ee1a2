package codec

import "math/bits"

// The tables of ITU-T G.711. Linear samples have 16 bits here; the standard's
// 14 (mu-law) or 13 (A-law) bits are the upper ones. They are made once and only
// read.
var (
	fromMuLaw = makeTable(muLawToLinear)
	fromALaw  = makeTable(aLawToLinear)
	toMuLaw   = makeEncoding(linearToMuLaw)
	toALaw    = makeEncoding(linearToALaw)
)

func makeTable(decode func(byte) int16) (t [256]int16) {
	for i := range t {
		t[i] = decode(byte(i))
	}
	return t
}

// makeEncoding tabulates the upper 14 bits of a sample, all that either law reads.
func makeEncoding(encode func(int16) byte) (t [1 << 14]byte) {
	for i := range t {
		t[i] = encode(int16(uint16(i) << 2))
	}
	return t
}

func linearToMuLaw(s int16) byte {
	const bias, clip = 0x84, 32635
	v, sign := int(s), byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, clip) + bias
	segment := bits.Len(uint(v)) - 8
	return ^(sign | byte(segment<<4) | byte(v>>(segment+3))&0x0f)
}

func muLawToLinear(b byte) int16 {
	const bias = 0x84
	b = ^b
	v := (int(b&0x0f)<<3+bias)<<(b>>4&7) - bias
	if b&0x80 != 0 {
		v = -v
	}
	return int16(v)
}

func linearToALaw(s int16) byte {
	v, sign := int(s)>>3, byte(0x80) // 13 bits
	if v < 0 {
		v, sign = -v-1, 0
	}
	segment := max(bits.Len(uint(v))-5, 0)
	code := byte(segment<<4) | byte(v>>max(segment, 1))&0x0f
	return (sign | code) ^ 0x55
}

func aLawToLinear(b byte) int16 {
	b ^= 0x55
	v := int(b&0x0f)<<4 + 8
	if segment := b >> 4 & 7; segment > 0 {
		v = (v + 0x100) << (segment - 1)
	}
	if b&0x80 == 0 {
		v = -v
	}
	return int16(v)
}

type lawEncoder struct{ table *[1 << 14]byte }

// Encode implements Encoder.
func (e *lawEncoder) Encode(dst []byte, pcm []int16) (int, error) {
	if len(dst) < len(pcm) {
		return 0, ErrTooLong
	}
	dst = dst[:len(pcm)]
	for i, s := range pcm {
		dst[i] = e.table[uint16(s)>>2]
	}
	return len(pcm), nil
}

// Reset implements Encoder.
func (e *lawEncoder) Reset() {}

type lawDecoder struct {
	table *[256]int16
	lost  concealer
}

// Decode implements Decoder.
func (d *lawDecoder) Decode(pcm []int16, payload []byte) (int, error) {
	if len(pcm) < len(payload) {
		return 0, ErrTooLong
	}
	for i, b := range payload {
		pcm[i] = d.table[b]
	}
	d.lost.heard(pcm[:len(payload)])
	return len(payload), nil
}

// Conceal implements Decoder. What follows is of no use: G.711 has no memory.
func (d *lawDecoder) Conceal(pcm []int16, _ []byte) error {
	d.lost.fill(pcm)
	return nil
}

// Reset implements Decoder.
func (d *lawDecoder) Reset() { d.lost.reset() }
