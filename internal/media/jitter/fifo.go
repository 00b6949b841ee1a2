package jitter

// fifo holds decoded samples that wait to be played, and the last ones that were.
type fifo struct {
	buf  []int16
	past int // how many played samples are kept
	r, w int // buf[r:w] waits, buf[r-past:r] was played
}

func newFIFO(past, size int) fifo {
	f := fifo{buf: make([]int16, past+2*size), past: past}
	f.clear()
	return f
}

func (f *fifo) clear() {
	clear(f.buf[:f.past])
	f.r, f.w = f.past, f.past
}

func (f *fifo) len() int { return f.w - f.r }

// room returns n samples to be filled behind those that wait; commit adds them.
func (f *fifo) room(n int) []int16 {
	if f.w+n > len(f.buf) {
		keep := f.r - f.past
		f.w = copy(f.buf, f.buf[keep:f.w])
		f.r = f.past
	}
	return f.buf[f.w : f.w+n]
}

func (f *fifo) commit(n int) { f.w += n }

// play moves samples into pcm and returns how many there were.
func (f *fifo) play(pcm []int16) int {
	n := copy(pcm, f.buf[f.r:f.w])
	f.r += n
	return n
}
