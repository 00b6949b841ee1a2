package media

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/media/jitter"
)

// fuse is a path to which sending panics while it burns.
type fuse struct {
	deaf
	burning atomic.Bool
}

func (f *fuse) Send(p *Packet) {
	if f.burning.Load() {
		panic("a fault of ours")
	}
	f.deaf.Send(p)
}

// TestPanicCostsOneLeg lets the work for one listener panic, whoever does it: another
// one, who hears the same, hears on, and so does the first as soon as it works again.
func TestPanicCostsOneLeg(t *testing.T) {
	voice := func(n int) time.Duration { return time.Duration(n) * 20 * time.Millisecond }
	jittery := func(n int) time.Duration { return voice(n) + time.Duration(n*7%5)*15*time.Millisecond }
	from := func(legs ...core.LegID) core.Hear { return core.Hear{From: legs} }
	for _, c := range []struct {
		name    string
		to      Codec
		row     core.Hear
		when    func(n int) time.Duration // packet n of the speakers comes
		forever bool                      // what panicked is not heard again
	}{
		{"relay", PCMU, from("ann"), voice, false},
		{"transcoder", PCMA, from("ann"), voice, false},
		{"smoother", PCMA, from("ann"), jittery, false},
		{"mixer", PCMU, from("ann", "ben"), voice, false},
		{"player", PCMU, core.Hear{Sound: core.Sound{Kind: core.SoundHold}}, voice, true},
		{"sound over a voice", PCMU, core.Hear{From: []core.LegID{"ann"}, Over: [core.InjectSlots]core.Sound{{Kind: core.SoundHold}}}, voice, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := NewServer(Config{})
				defer s.Close()
				bad, good := &fuse{deaf: deaf{format: Format{Codec: c.to, PTime: 20}}}, &deaf{format: Format{Codec: c.to, PTime: 20}}
				s.Attach("bad", bad)
				s.Attach("good", good)
				for _, leg := range []core.LegID{"ann", "ben"} {
					s.Attach(leg, &deaf{format: Format{Codec: PCMU, PTime: 20}})
					go speak(s, leg, c.when)
				}
				for _, leg := range []core.LegID{"bad", "good"} {
					c.row.Leg = leg
					s.Do(c.row)
				}
				heard := func() (byBad, byGood uint64) {
					before := [2]uint64{bad.sent.Load(), good.sent.Load()}
					time.Sleep(2*time.Second + 3*time.Millisecond)
					synctest.Wait()
					return bad.sent.Load() - before[0], good.sent.Load() - before[1]
				}
				if byBad, byGood := heard(); byBad < 90 || byGood < 90 {
					t.Fatalf("before: %d and %d packets", byBad, byGood)
				}
				bad.burning.Store(true)
				if byBad, byGood := heard(); byBad != 0 || byGood < 90 || s.Panics() == 0 {
					t.Errorf("%d and %d packets, %d panics", byBad, byGood, s.Panics())
				}
				bad.burning.Store(false)
				panics := s.Panics()
				if byBad, byGood := heard(); byBad < 90 != c.forever || byGood < 90 || s.Panics() != panics {
					t.Errorf("after: %d and %d packets, %d more panics", byBad, byGood, s.Panics()-panics)
				}
				time.Sleep(4 * time.Second) // the speakers end
			})
		})
	}
}

// speak sends packets of leg's party for nine seconds.
func speak(s *Server, leg core.LegID, when func(n int) time.Duration) {
	begin := time.Now().Add(time.Duration(leg[0]) * 100 * time.Microsecond) // nobody meets anybody at one instant
	s.mu.Lock()
	m := s.legs[leg]
	s.mu.Unlock()
	p := Packet{Buf: make([]byte, HeaderRoom+MaxPayload+TailRoom), Len: 160}
	for i := range p.Payload() {
		p.Payload()[i] = byte(i)
	}
	for n := range 450 {
		time.Sleep(time.Until(begin.Add(when(n))))
		p.Seq, p.Timestamp = uint16(n), uint32(160*n)
		m.receive(&p)
	}
}

// Who waits for the end of a sound hears of it, also if it could not be played.
func TestSoundThatPanicsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reports := make(posts, 10)
		s := NewServer(Config{Events: reports, Prompt: func(string) (file.PCM, bool) { panic("a fault of ours") }})
		defer s.Close()
		s.Attach("ann", &deaf{format: Format{Codec: PCMU, PTime: 20}})
		prompt := core.Sound{Kind: core.SoundPrompt, Name: "hello"}
		for _, row := range []core.Hear{
			{Leg: "ann", Sound: prompt}, {Leg: "ann", Over: [core.InjectSlots]core.Sound{prompt}},
		} {
			begin := time.Now()
			s.Do(row)
			if ev := <-reports; ev != (core.Played{Leg: "ann", Sound: prompt}) || time.Since(begin) < failedFor {
				t.Errorf("%v after %v", ev, time.Since(begin))
			}
			s.Do(core.Hear{Leg: "ann"})
		}
		if s.Panics() != 2 {
			t.Errorf("%d panics", s.Panics())
		}
	})
}

// posts collects events.
type posts chan core.Event

func (p posts) Post(ev core.Event) error { p <- ev; return nil }

// bomb is a decoder that panics.
type bomb struct{ codec.Decoder }

func (bomb) Decode([]int16, []byte) (int, error) { panic("a fault of ours") }

// A speaker whose packets cannot be decoded is not heard until his decoder was made
// anew; the others are.
func TestPanicCostsOneSpeaker(t *testing.T) {
	h := newHall(t, 4, PCMU, everybody)
	bad := h.members[1].tap
	bad.dec = bomb{}
	bad.buffer = jitter.New(jitter.Config{Rate: bad.rate, Clock: 8000}, bad.dec)
	for range 20 {
		h.step()
	}
	if n := h.s.Panics(); n == 0 || n > 20 {
		t.Errorf("%d panics", n)
	}
	if _, still := bad.dec.(bomb); still || !bad.fresh || !bad.voiced {
		t.Errorf("he is not heard again: decoder %T", bad.dec)
	}
	for i, m := range h.members {
		if sent := m.path.(*deaf).sent.Load(); sent < 2*shareAfter+20 {
			t.Errorf("%d got %d packets", i, sent)
		}
	}
}
