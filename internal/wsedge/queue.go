package wsedge

import (
	"encoding/binary"
	"encoding/json"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/media/pcm"
)

const (
	// maxQueue is how much of what a server sent ahead is kept, in frames: a minute.
	maxQueue = 3072
	// maxMarks is how many notifies may wait for their place, and maxMarkBytes how long
	// all of their payloads may be.
	maxMarks, maxMarkBytes = 1024, 1 << 20
	// minAhead is how many frames must be there before they are played, so that the
	// next ones may come a little late. It grows by how late they are, up to maxAhead.
	minAhead, maxAhead = 2, 15
	// lateAfter is how long after it ran dry more of the same speech may come.
	lateAfter = 300 * time.Millisecond
	// waitAhead bounds the wait for minAhead: a short sound alone is played, too.
	waitAhead = 60 * time.Millisecond
)

const (
	// spanFrames is over how many frames it is watched whether a server sends as fast as
	// it is played: 2 s.
	spanFrames = 100
	// calmSpans without a gap make what must be there one frame less: 20 s.
	calmSpans = 10
	// stillPeak is the loudest sample of a frame that nobody misses, at -44 dBFS.
	stillPeak = 200
)

// queue is what a server sent and nobody has heard yet. Servers send in pieces of
// any size, and mostly faster than it is played.
type queue struct {
	frameSize int // bytes

	mu      sync.Mutex // guards what follows
	buf     []byte     // what waits, from head on
	head    int
	read    uint64 // bytes played so far
	marks   []mark
	marked  int  // bytes of their payloads
	skip    bool // a half of a sample was dropped: so must be the other
	dropped uint64

	playing bool
	ahead   int       // frames to wait for
	fresh   bool      // something came since the last frame
	first   time.Time // when the oldest came, while it is not played
	dry     time.Time // when it ran dry

	// What is known of the last span, in bytes where it is no count.
	frames   int // played, of spanFrames
	received int
	lowest   int // that waited
	calm     int // spans without a gap
	excess   int // what may be left out of silence
}

// mark is a notify and its place.
type mark struct {
	at      uint64 // in bytes, as read counts
	payload json.RawMessage
}

// newQueue returns an empty queue for frames of so many samples.
func newQueue(frame int) *queue { return &queue{frameSize: 2 * frame, ahead: minAhead} }

// put appends what came, as far as there is room; the newest is dropped.
func (q *queue) put(data []byte, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.skip && len(data) > 0 {
		data, q.skip = data[1:], false
	}
	if len(data) == 0 {
		return
	}
	waiting := len(q.buf) - q.head
	if waiting < 2 {
		q.first = now
		if late := now.Sub(q.dry); !q.dry.IsZero() && late < lateAfter {
			q.ahead = min(maxAhead, q.ahead+1+int(late/pcm.FrameTime))
		}
	}
	if q.head > 0 && q.head >= waiting { // moving costs less than what was read
		q.buf = q.buf[:copy(q.buf, q.buf[q.head:])]
		q.head = 0
	}
	n := min(len(data), maxQueue*q.frameSize-waiting)
	q.buf = append(q.buf, data[:n]...)
	q.received += n
	q.fresh = true
	if over := len(data) - n; over > 0 {
		q.skip = over%2 == 1
		q.dropped += uint64(over+q.frameSize-1) / uint64(q.frameSize)
	}
}

// frame fills samples with the next 20 ms and reports whether there are any; reached
// are the notifies whose place came.
func (q *queue) frame(samples []int16, now time.Time) (said bool, reached []json.RawMessage) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := len(q.buf) - q.head
	if !q.playing && waiting > 0 && (waiting >= q.ahead*q.frameSize || now.Sub(q.first) >= max(waitAhead, time.Duration(q.ahead)*pcm.FrameTime)) {
		q.playing = true
	}
	fresh := q.fresh
	q.fresh = false
	n := min(waiting, q.frameSize) &^ 1
	if !q.playing || n < q.frameSize && fresh { // the rest of the frame may be on its way
		return false, q.reachedLocked(waiting == 0)
	}
	clear(samples)
	q.takeLocked(samples, n)
	if q.excess >= q.frameSize && len(q.buf)-q.head >= q.frameSize && still(samples) {
		q.excess -= q.frameSize
		q.takeLocked(samples, q.frameSize)
	}
	q.watchLocked()
	if len(q.buf)-q.head < 2 {
		q.playing, q.dry = false, now
		q.frames, q.received, q.calm, q.excess = 0, 0, 0, 0
	}
	return n > 0, q.reachedLocked(false)
}

// takeLocked moves n bytes to samples.
func (q *queue) takeLocked(samples []int16, n int) {
	for i := range n / 2 {
		samples[i] = int16(binary.LittleEndian.Uint16(q.buf[q.head+2*i:]))
	}
	q.head += n
	q.read += uint64(n)
}

// watchLocked finds out after each span what waits without need: the delay that a
// stall of this machine or of the network has left. Only of a server that sends as
// fast as it is played; one that sends ahead wants it so.
func (q *queue) watchLocked() {
	waiting := len(q.buf) - q.head
	if q.frames == 0 || waiting < q.lowest {
		q.lowest = waiting
	}
	if q.frames++; q.frames < spanFrames {
		return
	}
	const span, tolerance = spanFrames, spanFrames / 10
	q.excess = 0
	if even := q.received / q.frameSize; even >= span-tolerance && even <= span+tolerance {
		q.excess = max(0, q.lowest-(q.ahead+1)*q.frameSize)
	}
	if q.calm++; q.calm >= calmSpans {
		q.calm, q.ahead = 0, max(minAhead, q.ahead-1)
	}
	q.frames, q.received = 0, 0
}

// still reports whether nobody would miss a frame.
func still(samples []int16) bool {
	for _, s := range samples {
		if s > stillPeak || s < -stillPeak {
			return false
		}
	}
	return true
}

// reachedLocked takes the marks out whose place was reached; all is every one.
func (q *queue) reachedLocked(all bool) (payloads []json.RawMessage) {
	for len(q.marks) > 0 && (all || q.marks[0].at <= q.read+1) { // a half sample is never played
		payloads = append(payloads, q.marks[0].payload)
		q.marked -= len(q.marks[0].payload)
		q.marks = q.marks[1:]
	}
	return payloads
}

// mark puts a notify behind what waits. It reports true if nothing waits, so that
// its place is reached.
func (q *queue) mark(payload json.RawMessage) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := len(q.buf) - q.head
	if waiting == 0 && len(q.marks) == 0 {
		return true
	}
	if len(q.marks) < maxMarks && q.marked+len(payload) <= maxMarkBytes {
		q.marked += len(payload)
		q.marks = append(q.marks, mark{at: q.read + uint64(waiting), payload: payload})
	}
	return false
}

// clear drops all, and the notifies with it.
func (q *queue) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.buf, q.head, q.playing, q.skip = q.buf[:0], 0, false, false
	q.marks, q.marked = nil, 0
	q.dry, q.frames, q.received, q.excess = time.Time{}, 0, 0, 0
}

// lost returns how many frames were dropped.
func (q *queue) lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
