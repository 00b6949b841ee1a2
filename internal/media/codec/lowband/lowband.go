// Package lowband takes what lies above 8 kHz out of Opus packets. Browsers send most of
// a voice as hybrid packets: SILK up to 8 kHz and CELT above (RFC 6716 section 2.1.3).
// Whoever decodes at 8 or 16 kHz hears nothing of the CELT half, which takes as much
// time to decode as the other. The packet does not say where it begins; so this package
// walks through SILK's symbols, which is done in a fraction of that time.
package lowband

// Of the first byte of a packet (RFC 6716 section 3.1).
const (
	configShift              = 3
	firstHybrid, firstCELT   = 12, 16
	wideSILK10, wideSILK20   = 8, 9
	stereo, severalFrames    = 4, 3
	pitched                  = 2 // signal type of section 4.2.7.3
	blockSize, blocksIn10ms  = 16, 10
	morePulses, mostShifts   = 17, 10
	mostPulses               = 16
	largestDetail            = 8
	redundancyRare           = 12
	redundancyRoom, tailRoom = 37, 16 // bits, section 4.5.1.1
)

// Strip returns packet without its CELT half, made in dst[:0]. What it decodes to at 8
// and 16 kHz is the same, sample by sample. A packet that has no such half is returned
// as it is, as are stereo, packets of several frames, those that lead from one coding
// to another, what dst has no room for, and the rare ones whose last bits depend on what
// would be cut off.
func Strip(dst, packet []byte) []byte {
	if len(packet) < 3 {
		return packet
	}
	head := packet[0]
	config := head >> configShift
	if config < firstHybrid || config >= firstCELT || head&(stereo|severalFrames) != 0 {
		return packet
	}
	frame := packet[1:]
	var r reader
	r.begin(frame)
	short := config&1 == 0
	r.silk(short)
	used := r.used()
	size := (used + tailRoom) / 8 // with more, a decoder takes the rest for a change of the coding
	if size > len(frame) || size >= cap(dst) || !r.fits(size) {
		return packet
	}
	if used+redundancyRoom <= 8*len(frame) && r.bit(redundancyRare) {
		return packet
	}
	config = wideSILK20
	if short {
		config = wideSILK10
	}
	dst = append(dst[:0], config<<configShift)
	return append(dst, frame[:size]...)
}

// silk reads the SILK frame of a packet and what is before it (section 4.2.3).
func (r *reader) silk(short bool) {
	voiced, copied := r.bit(1), r.bit(1)
	if copied { // of the frame before, for when that is lost
		r.frame(short, true)
	}
	r.frame(short, voiced)
}

// frame reads one frame (section 4.2.7).
func (r *reader) frame(short, voiced bool) {
	kind := r.parameters(short, voiced)
	r.excitation(short, kind)
}

// parameters reads all of a frame but its excitation and returns its kind: twice the
// signal type and the quantisation offset.
func (r *reader) parameters(short, voiced bool) (kind int) {
	if voiced {
		kind = 2 + r.symbol(kinds[:])
	} else {
		kind = r.symbol(quietKinds[:])
	}
	signal, subframes := kind>>1, 4
	if short {
		subframes = 2
	}
	r.symbol(gains[signal][:])
	r.symbol(uniform8[:])
	for range subframes - 1 {
		r.symbol(gainSteps[:])
	}
	r.spectrum(signal)
	if !short {
		r.symbol(interpolations[:])
	}
	if signal == pitched {
		r.pitch(short, subframes)
	}
	r.symbol(uniform4[:]) // the seed
	return kind
}

func (r *reader) spectrum(signal int) {
	first := r.symbol(spectra[signal>>1][:])
	for _, of := range detailsOf[first] {
		r.detail(of >> 1 & 7)
		r.detail(of >> 5 & 7)
	}
}

func (r *reader) detail(table uint8) {
	if d := r.symbol(details[table][:]); d == 0 || d == largestDetail {
		r.symbol(furtherDetails[:])
	}
}

func (r *reader) pitch(short bool, subframes int) {
	r.symbol(lags[:])
	r.symbol(uniform8[:])
	if short {
		r.symbol(contours10[:])
	} else {
		r.symbol(contours20[:])
	}
	table := [...][]uint8{filterGains0[:], filterGains1[:], filterGains2[:]}[r.symbol(filters[:])]
	for range subframes {
		r.symbol(table)
	}
	r.symbol(filterScales[:])
}

// excitation reads the pulses of a frame, block by block of 16 samples (section
// 4.2.7.8).
func (r *reader) excitation(short bool, kind int) {
	var counts, shifts [2 * blocksIn10ms]int
	var pulses [2 * blocksIn10ms][blockSize]uint16
	blocks := 2 * blocksIn10ms
	if short {
		blocks = blocksIn10ms
	}
	rate := r.symbol(pulseRates[kind>>2][:])
	for b := range blocks {
		counts[b] = r.symbol(pulseCounts[rate][:])
		for counts[b] == morePulses {
			shifts[b]++
			table := pulseCounts[len(pulseCounts)-1][:]
			if shifts[b] == mostShifts {
				table = table[1:]
			}
			counts[b] = r.symbol(table)
		}
	}
	for b := range blocks {
		if counts[b] > 0 {
			r.split(pulses[b][:], counts[b], len(splits)-1)
		}
	}
	for b := range blocks {
		for i := range pulses[b] {
			for range shifts[b] {
				pulses[b][i] = pulses[b][i]<<1 + uint16(r.symbol(lowBits[:]))
			}
		}
	}
	for b := range blocks {
		if counts[b] == 0 && shifts[b] == 0 {
			continue
		}
		for _, p := range pulses[b] {
			if p > 0 {
				r.bitOf(signs[7*kind+min(counts[b], 6)])
			}
		}
	}
}

// split shares out count pulses among samples, half by half.
func (r *reader) split(samples []uint16, count, level int) {
	if level < 0 {
		samples[0] = uint16(count)
		return
	}
	if count == 0 {
		return
	}
	half := len(samples) / 2
	first := r.symbol(splits[level][count*(count+1)/2-1:])
	r.split(samples[:half], first, level-1)
	r.split(samples[half:], count-first, level-1)
}

// bitOf reads one of two symbols.
func (r *reader) bitOf(rest uint8) {
	if from := r.width >> 8 * uint32(rest); r.below >= from {
		r.below -= from
		r.width -= from
	} else {
		r.width = from
	}
	r.fill()
}
