package loopedge

import (
	"sync"

	"github.com/offhook/offhook/internal/media/pcm"
)

const (
	// laneFrames is how many frames of 20 ms may wait for their time; behind that the
	// oldest is dropped, so that nobody hears the past.
	laneFrames = 6
	// laneStart is how many wait before the first is said: what two clocks may differ.
	laneStart = 2
)

// lane is what one leg heard and the other is to say. The zero value is ready.
type lane struct {
	mu      sync.Mutex // guards what follows
	frames  [laneFrames][]int16
	first   int // of frames
	n       int
	flowing bool // since laneStart frames were there
}

// hear adds a frame. It runs on the mixer's goroutine and never blocks.
func (l *lane) hear(_ int64, samples []int16) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n == laneFrames {
		l.first, l.n = (l.first+1)%laneFrames, l.n-1
	}
	at := (l.first + l.n) % laneFrames
	l.frames[at] = append(l.frames[at][:0], samples...)
	l.n++
}

// say lets a path say the next frame, by way of buf; or nothing, if none is there.
func (l *lane) say(path *pcm.Path, buf []int16) {
	if n := l.take(buf); n > 0 {
		path.Say(buf[:n])
		return
	}
	path.Rest()
}

// take takes the next frame out.
func (l *lane) take(buf []int16) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n == 0 || !l.flowing && l.n < laneStart {
		l.flowing = false
		return 0
	}
	l.flowing = true
	n := copy(buf, l.frames[l.first])
	l.first, l.n = (l.first+1)%laneFrames, l.n-1
	return n
}
