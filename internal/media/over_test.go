package media_test

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/media/meter"
)

// stage is a studio with sounds, and what its Server reports.
type stage struct {
	*studio
	shelf
	mu     sync.Mutex // guards what follows
	events []string
	spoken []core.Sound
}

// Post implements media.Events.
func (s *stage) Post(ev core.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch ev := ev.(type) {
	case core.Played:
		s.events = append(s.events, fmt.Sprintf("%s played %s/%d", ev.Leg, ev.Sound.Name, ev.Sound.No))
	case core.SoundFailed:
		s.events = append(s.events, fmt.Sprintf("%s failed %s: %s", ev.Leg, ev.Sound.Name, ev.Why))
	}
	return nil
}

// Speak implements media.Speaker: text is a name on the shelf.
func (s *stage) Speak(sound core.Sound, done func(*file.PCM, error)) {
	s.mu.Lock()
	s.spoken = append(s.spoken, sound)
	s.mu.Unlock()
	s.Open(sound.Name, done)
}

// expect compares what was reported since it was last asked.
func (s *stage) expect(want ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if fmt.Sprint(s.events) != fmt.Sprint(want) {
		s.t.Errorf("events %q, want %q", s.events, want)
	}
	s.events = nil
}

// onStage runs f in a stage.
func onStage(t *testing.T, f func(s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{studio: &studio{t: t, stop: make(chan struct{})}, shelf: shelf{sounds: make(map[string]*file.PCM), waiting: make(map[string][]func(*file.PCM, error))}}
		s.server = media.NewServer(media.Config{Events: s, Files: s, Speaker: s, Ringback: "de"})
		defer s.server.Close()
		defer s.speak.Wait()
		defer close(s.stop)
		f(s)
	})
}

// over is a row with injected sounds.
func over(leg core.LegID, from []core.LegID, stream, talk core.Sound) core.Hear {
	return core.Hear{Leg: leg, From: from, Over: [core.InjectSlots]core.Sound{stream, talk}}
}

func steps(hz ...float64) *file.PCM {
	pcm := &file.PCM{Rate: 16000}
	for _, f := range hz {
		pcm.Samples = append(pcm.Samples, toneAt(16000, f, 500*time.Millisecond).Samples...)
	}
	return pcm
}

// tones asserts that of the tones in all just those in want are heard in the last
// 100 ms.
func (p *phone) tones(what string, all []float64, want ...float64) {
	p.t.Helper()
	pcm := p.sound(100 * time.Millisecond)
	for _, hz := range all {
		wanted := false
		for _, w := range want {
			wanted = wanted || w == hz
		}
		if heard := len(pcm) > 0 && loudness(pcm, hz) > 1000; heard != wanted {
			p.t.Errorf("%s: %v Hz is heard with %.0f, wanted %v", what, hz, loudness(pcm, hz), wanted)
		}
	}
}

// Sounds of both slots are heard over the voice by one leg alone. What does not change
// goes on; what does begins at once.
func TestSoundsOverAVoice(t *testing.T) {
	for _, k := range []media.Codec{media.PCMU, media.G722, media.Opus} {
		t.Run(k.String(), func(t *testing.T) {
			onStage(t, func(s *stage) {
				all := []*phone{s.call("a", media.PCMU, 440), s.call("b", k, 600)}
				every := []float64{440, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000}
				b := all[1]
				s.put("up", steps(800, 1000, 1200, 1400), nil)
				s.put("hello", steps(1600, 1800, 2000), nil)
				s.put("short", toneAt(8000, 2000, 400*time.Millisecond), nil)
				s.conference(all)
				up, hello := core.Sound{Kind: core.SoundFile, Name: "up", No: 7}, core.Sound{Kind: core.SoundSpeech, Name: "hello", Language: "de-DE"}
				row := []core.LegID{"a"}
				time.Sleep(time.Second)
				b.tones("before", every, 440)
				s.server.Do(over("b", row, up, core.Sound{}))
				time.Sleep(400 * time.Millisecond)
				b.tones("stream", every, 440, 800)
				all[0].tones("the other", every, 600)
				s.server.Do(over("b", row, up, hello))
				time.Sleep(400 * time.Millisecond)
				b.tones("and talk", every, 440, 1000, 1600)
				s.server.Do(over("b", nil, up, hello)) // alone in the room
				time.Sleep(500 * time.Millisecond)
				b.tones("without the voice", every, 1200, 1800)
				short := core.Sound{Kind: core.SoundSpeech, Name: "short"}
				s.server.Do(over("b", row, up, short))
				time.Sleep(350 * time.Millisecond)
				b.tones("talk replaced", every, 440, 1400, 2000)
				time.Sleep(700 * time.Millisecond)
				b.tones("all over", every, 440)
				s.expect("b played short/0", "b played up/7")
				s.server.Do(over("b", row, up, core.Sound{})) // what is over stays over
				time.Sleep(400 * time.Millisecond)
				b.tones("still over", every, 440)
				up.No++
				s.server.Do(over("b", row, up, core.Sound{}))
				time.Sleep(400 * time.Millisecond)
				b.tones("once more", every, 440, 800)
				s.server.Do(core.Hear{Leg: "b", From: row})
				time.Sleep(200 * time.Millisecond)
				b.tones("stopped", every, 440)
				s.expect()
				if slips, gap := b.faults(); len(slips) > 0 || gap > 60*time.Millisecond {
					t.Errorf("faults %v, longest time without a packet %v", slips, gap)
				}
				if s.spoken[0] != hello {
					t.Errorf("spoken: %v", s.spoken)
				}
			})
		})
	}
}

// Nothing is heard of the change from relay to mix and back: a tone, over which
// silence is played, stays pure; the mix ends in a pause. Decoders that
// remember begin anew with the mix: a tone is clear again after half a second.
func TestVoiceHasNoGlitchWhenSoundsComeAndGo(t *testing.T) {
	changes := 12
	if underRace {
		changes = 2
	}
	for _, pair := range [][2]media.Codec{{media.PCMU, media.PCMU}, {media.PCMA, media.PCMU}, {media.G722, media.PCMU}, {media.Opus, media.PCMU}, {media.G722, media.G722}} {
		t.Run(pair[0].String()+" to "+pair[1].String(), func(t *testing.T) {
			onStage(t, func(s *stage) {
				const freq = 437
				all := []*phone{s.call("a", pair[0], freq), s.call("b", pair[1], 0)}
				a, b := all[0], all[1]
				s.put("x", toneAt(8000, 2000, 900*time.Millisecond), nil)
				s.conference(all)
				time.Sleep(time.Second)
				b.forget()
				time.Sleep(time.Second)
				for n := range changes {
					time.Sleep(time.Duration(7*n) * time.Millisecond) // at any time between two packets
					silence := core.Sound{Kind: core.SoundFile, Name: "x", Level: -10, No: uint32(n)}
					s.server.Do(over("b", []core.LegID{"a"}, silence, core.Sound{}))
					for i := range 3 {
						length, hush := 900*time.Millisecond, 80
						if pair[0] == media.G722 || pair[0] == media.Opus {
							length, hush = 450*time.Millisecond, 240
						}
						time.Sleep(500 * time.Millisecond)
						pcm := b.sound(length)
						if g, p := meter.Glitches(pcm, 8000, freq), meter.Purity(pcm, 8000, freq); (g > 0 || p < 0.95) && (i > 0 || hush == 80) {
							t.Errorf("change %d: %d glitches, purity %.4f", n, g, p)
						}
						b.mu.Lock()
						if b.hushed > hush {
							t.Errorf("change %d: %d samples of silence", n, b.hushed)
						}
						b.mu.Unlock()
					}
					s.expect(fmt.Sprintf("b played x/%d", n))
					s.server.Do(core.Hear{Leg: "b", From: []core.LegID{"a"}})
					a.speaks(0)
					time.Sleep(1500 * time.Millisecond)
					a.speaks(freq)
					time.Sleep(1500 * time.Millisecond) // relayed again; the tone fills the window
					b.mu.Lock()
					b.hushed = 0
					b.mu.Unlock()
				}
				if slips, gap := b.faults(); len(slips) > 0 || gap > 70*time.Millisecond {
					t.Errorf("faults %v, longest time without a packet %v", slips, gap)
				}
			})
		})
	}
}

// speaks changes the tone that p speaks.
func (p *phone) speaks(freq float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.freq = freq
}

// A sound over another one: that goes on where it was, under it and alone.
func TestSoundOverASound(t *testing.T) {
	onStage(t, func(s *stage) {
		every := []float64{800, 1000, 1200, 1400, 2000}
		a := s.call("a", media.PCMA, 0)
		s.put("up", steps(800, 1000, 1200, 1400), nil)
		s.put("over", toneAt(8000, 2000, 450*time.Millisecond), nil)
		base := core.Hear{Leg: "a", Sound: announcement("up")}
		s.server.Do(base)
		time.Sleep(700 * time.Millisecond)
		a.tones("alone", every, 1000)
		both := base
		both.Over[core.InjectTalk] = announcement("over")
		s.server.Do(both)
		time.Sleep(200 * time.Millisecond)
		a.tones("over", every, 1000, 2000)
		time.Sleep(200 * time.Millisecond)
		a.tones("over", every, 1200, 2000)
		time.Sleep(250 * time.Millisecond)
		a.tones("behind", every, 1200)
		both.Over = base.Over
		s.server.Do(both)
		time.Sleep(300 * time.Millisecond)
		a.tones("alone again", every, 1400)
		time.Sleep(time.Second)
		s.expect("a played over/0", "a played up/0")
		a.forget()
		s.server.Attach("a", a) // nothing new
		time.Sleep(300 * time.Millisecond)
		a.tones("behind all", every)
	})
}

// What is injected into silence is heard by many for the price of one, and goes on
// when a voice joins it, and when that leaves.
func TestSoundAloneThenOverAVoice(t *testing.T) {
	onStage(t, func(s *stage) {
		every := []float64{600, 800, 1000, 1200, 1400}
		a := s.call("a", media.PCMU, 0)
		s.call("b", media.PCMA, 600)
		s.put("up", steps(800, 1000, 1200, 1400), nil)
		s.server.Do(over("a", nil, announcement("up"), core.Sound{}))
		time.Sleep(700 * time.Millisecond)
		a.tones("alone", every, 1000)
		s.server.Do(over("a", []core.LegID{"b"}, announcement("up"), core.Sound{}))
		time.Sleep(500 * time.Millisecond)
		a.tones("over the voice", every, 600, 1200)
		s.server.Do(over("a", nil, announcement("up"), core.Sound{}))
		time.Sleep(500 * time.Millisecond)
		a.tones("alone again", every, 1400)
		time.Sleep(500 * time.Millisecond)
		s.expect("a played up/0")
		s.server.Do(over("a", []core.LegID{"b"}, announcement("up"), core.Sound{}))
		time.Sleep(300 * time.Millisecond)
		a.tones("the voice alone", every, 600)
		s.server.Do(over("a", nil, announcement("up"), core.Sound{}))
		time.Sleep(300 * time.Millisecond)
		a.forget()
		s.server.Do(over("a", nil, core.Sound{Kind: core.SoundBeep}, core.Sound{}))
		time.Sleep(time.Second)
		s.expect("a played /0")
		s.server.Do(over("a", []core.LegID{"b"}, core.Sound{Kind: core.SoundBeep}, core.Sound{})) // it is over
		time.Sleep(300 * time.Millisecond)
		a.tones("the voice again", every, 600)
		s.expect()
		if slips, _ := a.faults(); len(slips) > 0 {
			t.Errorf("faults %v", slips)
		}
	})
}

// Level and loops are the same whoever plays: alone, over silence, to a recorder.
func TestLevelAndLoops(t *testing.T) {
	for _, c := range []struct {
		level int8
		db    float64
	}{{-10, -math.MaxInt16}, {-9, -18}, {-6, -12}, {-1, -2}, {0, 0}, {4, 8}, {10, 20}} {
		for name, row := range map[string]func(core.Sound) core.Hear{
			"alone": func(x core.Sound) core.Hear { return core.Hear{Leg: "a", Sound: x} },
			"over":  func(x core.Sound) core.Hear { return over("a", nil, x, core.Sound{}) },
		} {
			onStage(t, func(s *stage) {
				a := s.call("a", media.G722, 0)
				quiet := toneAt(16000, 1000, 500*time.Millisecond)
				for i := range quiet.Samples {
					quiet.Samples[i] /= 8
				}
				s.put("tone", quiet, nil)
				s.server.Do(row(core.Sound{Kind: core.SoundFile, Name: "tone", Level: c.level, Loop: 3}))
				for n := range 3 {
					time.Sleep(400 * time.Millisecond)
					got := 20 * math.Log10(loudness(a.sound(200*time.Millisecond), 1000)/1500)
					if math.Abs(got-c.db) > 0.5 && (c.level > -10 || got > -60) {
						t.Errorf("%s: level %d, round %d: %.1f dB, want %.0f", name, c.level, n, got, c.db)
					}
					s.expect()
					time.Sleep(100 * time.Millisecond)
				}
				time.Sleep(60 * time.Millisecond)
				s.expect("a played tone/0")
			})
		}
	}
}

// What is repeated for ever has no end, alone and over a voice.
func TestLoopForever(t *testing.T) {
	onStage(t, func(s *stage) {
		all := []*phone{s.call("a", media.PCMU, 440), s.call("b", media.PCMU, 600)}
		s.conference(all)
		s.put("short", toneAt(8000, 1000, 100*time.Millisecond), nil)
		forever := core.Sound{Kind: core.SoundFile, Name: "short", Loop: core.LoopForever, Level: -3}
		s.server.Do(over("a", []core.LegID{"b"}, forever, core.Sound{}))
		s.server.Do(core.Hear{Leg: "b", Sound: forever})
		time.Sleep(5 * time.Second)
		all[0].tones("over", []float64{440, 600, 1000}, 600, 1000)
		all[1].tones("alone", []float64{440, 600, 1000}, 1000)
		s.expect()
	})
}

// Who cannot have a sound is told why; what should end, ends, what should not is
// silent, and voices go on.
func TestSoundThatCannotBeHad(t *testing.T) {
	onStage(t, func(s *stage) {
		all := []*phone{s.call("a", media.PCMU, 440), s.call("b", media.PCMU, 600)}
		every := []float64{440, 600, 425}
		s.conference(all)
		forever := core.Sound{Kind: core.SoundFile, Name: "gone", Loop: core.LoopForever}
		s.server.Do(over("a", []core.LegID{"b"}, forever, core.Sound{Kind: core.SoundSpeech, Name: "hi"}))
		time.Sleep(time.Second)
		s.expect()
		s.put("gone", nil, errors.New("404 Not Found"))
		s.put("hi", nil, errors.New("no voice"))
		time.Sleep(100 * time.Millisecond)
		s.expect("a failed gone: 404 Not Found", "a failed hi: no voice")
		time.Sleep(1100 * time.Millisecond)
		s.expect("a played hi/0")
		all[0].tones("voice", every, 600)

		forever.Name = "lost"
		s.server.Do(core.Hear{Leg: "a", Sound: forever})
		s.server.Do(core.Hear{Leg: "b", Sound: music("lost")})
		time.Sleep(100 * time.Millisecond)
		s.put("lost", nil, errors.New("refused"))
		time.Sleep(700 * time.Millisecond)
		s.expect("a failed lost: refused", "b failed lost: refused")
		all[1].tones("ringback in place of music", every, 425)
	})
}

// Without a Speaker speech says what is missing.
func TestSpeechIsNotInstalled(t *testing.T) {
	o := newOffice(t)
	o.join("a", media.PCMU)
	o.server.Do(core.Hear{Leg: "a", Sound: core.Sound{Kind: core.SoundSpeech, Name: "hello"}})
	if ev, ok := (<-o.events).(core.SoundFailed); !ok || ev.Why != "text to speech is not installed" {
		t.Errorf("got %v", ev)
	}
	if ev, ok := (<-o.events).(core.Played); !ok || ev.Sound.Name != "hello" {
		t.Errorf("got %v", ev)
	}
}

// The beep before a recording is 0.4 s of 1000 Hz, for a phone and a recorder.
func TestBeep(t *testing.T) {
	onStage(t, func(s *stage) {
		a, rec := s.call("a", media.PCMU, 0), s.record("rec", 16000)
		beep := core.Sound{Kind: core.SoundBeep}
		s.server.Do(over("a", nil, beep, core.Sound{}))
		time.Sleep(30 * time.Millisecond)
		s.server.Do(core.Hear{Leg: "rec", Sound: beep})
		time.Sleep(700 * time.Millisecond)
		for name, pcm := range map[string][]int16{"phone": a.sound(time.Second)[:8000*4/10], "recorder": rec.end(700 * time.Millisecond)} {
			first, last := -1, 0
			for i, v := range pcm {
				if v > 1000 && first < 0 {
					first = i
				}
				if v > 1000 {
					last = i
				}
			}
			rate := map[string]int{"phone": 8000, "recorder": 16000}[name]
			if length := (last - first) * 1000 / rate; length < 350 || length > 410 || meter.Purity(pcm[first:last], rate, 1000) < 0.98 {
				t.Errorf("%s: %d ms, purity %.3f", name, length, meter.Purity(pcm[first:last], rate, 1000))
			}
		}
		s.expect("a played /0", "rec played /0")
		if len(rec.bad) > 0 {
			t.Errorf("the recorder's clock: %q", rec.bad)
		}
	})
}
