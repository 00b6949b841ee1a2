package wsedge

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// counting returns n samples from first on.
func counting(first, n int) []byte {
	var b []byte
	for i := range n {
		b = binary.LittleEndian.AppendUint16(b, uint16(first+i))
	}
	return b
}

// listen plays n frames of 20 ms from start on and returns what was said.
func listen(q *queue, start time.Time, n int) (said []int16, frames []bool) {
	pcm := make([]int16, q.frameSize/2)
	for i := range n {
		ok, _ := q.frame(pcm, start.Add(time.Duration(i)*20*time.Millisecond))
		frames = append(frames, ok)
		if ok {
			said = append(said, pcm...)
		}
	}
	return said, frames
}

func TestPiecesOfAnySizeBecomeFrames(t *testing.T) {
	now := time.Now()
	for _, size := range []int{1, 3, 319, 320, 321, 641, 5000} {
		q := newQueue(160)
		all := counting(1, 1600)
		for piece := range slices.Chunk(all, size) {
			q.put(piece, now)
		}
		said, _ := listen(q, now, 12)
		if len(said) != 1600 || said[0] != 1 || said[799] != 800 || said[1599] != 1600 {
			t.Errorf("in pieces of %d bytes: %d samples", size, len(said))
		}
	}
}

func TestTheNewestIsDroppedBeyondAMinute(t *testing.T) {
	q, now := newQueue(160), time.Now()
	for i := range maxQueue {
		q.put(counting(i, 160), now)
	}
	if q.lost() != 0 {
		t.Fatalf("%d frames dropped of %d", q.lost(), maxQueue)
	}
	q.put(counting(9999, 160)[:319], now) // half a sample short
	q.put(counting(9999, 160)[319:], now)
	if q.lost() != 1 {
		t.Errorf("%d frames dropped, want 1", q.lost())
	}
	pcm := make([]int16, 160)
	for i := range maxQueue {
		if ok, _ := q.frame(pcm, now.Add(time.Duration(i)*20*time.Millisecond)); !ok || pcm[0] != int16(i) {
			t.Fatalf("frame %d begins with %d, %v", i, pcm[0], ok)
		}
		if i == 0 {
			q.put(counting(7000, 160), now)
		}
	}
	if ok, _ := q.frame(pcm, now.Add(2*time.Minute)); !ok || pcm[0] != 7000 || pcm[159] != 7159 {
		t.Errorf("what came behind the gap is %d, %v: samples are cut in halves", pcm[0], ok)
	}
}

func TestHiccupsOfTheNetworkAreBridged(t *testing.T) {
	q, start := newQueue(160), time.Now()
	var gaps []int
	pcm := make([]int16, 160)
	playing := false
	sent := 0
	for tick := range 500 { // 10 s; every second the network holds everything back for 100 ms
		now := start.Add(time.Duration(tick) * 20 * time.Millisecond)
		if held := tick%50 > 44; !held {
			for ; sent <= tick; sent++ {
				q.put(counting(sent, 160), now)
			}
		}
		ok, _ := q.frame(pcm, now.Add(10*time.Millisecond))
		if playing && !ok {
			gaps = append(gaps, tick)
		}
		playing = playing || ok
	}
	if len(gaps) > 0 && gaps[len(gaps)-1] > 100 {
		t.Errorf("still gaps after 2 s: %v", gaps)
	}
	if len(gaps) > 15 {
		t.Errorf("%d gaps: %v", len(gaps), gaps)
	}
}

// A server that sends what it hears has sent a second when this machine wakes from a
// stall. The delay goes in the next pauses of speech, and not a word is lost.
func TestDelayOfAStallGoesInPauses(t *testing.T) {
	q, start := newQueue(160), time.Now()
	frame := func(i int) []byte {
		if i%50 >= 40 { // 200 ms of silence in each second
			return make([]byte, 320)
		}
		b := counting(0, 160)
		for j := range 160 {
			binary.LittleEndian.PutUint16(b[2*j:], uint16(1000+i)) // its number, louder than silence
		}
		return b
	}
	pcm := make([]int16, 160)
	next, waiting := 0, 0
	for tick := range 2000 { // 40 s
		now := start.Add(time.Duration(tick) * 20 * time.Millisecond)
		q.put(frame(tick), now)
		if tick >= 100 && tick < 150 {
			continue // the stall
		}
		ok, _ := q.frame(pcm, now.Add(time.Millisecond))
		if waiting = (len(q.buf) - q.head) / 320; tick == 151 && waiting < 50 {
			t.Fatalf("%d frames wait after the stall", waiting)
		}
		if n := int(pcm[0]) - 1000; ok && n >= 0 {
			for next%50 >= 40 {
				next++
			}
			if n != next {
				t.Fatalf("at %d frame %d is played, want %d", tick, n, next)
			}
			next++
		}
	}
	if waiting > minAhead+3 {
		t.Errorf("%d frames still wait", waiting)
	}
}

// Servers that send ahead get every sample played, silence too.
func TestWhatIsSentAheadIsPlayedWhole(t *testing.T) {
	for name, put := range map[string]func(q *queue, tick int, now time.Time){
		"all at once": func(q *queue, tick int, now time.Time) {
			if tick == 0 {
				q.put(make([]byte, 320*1000), now)
			}
		},
		"twice as fast": func(q *queue, tick int, now time.Time) {
			if tick < 500 {
				q.put(make([]byte, 640), now)
			}
		},
	} {
		q, now, played := newQueue(160), time.Now(), 0
		pcm := make([]int16, 160)
		for tick := range 1100 {
			now = now.Add(20 * time.Millisecond)
			put(q, tick, now)
			if ok, _ := q.frame(pcm, now); ok {
				played++
			}
		}
		if played != 1000 {
			t.Errorf("%s: %d of 1000 frames were played", name, played)
		}
	}
}

func TestWhatMustBeThereShrinksAgain(t *testing.T) {
	q, now := newQueue(160), time.Now()
	q.ahead = maxAhead
	pcm := make([]int16, 160)
	for range 2 * maxAhead * calmSpans * spanFrames {
		now = now.Add(20 * time.Millisecond)
		q.put(make([]byte, 320), now)
		q.frame(pcm, now)
	}
	if waiting := (len(q.buf) - q.head) / 320; q.ahead != minAhead || waiting > minAhead+2 {
		t.Errorf("%d frames must be there, %d wait", q.ahead, waiting)
	}
}

func TestAShortSoundIsPlayedToItsEnd(t *testing.T) {
	q, now := newQueue(160), time.Now()
	q.put(counting(1, 100), now)
	said, frames := listen(q, now, 8)
	if len(said) != 160 || said[99] != 100 || said[100] != 0 || frames[0] {
		t.Errorf("%d samples, %v", len(said), frames)
	}
}

func TestNotifiesComeAtTheirPlace(t *testing.T) {
	q, now := newQueue(160), time.Now()
	if !q.mark(json.RawMessage(`0`)) {
		t.Error("with nothing to play it is not reached at once")
	}
	q.put(counting(1, 320), now)
	if q.mark(json.RawMessage(`1`)) {
		t.Error("reached before it was played")
	}
	q.put(counting(1, 80), now)
	q.mark(json.RawMessage(`2`))
	q.mark(json.RawMessage(`3`))
	var got []string
	pcm := make([]int16, 160)
	for i := range 6 {
		_, reached := q.frame(pcm, now.Add(time.Duration(i)*20*time.Millisecond))
		got = append(got, fmt.Sprintf("%s", reached))
	}
	if want := []string{"[]", "[1]", "[]", "[]", "[]", "[]"}; !slices.Equal(got[:2], want[:2]) || !slices.Contains(got[2:], "[2 3]") {
		t.Errorf("%q", got)
	}
}

// Notifies that wait, and answers that nobody reads, take a megabyte and no more.
func TestTextsAreBounded(t *testing.T) {
	long := json.RawMessage(`"` + strings.Repeat("x", maxText-2) + `"`)
	q := newQueue(160)
	for range 2 { // what was played makes room again
		q.put(make([]byte, 640), time.Now())
		for range maxMarks {
			q.mark(long)
		}
		if q.marked > maxMarkBytes || len(q.marks) != maxMarkBytes/maxText {
			t.Errorf("%d notifies of %d bytes wait", len(q.marks), q.marked)
		}
		q.reachedLocked(true)
	}
	var o outbox
	o.init()
	for range 2 {
		sent := 0
		for range maxTexts {
			o.text(long)
		}
		for _, ok := o.next(); ok; _, ok = o.next() {
			sent++
		}
		if sent != maxTextBytes/maxText || o.written != 0 {
			t.Errorf("%d answers waited; %d bytes are left of none", sent, o.written)
		}
	}
}

func TestClearDropsAudioAndNotifies(t *testing.T) {
	q, now := newQueue(160), time.Now()
	q.put(counting(1, 3200), now)
	q.mark(json.RawMessage(`1`))
	q.clear()
	pcm := make([]int16, 160)
	for i := range 5 {
		if ok, reached := q.frame(pcm, now.Add(time.Duration(i)*20*time.Millisecond)); ok || len(reached) > 0 {
			t.Errorf("frame %d: %v, %s", i, ok, reached)
		}
	}
	if !q.mark(json.RawMessage(`2`)) {
		t.Error("there is nothing to play, but a notify waits")
	}
}

func FuzzQueue(f *testing.F) {
	f.Add([]byte{1, 2, 3, 200, 7})
	f.Fuzz(func(t *testing.T, sizes []byte) {
		q, now := newQueue(160), time.Now()
		pcm := make([]int16, 160)
		marked, reached := 0, 0
		for i, size := range sizes {
			now = now.Add(20 * time.Millisecond)
			q.put(make([]byte, int(size)*7), now)
			if i%3 == 0 {
				marked++
				if q.mark(json.RawMessage(`1`)) {
					reached++
				}
			}
			_, r := q.frame(pcm, now)
			reached += len(r)
		}
		for range maxQueue + 20 {
			now = now.Add(20 * time.Millisecond)
			_, r := q.frame(pcm, now)
			reached += len(r)
		}
		if reached != marked {
			t.Errorf("%d of %d notifies were answered", reached, marked)
		}
	})
}
