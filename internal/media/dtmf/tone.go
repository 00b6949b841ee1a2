package dtmf

import (
	"math"
	"strings"
)

// rowLevel and columnLevel are the amplitudes of a key's two tones: about -11 dBFS,
// what phones send, with the column 2 dB above the row (ITU-T Q.23).
const rowLevel, columnLevel = 8200, 10300

// attack is how long in seconds a tone takes to become loud, so that it does not
// click.
const attack = 0.002

// Tone is the sound of one key.
type Tone struct {
	rate        int
	row, column float64 // Hz
	n           int     // samples made
}

// NewTone returns the sound of key, one of Keys, at rate Hz. It reports false for
// anything else.
func NewTone(key byte, rate int) (*Tone, bool) {
	for i, keys := range layout {
		if at := strings.IndexByte(keys, key); at >= 0 {
			return &Tone{rate: rate, row: rows[i], column: columns[at]}, true
		}
	}
	return nil, false
}

// Fill makes the next samples.
func (t *Tone) Fill(pcm []int16) {
	for i := range pcm {
		at := float64(t.n) / float64(t.rate)
		s := rowLevel*math.Sin(2*math.Pi*t.row*at) + columnLevel*math.Sin(2*math.Pi*t.column*at)
		pcm[i] = int16(s * min(1, at/attack))
		t.n++
	}
}
