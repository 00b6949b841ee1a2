package media

import (
	"slices"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/media/jitter"
)

const (
	// smoothMargin is what a packet may come later than the latest so far.
	smoothMargin = 5 * time.Millisecond
	// minBeat is how long the pacer sleeps at least: what is due meanwhile for many
	// legs costs one wake-up.
	minBeat = 2 * time.Millisecond
	// spareTime is how long packets may wait beyond that. The buffer itself keeps
	// nearly as much as a reserve.
	spareTime = 10 * time.Millisecond
	// steady is for how many steps a pace is kept.
	steady = 50
	// calmLateness is how evenly packets come when they need no buffer any more.
	calmLateness = 4 * time.Millisecond
	// calmSteps is for how many steps of 20 ms that must last.
	calmSteps = 250
	// calmPeak is the loudest sample of a moment in which the buffer's delay can be
	// left out unheard, -40 dB.
	calmPeak = 330
)

// smoother plays a speaker's packets at an even pace for a transcoder: they wait
// in a jitter buffer for as long as the network's jitter asks for. It ends in the
// first silent moment after some seconds of even arrival without comfort noise,
// which nobody but a smoother has the clock to make.
type smoother struct {
	t     *transcoder
	inbox inbox // the speaker's read goroutine writes

	// What follows belongs to the pacer's goroutine.
	buffer *jitter.Buffer
	due    time.Time
	begun  bool // the buffer has played something
	waited int  // steps that it let pass before
	steps  int  // since the pace was changed
	calm   int  // steps of even arrival
}

// smooth takes over t from the goroutine that is busy with it; p is the packet at
// hand. The time that packets will wait is filled by drawing out the last sound,
// so that the listener's stream goes on without a gap, and then at an even pace.
func (y *pacer) smooth(t *transcoder, p *Packet, now time.Time) {
	late, worst := t.weather.lateness()
	delay := worst + smoothMargin
	s := &smoother{t: t, due: now.Add(delay - late)}
	s.buffer = jitter.New(jitter.Config{Rate: t.rate, Clock: t.in.Codec.ClockRate(), FEC: t.in.Codec == Opus}, t.dec)
	steps := int((delay + mixTime - 1) / mixTime)
	for range min(steps, maxConceal) {
		t.guess(now)
	}
	t.pause(max(0, steps-maxConceal) * t.rate / 50)
	s.inbox.put(p, now)
	t.smooth.Store(s)
	if !y.add(s) { // last of all: a panic above must not leave a smoother that t does not know
		s.end()
	}
}

// guess sends what the speaker may have said for 20 ms.
func (t *transcoder) guess(now time.Time) {
	pcm := t.pcm[:t.rate/50]
	if t.dec.Conceal(pcm, nil) != nil {
		clear(pcm)
	}
	t.send(pcm, now)
}

// step plays what is due at now; it is false when s has ended.
func (s *smoother) step(now time.Time) bool {
	t := s.t
	if !t.enter() {
		// The packet that made s is still at it, or has just left: whoever drops s
		// while t goes on silences the speaker for good.
		return t.use.Load() != useReleased
	}
	defer t.leave()
	ok, _ := t.out.enter(&t.right)
	if !ok {
		return t.out.owner.Load() == &t.right
	}
	defer t.out.leave()
	if late := now.Sub(s.due); late > maxBehind {
		skipped := late.Truncate(mixTime)
		s.due = s.due.Add(skipped)
		t.pause(int(skipped * time.Duration(t.rate) / time.Second))
	}
	for ; !s.due.After(now); s.due = s.due.Add(mixTime) {
		s.drain(now)
		if s.play(now); s.calm > calmSteps {
			s.end()
			return false
		}
		s.hasten()
	}
	return true
}

// drain takes what has come.
func (s *smoother) drain(now time.Time) {
	for a := s.inbox.next(); a != nil; a = s.inbox.next() {
		if s.t.isEvent(&a.Packet) {
			s.t.event(&a.Packet, now)
			s.buffer.PutEvent(a.Seq, a.SSRC)
		} else if s.t.in.isNoise(&a.Packet) {
			s.buffer.PutNoise(a.at, a.Seq, a.Timestamp, a.SSRC, a.Payload())
		} else {
			s.buffer.Put(a.at, a.Seq, a.Timestamp, a.SSRC, a.Payload())
		}
		s.inbox.taken()
	}
}

// play sends the next 20 ms.
func (s *smoother) play(now time.Time) {
	t := s.t
	pcm := t.pcm[:t.rate/50]
	speech := s.buffer.Read(s.due, pcm) == jitter.Speech
	s.begun = s.begun || speech
	switch {
	case speech:
		t.send(pcm, now)
	case !s.begun && s.waited < maxConceal:
		s.waited++
		t.guess(now)
	default:
		t.pause(len(pcm))
	}
	if s.calm++; s.buffer.Jitter() > calmLateness || s.buffer.Noise() {
		s.calm = 0
	} else if s.calm > calmSteps && speech && (slices.Max(pcm) > calmPeak || slices.Min(pcm) < -calmPeak) {
		s.calm = calmSteps // it waits for silence
	}
}

// hasten puts the pace forward if packets wait for it without need.
func (s *smoother) hasten() {
	if s.steps++; s.steps < steady {
		return
	}
	if due, ok := s.buffer.Due(); ok {
		if spare := s.due.Add(mixTime).Sub(due) - spareTime; spare > 0 {
			s.due = s.due.Add(-min(spare, mixTime/2))
			s.steps = 0
		}
	}
}

// end lets the speaker's packets pass as they come again.
func (s *smoother) end() {
	t := s.t
	t.track, t.weather = track{}, weather{}
	t.smooth.Store(nil)
}

// pacer gives the smoothers their time: one goroutine for all, while there are any.
type pacer struct {
	stage *stage

	mu      sync.Mutex  // guards what follows; never held while packets are sent
	fresh   []*smoother // not yet taken over by the goroutine
	running bool
	closed  bool
	wg      sync.WaitGroup
}

// add begins to step s; it is false after close.
func (y *pacer) add(s *smoother) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.closed {
		return false
	}
	y.fresh = append(y.fresh, s)
	if !y.running {
		y.running = true
		y.wg.Go(y.run)
	}
	return true
}

// close ends all steps and waits for the goroutine.
func (y *pacer) close() {
	y.mu.Lock()
	y.closed = true
	y.mu.Unlock()
	y.wg.Wait()
}

// run steps until no smoother is left.
func (y *pacer) run() {
	var list []*smoother
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		<-timer.C
		now := time.Now()
		y.mu.Lock()
		list = append(list, y.fresh...)
		y.fresh = nil
		y.running = len(list) > 0 && !y.closed
		more := y.running
		y.mu.Unlock()
		if !more {
			return
		}
		list = slices.DeleteFunc(list, func(s *smoother) bool { return !y.step(s, now) })
		next := now.Add(mixTime)
		for _, s := range list {
			if s.due.Before(next) {
				next = s.due
			}
		}
		timer.Reset(max(minBeat, time.Until(next)))
	}
}
