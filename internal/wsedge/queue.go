package wsedge

import (
	"encoding/binary"
	"encoding/json"
	"sync"
	"time"
)

const (
	// maxQueue is how much of what a server sent ahead is kept, in frames: a minute.
	maxQueue = 3072
	// maxMarks is how many notifies may wait for their place.
	maxMarks = 1024
	// minAhead is how many frames must be there before they are played, so that the
	// next ones may come a little late. It grows with what is late, up to maxAhead.
	minAhead, maxAhead = 2, 10
	// lateAfter is how long after it ran dry more of the same speech may come.
	lateAfter = 300 * time.Millisecond
	// waitAhead bounds the wait for minAhead: a short sound alone is played, too.
	waitAhead = 60 * time.Millisecond
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
	skip    bool // a half of a sample was dropped: so must be the other
	dropped uint64

	playing bool
	ahead   int       // frames to wait for
	fresh   bool      // something came since the last frame
	first   time.Time // when the oldest came, while it is not played
	dry     time.Time // when it ran dry
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
		if q.ahead < maxAhead && !q.dry.IsZero() && now.Sub(q.dry) < lateAfter {
			q.ahead += 2
		}
	}
	if q.head > 0 && q.head >= waiting { // moving costs less than what was read
		q.buf = q.buf[:copy(q.buf, q.buf[q.head:])]
		q.head = 0
	}
	n := min(len(data), maxQueue*q.frameSize-waiting)
	q.buf = append(q.buf, data[:n]...)
	q.fresh = true
	if over := len(data) - n; over > 0 {
		q.skip = over%2 == 1
		q.dropped += uint64(over+q.frameSize-1) / uint64(q.frameSize)
	}
}

// frame fills pcm with the next 20 ms and reports whether there are any; reached
// are the notifies whose place came.
func (q *queue) frame(pcm []int16, now time.Time) (said bool, reached []json.RawMessage) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := len(q.buf) - q.head
	if !q.playing && waiting > 0 && (waiting >= q.ahead*q.frameSize || now.Sub(q.first) >= max(waitAhead, time.Duration(q.ahead)*20*time.Millisecond)) {
		q.playing = true
	}
	fresh := q.fresh
	q.fresh = false
	n := min(waiting, q.frameSize) &^ 1
	if !q.playing || n < q.frameSize && fresh { // the rest of the frame may be on its way
		return false, q.reachedLocked(waiting == 0)
	}
	clear(pcm)
	for i := range n / 2 {
		pcm[i] = int16(binary.LittleEndian.Uint16(q.buf[q.head+2*i:]))
	}
	q.head += n
	q.read += uint64(n)
	if len(q.buf)-q.head < 2 {
		q.playing, q.dry = false, now
	}
	return n > 0, q.reachedLocked(false)
}

// reachedLocked takes the marks out whose place was reached; all is every one.
func (q *queue) reachedLocked(all bool) (payloads []json.RawMessage) {
	for len(q.marks) > 0 && (all || q.marks[0].at <= q.read+1) { // a half sample is never played
		payloads = append(payloads, q.marks[0].payload)
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
	if len(q.marks) < maxMarks {
		q.marks = append(q.marks, mark{at: q.read + uint64(waiting), payload: payload})
	}
	return false
}

// clear drops all, and the notifies with it.
func (q *queue) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.buf, q.head, q.marks, q.playing, q.skip = q.buf[:0], 0, nil, false, false
	q.dry = time.Time{}
}

// lost returns how many frames were dropped.
func (q *queue) lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
