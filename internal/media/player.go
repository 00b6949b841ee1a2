package media

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/codec"
)

const (
	// beat is the player's step. Sounds begin at any beat, so that the packets of
	// many legs, 20 ms long, do not all fall together.
	beat = 5 * time.Millisecond
	// maxBehind is what the player catches up after a stall; behind that it goes on
	// from the present, because a burst would only overflow the far end's buffer.
	maxBehind = 100 * time.Millisecond
)

// player sends sounds to legs. One goroutine serves all of them, while there is
// something to play: at 1000 sounds a goroutine and a timer for each would cost
// more in wake-ups than the packets themselves. Each sound keeps to an absolute
// schedule, so that packets count its time, not timers.
type player struct {
	stage *stage
	clips clips // belongs to the goroutine

	mu      sync.Mutex // guards what follows; never held while packets are sent
	fresh   []*playing // not yet taken over by the goroutine
	running bool
	closed  bool
	wg      sync.WaitGroup
}

// playing is one sound on its way to one leg. It ends when it is over, or when
// its output has another owner.
type playing struct {
	right  feeder
	sound  core.Sound
	out    *output
	to     Format
	ended  atomic.Bool  // it is over, unless it was replaced
	passed atomic.Int64 // nanoseconds of it that were played

	// What follows belongs to the player's goroutine.
	cue    cue
	clip   *clip     // nil is silence
	n      int       // packets of it so far
	due    time.Time // of the next packet
	begun  bool      // at is set
	at     uint32    // its timestamp
	packed Packet
	buf    [HeaderRoom + MaxPayload + TailRoom]byte
}

func newPlayer(g *stage, pool *codec.Pool) *player {
	return &player{stage: g, clips: clips{sources: g.sources, pool: pool, kept: make(map[clipKey]*clip)}}
}

// play begins a sound for leg and makes it the owner of out.
func (y *player) play(leg core.LegID, sound core.Sound, out *output, to Format) *playing {
	p := &playing{sound: sound, out: out, to: to, cue: y.stage.cue(leg, sound, time.Now())}
	out.own(&p.right)
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.closed {
		return p
	}
	y.fresh = append(y.fresh, p)
	if !y.running {
		y.running = true
		y.wg.Add(1)
		// Not at once: the ringback of a call that is answered at once is never played.
		time.AfterFunc(beat, func() { defer y.wg.Done(); y.run() })
	}
	return p
}

// plays reports whether p plays sound to out in format to.
func (p *playing) plays(sound core.Sound, out *output, to Format) bool {
	return p != nil && p.sound == sound && p.out == out && p.to == to && out.owner.Load() == &p.right
}

// replaced reports whether the output has another owner.
func (p *playing) replaced() bool { return p.out.owner.Load() != &p.right }

// over reports whether p came to its end; who replaced it before does not ask.
func (p *playing) over() bool { return p.ended.Load() && p.replaced() }

// close ends all sounds, which nobody owns any more, and waits for the goroutine.
func (y *player) close() {
	y.mu.Lock()
	y.closed = true
	y.mu.Unlock()
	y.wg.Wait()
}

// run beats until no sound is left.
func (y *player) run() {
	var list []*playing
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		<-timer.C
		now := time.Now()
		var more bool
		if list, more = y.join(list, now); !more {
			return
		}
		kept := list[:0]
		for _, p := range list {
			if y.keep(p, now) {
				kept = append(kept, p)
			}
		}
		clear(list[len(kept):])
		list = kept
		if next = next.Add(beat); next.Before(now) {
			next = now
		}
		timer.Reset(time.Until(next))
	}
}

// join adds the new sounds to list; more is false if there is nothing to play,
// and then the goroutine must end.
func (y *player) join(list []*playing, now time.Time) (joined []*playing, more bool) {
	y.mu.Lock()
	fresh := slices.DeleteFunc(y.fresh, (*playing).replaced)
	y.fresh = nil
	y.running = len(list)+len(fresh) > 0 && !y.closed
	more = y.running
	y.mu.Unlock()
	for _, p := range fresh {
		p.due = now
		list = append(list, p)
	}
	return list, more
}

// begin lets p play something from its beginning.
func (y *player) begin(p *playing, what content, now time.Time) error {
	made, err := y.clips.open(what, p.to)
	if err != nil {
		return err
	}
	if p.clip == nil {
		p.due = now
	}
	p.clip, p.n = made, 0
	return nil
}

// advance sends what of p is due and reports whether it goes on.
func (y *player) advance(p *playing, now time.Time) bool {
	if p.replaced() {
		return false
	}
	for what, news := y.stage.next(&p.cue, now); news; {
		err := y.begin(p, what, now)
		if news = err != nil && !p.cue.standing; news {
			what, news = y.stage.fail(&p.cue, err, now)
		}
	}
	switch {
	case p.clip != nil:
		return y.stream(p, now)
	case p.cue.silenced(now):
		y.over(p)
		return false
	}
	return true
}

// stream sends the packets of p's clip that are due and reports whether there are
// more.
func (y *player) stream(p *playing, now time.Time) bool {
	length := time.Duration(p.clip.frame) * time.Second / time.Duration(p.clip.source.rate)
	step := uint32(int64(length) * int64(p.to.Codec.ClockRate()) / int64(time.Second))
	if late := now.Sub(p.due); late > maxBehind {
		skipped := int(late / length)
		p.due = p.due.Add(late - late%length)
		p.at += uint32(skipped) * step
	}
	for !p.due.After(now) {
		if p.replaced() {
			return false
		}
		payload, ok := y.clips.payload(p.clip, p.n)
		if rounds := p.cue.rounds(); !ok || rounds > 1 && p.n >= rounds*p.clip.total {
			y.over(p)
			return false
		}
		y.clips.finish(p.clip, p.to.Codec)
		p.send(payload, now)
		p.n++
		p.passed.Store(int64(p.n) * int64(length))
		p.due = p.due.Add(length)
		p.at += step
	}
	return true
}

// over reports the end of a sound that was not replaced.
func (y *player) over(p *playing) {
	p.ended.Store(true)
	if p.out.resign(&p.right) {
		y.stage.played(&p.cue)
	}
}

// send sends one packet.
func (p *playing) send(payload []byte, now time.Time) {
	ok, first := p.out.enter(&p.right)
	if !ok {
		return
	}
	defer p.out.leave()
	if !p.begun {
		p.begun, p.at = true, p.out.now(now, p.to.Codec.ClockRate())
	}
	if len(payload) == 0 {
		return
	}
	p.packed = Packet{Buf: p.buf[:], Len: len(payload), Type: p.to.SendType, Marker: first, Seq: p.out.seq + 1, Timestamp: p.at}
	copy(p.packed.Payload(), payload)
	p.out.send(&p.packed, now)
}
