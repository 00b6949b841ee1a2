package dtmf

import "math"

// Tones of the keys in Hz: a row and a column each (ITU-T Q.23).
var (
	rows    = [4]float64{697, 770, 852, 941}
	columns = [4]float64{1209, 1336, 1477, 1633}
	layout  = [4]string{"123A", "456B", "789C", "*0#D"}
)

// What makes a key (ITU-T Q.24, with what voices need to be told from keys).
const (
	// blockTime is how many samples at 8 kHz are looked at: 12.75 ms, long enough to
	// tell neighbouring tones apart. A new block begins every half.
	blockTime = 102
	// A tone must be at least so loud: -36 dBFS.
	minPower = 0.5 * 520 * 520
	// maxTwist is how much louder one of the tones may be, in power: 9 dB, so that
	// 6 dB pass with noise.
	maxTwist = 7.9
	// minShare is how much of all power the two tones must have. Noise 20 dB below
	// and tones 1.5 % off leave 0.7; a voice seldom has so much in two places.
	minShare = 0.66
	// minPeak is by how much a tone must exceed its neighbours, in power: 8 dB.
	minPeak = 6.3
	// A key begins with so many blocks in a row that show it: they end 32 ms after
	// its beginning. It ends with so many that do not: 38 ms.
	beginBlocks, endBlocks = 4, 6
)

// Detector finds keys in a voice. It is not safe for concurrent use.
type Detector struct {
	k     int // samples per sample at 8 kHz
	turn  [8]float64
	banks [2]bank // half a block apart

	shown byte // what the last blocks showed, 0 for no key
	count int  // how many of them
	key   byte // the key that is down, 0 for none
	gone  int  // blocks since it was shown
}

// bank measures one block: the eight tones by the Goertzel algorithm, and all.
type bank struct {
	n      int // samples so far, negative before the first
	s1, s2 [8]float64
	power  float64
}

// NewDetector returns a Detector for samples at rate Hz, 8000 or a multiple.
func NewDetector(rate int) *Detector {
	d := &Detector{k: rate / 8000}
	for i := range 4 {
		d.turn[i] = 2 * math.Cos(2*math.Pi*rows[i]/8000)
		d.turn[4+i] = 2 * math.Cos(2*math.Pi*columns[i]/8000)
	}
	d.Reset()
	return d
}

// Reset forgets the voice, for another one.
func (d *Detector) Reset() {
	d.banks = [2]bank{1: {n: -blockTime / 2}}
	d.shown, d.count, d.key, d.gone = 0, 0, 0, 0
}

// Detect follows a voice. It returns the key that begins in pcm, which must last
// at most 30 ms, and whether one does. At rates above 8000 Hz it takes averages,
// which is filter enough for tones below 2 kHz.
func (d *Detector) Detect(pcm []int16) (key byte, begins bool) {
	for ; len(pcm) >= d.k; pcm = pcm[d.k:] {
		x := 0.0
		for _, s := range pcm[:d.k] {
			x += float64(s)
		}
		x /= float64(d.k)
		for i := range d.banks {
			if b := &d.banks[i]; b.add(x, &d.turn) && d.follow(b.key(&d.turn)) {
				key, begins = d.key, true
			}
		}
	}
	return key, begins
}

// Down returns the key that is heard now, 0 for none. While there is one it should
// not be heard by a listener who is told of keys in another way.
func (d *Detector) Down() byte { return d.key }

// follow takes what a block shows and reports whether a key begins.
func (d *Detector) follow(shown byte) bool {
	if shown != d.shown {
		d.shown, d.count = shown, 0
	}
	d.count++
	switch {
	case shown != 0 && shown == d.key:
		d.gone = 0
	case shown != 0 && d.count >= beginBlocks:
		d.key, d.gone = shown, 0
		return true
	case d.key != 0:
		if d.gone++; d.gone >= endBlocks {
			d.key = 0
		}
	}
	return false
}

// add takes a sample and reports whether the block is full.
func (b *bank) add(x float64, turn *[8]float64) bool {
	if b.n++; b.n <= 0 {
		return false
	}
	if b.n == 1 {
		b.s1, b.s2, b.power = [8]float64{}, [8]float64{}, 0
	}
	b.power += x * x
	for i, t := range turn {
		b.s1[i], b.s2[i] = x+t*b.s1[i]-b.s2[i], b.s1[i]
	}
	return b.n == blockTime
}

// key returns what the full block shows, 0 for no key, and begins the next one.
func (b *bank) key(turn *[8]float64) byte {
	b.n = 0
	var power [8]float64 // mean power of each tone
	for i, t := range turn {
		power[i] = 2 * (b.s1[i]*b.s1[i] + b.s2[i]*b.s2[i] - t*b.s1[i]*b.s2[i]) / (blockTime * blockTime)
	}
	row, ok1 := peak(power[:4])
	column, ok2 := peak(power[4:])
	r, c := power[row], power[4+column]
	switch {
	case !ok1 || !ok2,
		r > maxTwist*c || c > maxTwist*r,
		r+c < minShare*b.power/blockTime:
		return 0
	}
	return layout[row][column]
}

// peak returns the loudest tone of four, and whether it is loud enough and stands
// out.
func peak(power []float64) (at int, ok bool) {
	for i, p := range power {
		if p > power[at] {
			at = i
		}
	}
	for i, p := range power {
		if i != at && p*minPeak > power[at] {
			return at, false
		}
	}
	return at, power[at] >= minPower
}
