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

// Doubler takes a voice from 8 to 16 kHz, 1.5 ms later. The zero value is ready.
type Doubler struct{ line [history + longest]int16 }

// Double writes narrow, at most 60 ms, to wide, which is twice as long.
func (d *Doubler) Double(wide, narrow []int16) {
	copy(d.line[history:], narrow)
	for n := range narrow {
		x := (*[history + 1]int16)(d.line[n:])
		sum := tap1*(int32(x[11])+int32(x[12])) + tap2*(int32(x[10])+int32(x[13])) +
			tap3*(int32(x[9])+int32(x[14])) + tap4*(int32(x[8])+int32(x[15])) +
			tap5*(int32(x[7])+int32(x[16])) + tap6*(int32(x[6])+int32(x[17])) +
			tap7*(int32(x[5])+int32(x[18])) + tap8*(int32(x[4])+int32(x[19])) +
			tap9*(int32(x[3])+int32(x[20])) + tap10*(int32(x[2])+int32(x[21])) +
			tap11*(int32(x[1])+int32(x[22])) + tap12*(int32(x[0])+int32(x[23]))
		wide[2*n] = x[sideTaps-1]
		wide[2*n+1] = clip((sum + scale/4) / (scale / 2))
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
		x := (*[2*middle + 1]int16)(h.line[2*n+before-2*middle+1:])
		sum := int32(x[middle])*(scale/2) +
			tap1*(int32(x[22])+int32(x[24])) + tap2*(int32(x[20])+int32(x[26])) +
			tap3*(int32(x[18])+int32(x[28])) + tap4*(int32(x[16])+int32(x[30])) +
			tap5*(int32(x[14])+int32(x[32])) + tap6*(int32(x[12])+int32(x[34])) +
			tap7*(int32(x[10])+int32(x[36])) + tap8*(int32(x[8])+int32(x[38])) +
			tap9*(int32(x[6])+int32(x[40])) + tap10*(int32(x[4])+int32(x[42])) +
			tap11*(int32(x[2])+int32(x[44])) + tap12*(int32(x[0])+int32(x[46]))
		narrow[n] = clip((sum + scale/2) / scale)
	}
	copy(h.line[:before], h.line[len(wide):])
}
