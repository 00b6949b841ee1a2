package mix

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

// The taps of one side, from the middle outwards, are a sinc with a Kaiser window
// (beta 5.5: 57 dB); the others of a half-band filter are zero, and the middle one is
// half. They stand in the code because a third of the time went into reading them. All
// sums fit 32 bits: the taps of one side add up to 19053 without their signs.
const (
	tap1, tap2, tap3, tap4    = 10385, -3344, 1871, -1201
	tap5, tap6, tap7, tap8    = 808, -548, 366, -238
	tap9, tap10, tap11, tap12 = 147, -84, 43, -18
)

// pair is two sums that are made at once: one in the lower 32 bits, one in the upper,
// less one if the lower is negative. Adding and multiplying does for both.
type pair int64

func pairOf(low, high int16) pair { return pair(low) + pair(high)<<32 }

// parts returns the two sums.
func (p pair) parts() (low, high int32) {
	low = int32(p)
	return low, int32((p - pair(low)) >> 32)
}

// Doubler takes a voice from 8 to 16 kHz, 1.5 ms later. The zero value is ready.
type Doubler struct {
	line  [history + longest + 1]int16
	pairs [history + longest]pair // each sample with the next
}

// Double writes narrow, at most 60 ms and an even number, to wide, which is twice as
// long.
func (d *Doubler) Double(wide, narrow []int16) {
	copy(d.line[history:], narrow)
	for i := range d.pairs[:history+len(narrow)] {
		d.pairs[i] = pairOf(d.line[i], d.line[i+1])
	}
	for n := 0; n < len(narrow); n += 2 {
		x := (*[history + 1]pair)(d.pairs[n:])
		sum := tap1*(x[11]+x[12]) + tap2*(x[10]+x[13]) + tap3*(x[9]+x[14]) + tap4*(x[8]+x[15]) +
			tap5*(x[7]+x[16]) + tap6*(x[6]+x[17]) + tap7*(x[5]+x[18]) + tap8*(x[4]+x[19]) +
			tap9*(x[3]+x[20]) + tap10*(x[2]+x[21]) + tap11*(x[1]+x[22]) + tap12*(x[0]+x[23])
		first, second := sum.parts()
		to := (*[4]int16)(wide[2*n:])
		to[0], to[1] = d.line[n+sideTaps-1], clip((first+scale/4)/(scale/2))
		to[2], to[3] = d.line[n+sideTaps], clip((second+scale/4)/(scale/2))
	}
	copy(d.line[:history], d.line[len(narrow):])
}

// Halver takes a voice from 16 to 8 kHz, 1.4 ms later; what lies above 4 kHz is
// taken out. The zero value is ready.
type Halver struct {
	line  [2*history + 2*longest + 2]int16
	pairs [2*history + 2*longest]pair // each sample with the next but one
}

// Halve writes wide, at most 60 ms, to narrow, which is half as long and has an even
// number.
func (h *Halver) Halve(narrow, wide []int16) {
	const before, middle = 2 * history, 2*sideTaps - 1
	copy(h.line[before:], wide)
	for i := range h.pairs[:before+len(wide)] {
		h.pairs[i] = pairOf(h.line[i], h.line[i+2])
	}
	for n := 0; n < len(narrow); n += 2 {
		x := (*[2*middle + 1]pair)(h.pairs[2*n+before-2*middle+1:])
		sum := x[middle]*(scale/2) +
			tap1*(x[22]+x[24]) + tap2*(x[20]+x[26]) + tap3*(x[18]+x[28]) + tap4*(x[16]+x[30]) +
			tap5*(x[14]+x[32]) + tap6*(x[12]+x[34]) + tap7*(x[10]+x[36]) + tap8*(x[8]+x[38]) +
			tap9*(x[6]+x[40]) + tap10*(x[4]+x[42]) + tap11*(x[2]+x[44]) + tap12*(x[0]+x[46])
		first, second := sum.parts()
		to := (*[2]int16)(narrow[n:])
		to[0], to[1] = clip((first+scale/2)/scale), clip((second+scale/2)/scale)
	}
	copy(h.line[:before], h.line[len(wide):])
}
