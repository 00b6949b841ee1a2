package lowband

import "math/bits"

// reader is the range decoder of RFC 6716 section 4.1. Behind the end of its data it
// reads zeros, as all do.
type reader struct {
	data  []byte
	next  int    // in data
	last  uint32 // byte before it, of which a bit is still to be used
	width uint32 // of the present range
	below uint32 // distance from the top of the range
	read  int    // bits taken in
}

const (
	// leastWidth is the width up to which more bits are taken in.
	leastWidth = 1 << 23
	widthMask  = 1<<31 - 1
)

func (r *reader) begin(data []byte) {
	*r = reader{data: data, width: 128, read: 9}
	r.last = r.byte()
	r.below = 127 - r.last>>1
	r.fill()
}

func (r *reader) byte() uint32 {
	if r.next >= len(r.data) {
		return 0
	}
	r.next++
	return uint32(r.data[r.next-1])
}

// fill takes bits in (section 4.1.2.1).
func (r *reader) fill() {
	for r.width <= leastWidth {
		b := r.byte()
		bits := (r.last<<8 | b) >> 1
		r.last = b
		r.below = (r.below<<8 + 255&^bits) & widthMask
		r.width <<= 8
		r.read += 8
	}
}

// symbol reads a symbol; table is one of tables.go.
func (r *reader) symbol(table []uint8) int {
	part, above := r.width>>8, r.width
	for i, rest := range table {
		from := part * uint32(rest)
		if r.below >= from {
			r.below -= from
			r.width = above - from
			r.fill()
			return i
		}
		above = from
	}
	return 0 // never: tables end with 0
}

// bit reads a bit that is 1 once in 1<<rare times (section 4.1.3.2).
func (r *reader) bit(rare uint) bool {
	part := r.width >> rare
	one := r.below < part
	if one {
		r.width = part
	} else {
		r.below -= part
		r.width -= part
	}
	r.fill()
	return one
}

// used returns how many bits what was read takes, rounded up (section 4.1.6.1).
func (r *reader) used() int { return r.read - bits.Len32(r.width) }

// fits reports whether the same is read if only size bytes are there.
func (r *reader) fits(size int) bool {
	cut := r.read - 2 - 8*size // what is cut off is less than 1<<cut
	return cut >= 0 && cut < 31 && r.width-1-r.below >= 1<<cut
}
