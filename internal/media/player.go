package media

import (
	"log/slog"
	"sync"
	"time"
	"weak"

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
	events   Events
	log      *slog.Logger
	files    Files
	ringback core.Sound // stands in for music
	clips    clips      // belongs to the goroutine

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
	leg    core.LegID
	sound  core.Sound
	out    *output
	to     Format
	search *search   // of a file, nil when it is over
	ends   time.Time // of the silence in place of an announcement; zero if it has none
	clip   *clip     // nil is silence
	n      int       // packets of it so far
	due    time.Time // of the next packet
	begun  bool      // at is set
	at     uint32    // its timestamp
	packed Packet
	buf    [HeaderRoom + MaxPayload + TailRoom]byte
}

func newPlayer(c Config, pool *codec.Pool) *player {
	return &player{
		events: c.Events, log: c.Log, files: c.Files,
		ringback: core.Sound{Kind: core.SoundRingback, Name: c.Ringback},
		clips:    clips{sources: sources{c.Prompt}, pool: pool, kept: make(map[clipKey]*clip)},
	}
}

// play begins a sound for leg and makes it the owner of out.
func (y *player) play(leg core.LegID, sound core.Sound, out *output, to Format) {
	p := &playing{leg: leg, sound: sound, out: out, to: to}
	out.own(&p.right)
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.closed {
		return
	}
	y.fresh = append(y.fresh, p)
	if !y.running {
		y.running = true
		y.wg.Go(y.run)
	}
}

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
			if y.advance(p, now) {
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
	fresh := y.fresh
	y.fresh = nil
	y.running = len(list)+len(fresh) > 0 && !y.closed
	more = y.running
	y.mu.Unlock()
	for _, p := range fresh {
		p.due = now
		switch p.sound.Kind {
		case core.SoundFile, core.SoundMusic:
			p.search = find(y.files, p.sound.Name, now)
		default:
			if err := y.begin(p, content{sound: p.sound}, now); err != nil {
				y.log.Error("sound left out", "leg", string(p.leg), "sound", p.sound.Name, "error", err)
				p.ends = now.Add(failedFor)
			}
		}
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

// choose sees to a sound that is a file, as far as it is known: it is played when
// it is there. Until then, and if it never comes, callers who wait for music hear
// ringback, and others nothing.
func (y *player) choose(p *playing, now time.Time) {
	music := p.sound.Kind == core.SoundMusic
	found := p.search.found.Load()
	if found == nil {
		if music && p.clip == nil && now.Sub(p.search.begun) >= patience {
			y.standIn(p, now)
		}
		return
	}
	p.search = nil
	err := found.err
	if err == nil {
		err = y.begin(p, content{p.sound, weak.Make(found.pcm)}, now)
	}
	if err == nil {
		return
	}
	y.log.Warn("a sound cannot be played", "leg", string(p.leg), "error", err)
	switch {
	case !music:
		p.ends = now.Add(failedFor)
	case p.clip == nil:
		y.standIn(p, now)
	}
}

// standIn plays ringback in place of music.
func (y *player) standIn(p *playing, now time.Time) {
	if err := y.begin(p, content{sound: y.ringback}, now); err != nil {
		y.log.Error("no ringback either", "leg", string(p.leg), "error", err)
	}
}

// advance sends what of p is due and reports whether it goes on.
func (y *player) advance(p *playing, now time.Time) bool {
	if p.out.owner.Load() != &p.right {
		return false
	}
	if p.search != nil {
		y.choose(p, now)
	}
	switch {
	case p.clip != nil:
		return y.stream(p, now)
	case !p.ends.IsZero() && !now.Before(p.ends):
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
		if p.out.owner.Load() != &p.right {
			return false
		}
		payload, ok := y.clips.payload(p.clip, p.n)
		if !ok {
			y.over(p)
			return false
		}
		y.clips.finish(p.clip, p.to.Codec)
		p.send(payload, now)
		p.n++
		p.due = p.due.Add(length)
		p.at += step
	}
	return true
}

// over reports the end of a sound that was not replaced.
func (y *player) over(p *playing) {
	if !p.out.resign(&p.right) {
		return
	}
	if err := y.events.Post(core.Played{Leg: p.leg, Sound: p.sound}); err != nil {
		y.log.Debug("event not taken", "error", err)
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
