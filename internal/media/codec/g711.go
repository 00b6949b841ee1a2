package codec

// G.711 (ITU-T G.711): logarithmic 8-bit samples at 8 kHz.

const (
	ulawBias = 0x84
	ulawClip = 32635
)

// ulawTable and alawTable decode; the encoders compute, which costs less than
// the cache lines of a 64 K table.
var (
	ulawTable = tableOf(decodeUlaw)
	alawTable = tableOf(decodeAlaw)
)

func tableOf(decode func(byte) int16) (t [256]int16) {
	for i := range t {
		t[i] = decode(byte(i))
	}
	return t
}

func decodeUlaw(b byte) int16 {
	b = ^b
	v := (int(b&0x0f)<<3 + ulawBias) << (b >> 4 & 7)
	if b&0x80 != 0 {
		return int16(ulawBias - v)
	}
	return int16(v - ulawBias)
}

func decodeAlaw(b byte) int16 {
	b ^= 0x55
	v := int(b&0x0f)<<4 + 8
	if segment := b >> 4 & 7; segment > 0 {
		v = (v + 0x100) << (segment - 1)
	}
	if b&0x80 != 0 {
		return int16(v)
	}
	return int16(-v)
}

// EncodeUlaw codes one sample as mu-law.
func EncodeUlaw(s int16) byte {
	v, sign := int(s), byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, ulawClip) + ulawBias
	segment := segmentOf(v >> 7)
	return ^(sign | segment<<4 | byte(v>>(segment+3))&0x0f)
}

// EncodeAlaw codes one sample as A-law.
func EncodeAlaw(s int16) byte {
	v, sign := int(s), byte(0x80)
	if v < 0 {
		v, sign = -v-1, 0
	}
	segment := segmentOf(v >> 8)
	if v >= 0x100 {
		segment++
	}
	shift := max(segment, 1) + 3
	return (sign | segment<<4 | byte(v>>shift)&0x0f) ^ 0x55
}

// segmentOf returns the number of the highest bit set in v, at most 7; 0 for 0 and 1.
func segmentOf(v int) byte {
	var n byte
	for v > 1 && n < 7 {
		v >>= 1
		n++
	}
	return n
}

type ulawEncoder struct{}

func (ulawEncoder) Encode(pcm []int16, out []byte) (int, error) {
	for i, s := range pcm {
		out[i] = EncodeUlaw(s)
	}
	return len(pcm), nil
}

func (ulawEncoder) Release() {}

type alawEncoder struct{}

func (alawEncoder) Encode(pcm []int16, out []byte) (int, error) {
	for i, s := range pcm {
		out[i] = EncodeAlaw(s)
	}
	return len(pcm), nil
}

func (alawEncoder) Release() {}

// g711Decoder also conceals: it repeats the last pitch-sized stretch, fading.
type g711Decoder struct {
	table *[256]int16
	past  [240]int16 // the last 30 ms
	lost  int        // samples concealed since the last packet
}

// Decode implements Decoder.
func (d *g711Decoder) Decode(payload []byte, lost int, pcm []int16) (int, error) {
	if payload == nil {
		return d.conceal(pcm[:min(lost, MaxFrame)]), nil
	}
	n := min(len(payload), MaxFrame)
	for i, b := range payload[:n] {
		pcm[i] = d.table[b]
	}
	d.lost = 0
	d.remember(pcm[:n])
	return n, nil
}

func (d *g711Decoder) remember(pcm []int16) {
	if len(pcm) >= len(d.past) {
		copy(d.past[:], pcm[len(pcm)-len(d.past):])
		return
	}
	copy(d.past[:], d.past[len(pcm):])
	copy(d.past[len(d.past)-len(pcm):], pcm)
}

const (
	minPitch  = 20  // samples at 8 kHz: 400 Hz
	maxPitch  = 120 // 66 Hz
	fadeAfter = 160 // samples concealed at full level: 20 ms
	fadeOver  = 320 // samples from there to silence
)

// conceal continues the sound with its last pitch period, fading out after 20 ms.
func (d *g711Decoder) conceal(pcm []int16) int {
	period := d.pitch()
	tail := d.past[len(d.past)-period:]
	for i := range pcm {
		at := d.lost + i
		level := 256
		if at > fadeAfter {
			level = max(0, 256-(at-fadeAfter)*256/fadeOver)
		}
		pcm[i] = int16(int(tail[at%period]) * level >> 8)
	}
	d.lost += len(pcm)
	return len(pcm)
}

// pitch returns the lag at which the last samples repeat best.
func (d *g711Decoder) pitch() int {
	const window = 120
	recent := d.past[len(d.past)-window:]
	best, bestScore := minPitch, int64(-1)
	for lag := minPitch; lag <= maxPitch; lag++ {
		earlier := d.past[len(d.past)-window-lag:]
		var dot, energy int64
		for i := range recent {
			dot += int64(recent[i]) * int64(earlier[i])
			energy += int64(earlier[i]) * int64(earlier[i])
		}
		if dot <= 0 || energy == 0 {
			continue
		}
		if score := dot / (energy>>16 + 1) * (dot >> 16); score > bestScore {
			best, bestScore = lag, score
		}
	}
	return best
}

// Release implements Decoder.
func (d *g711Decoder) Release() {}
