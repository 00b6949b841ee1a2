package record

import (
	"sync"
	"time"
)

const (
	// rate of all recordings, in Hz: what calls carry at most.
	rate = 16000
	// maxBuffer is how many samples of a channel wait for the disk: 10 s.
	maxBuffer = 10 * rate
	// maxGap bounds the silence that stands for time that was lost, a minute.
	maxGap = int64(time.Minute/time.Second) * rate
)

// track collects what one channel hears. Its samples have no gaps: what is missing
// is silence.
type track struct {
	mu      sync.Mutex // guards what follows; held only to copy a frame
	buf     []int16
	next    int64 // place of the next sample, as the path counts
	owed    int   // samples that were dropped and are silence to come
	late    int   // samples that did not come in time and were taken as silence
	dropped uint64
	closed  bool
}

// heard takes 20 ms from the mixer's goroutine.
func (t *track) heard(at int64, pcm []int16) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	if gap := at - t.next; gap > 0 {
		t.owed += int(min(gap, maxGap))
	}
	t.next = at + int64(len(pcm))
	missed := min(t.late, t.owed)
	t.owed -= missed
	t.late -= missed
	missed = min(t.late, len(pcm))
	t.late -= missed
	pcm = pcm[missed:]
	if len(t.buf)+len(pcm) > maxBuffer {
		t.owed += len(pcm)
		t.dropped++
		return
	}
	pad := min(t.owed, maxBuffer-len(pcm)-len(t.buf))
	t.buf = append(t.buf, make([]int16, pad)...)
	t.owed -= pad
	t.buf = append(t.buf, pcm...)
}

// length returns how many samples are there.
func (t *track) length() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.buf)
}

// take moves n samples to dst; what is missing is silence.
func (t *track) take(dst []int16) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := copy(dst, t.buf)
	clear(dst[n:])
	t.late += len(dst) - n
	t.buf = t.buf[:copy(t.buf, t.buf[n:])]
}

// close lets nothing more in, and returns how many frames were dropped.
func (t *track) close() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	return t.dropped
}
