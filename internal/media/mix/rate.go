package mix

import "math"

const (
	// sideTaps is how many taps beside the middle one the half-band filter has on
	// each side. With 12 of them 3.4 kHz passes and 4.6 kHz is 50 dB down.
	sideTaps = 12
	// history is how many samples before the present one a filter reads.
	history = 2*sideTaps - 1
	// scale is the fixed point of the taps.
	scale = 1 << 15
	// longest is what one call takes, in samples at 8 kHz: 60 ms.
	longest = 480
)

// taps are those of one side, from the middle outwards: a sinc with a Kaiser
// window. The others of a half-band filter are zero, and the middle one is half.
var taps = makeTaps()

func makeTaps() (t [sideTaps]int32) {
	const beta = 5.5 // of the window: 57 dB
	for i := range t {
		at := float64(2*i + 1)
		edge := at / (2 * sideTaps)
		window := bessel(beta*math.Sqrt(1-edge*edge)) / bessel(beta)
		t[i] = int32(math.Round(scale * window * math.Sin(math.Pi*at/2) / (math.Pi * at)))
	}
	return t
}

// bessel is the modified Bessel function of the first kind and order zero.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-9; k++ {
		term *= (x / (2 * k)) * (x / (2 * k))
		sum += term
	}
	return sum
}

// Doubler takes a voice from 8 to 16 kHz, 1.5 ms later. The zero value is ready.
type Doubler struct{ line [history + longest]int16 }

// Double writes narrow, at most 60 ms, to wide, which is twice as long.
func (d *Doubler) Double(wide, narrow []int16) {
	copy(d.line[history:], narrow)
	for n := range narrow {
		x := d.line[n : n+history+1]
		var sum int64
		for i, tap := range taps {
			sum += int64(tap) * (int64(x[sideTaps-1-i]) + int64(x[sideTaps+i]))
		}
		wide[2*n] = x[sideTaps-1]
		wide[2*n+1] = clip(int32((2*sum + scale/2) / scale))
	}
	copy(d.line[:history], d.line[len(narrow):])
}

// Halver takes a voice from 16 to 8 kHz, 1.4 ms later; what lies above 4 kHz is
// taken out. The zero value is ready.
type Halver struct{ line [2*history + 2*longest]int16 }

// Halve writes wide, at most 60 ms, to narrow, which is half as long.
func (h *Halver) Halve(narrow, wide []int16) {
	const before, middle = 2 * history, 2*sideTaps - 1
	copy(h.line[before:], wide)
	for n := range narrow {
		x := h.line[2*n+before-2*middle+1 : 2*n+before+2] // x[middle] is the middle
		sum := int64(x[middle]) * scale / 2
		for i, tap := range taps {
			sum += int64(tap) * (int64(x[middle-1-2*i]) + int64(x[middle+1+2*i]))
		}
		narrow[n] = clip(int32((sum + scale/2) / scale))
	}
	copy(h.line[:before], h.line[len(wide):])
}
