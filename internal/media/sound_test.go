package media_test

import (
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/media/rtp"
	"github.com/offhook/offhook/internal/testkit"
)

// shelf is a Files: what is not on it is on its way until put or failed.
type shelf struct {
	mu      sync.Mutex
	sounds  map[string]*file.PCM
	waiting map[string][]func(*file.PCM, error)
}

func (s *shelf) Open(name string, done func(*file.PCM, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pcm := s.sounds[name]; pcm != nil {
		done(pcm, nil)
		return
	}
	s.waiting[name] = append(s.waiting[name], done)
}

// put ends all waiting for a name.
func (s *shelf) put(name string, pcm *file.PCM, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sounds[name] = pcm
	for _, done := range s.waiting[name] {
		done(pcm, err)
	}
	delete(s.waiting, name)
}

func (s *shelf) asked(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting[name]) > 0
}

// toneAt is a recording of a tone.
func toneAt(rate int, hz float64, d time.Duration) *file.PCM {
	pcm := &file.PCM{Rate: rate, Samples: make([]int16, int64(rate)*d.Milliseconds()/1000)}
	for i := range pcm.Samples {
		pcm.Samples[i] = int16(12000 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
	}
	return pcm
}

func newOfficeWithFiles(t *testing.T) (*office, *shelf) {
	t.Helper()
	testkit.CheckLeaks(t)
	files := &shelf{sounds: make(map[string]*file.PCM), waiting: make(map[string][]func(*file.PCM, error))}
	o := &office{t: t, ports: rtp.NewAllocator(43000, 43999), events: make(events, 100)}
	o.server = media.NewServer(media.Config{Events: o.events, Files: files, Ringback: "de"})
	t.Cleanup(o.server.Close)
	return o, files
}

// hears decodes what comes for d of sound.
func (p *party) hears(d time.Duration) []int16 {
	p.t.Helper()
	var got []int16
	for len(got) < int(d.Milliseconds())*8 {
		got = append(got, p.decode(p.mustListen())...)
	}
	return got
}

func announcement(name string) core.Sound { return core.Sound{Kind: core.SoundFile, Name: name} }
func music(name string) core.Sound        { return core.Sound{Kind: core.SoundMusic, Name: name} }

func TestFileIsPlayedOnce(t *testing.T) {
	for _, k := range []media.Codec{media.PCMU, media.G722, media.Opus} {
		t.Run(k.String(), func(t *testing.T) {
			o, files := newOfficeWithFiles(t)
			files.put("hello.wav", toneAt(16000, 1000, 500*time.Millisecond), nil)
			a := o.join("a", k)
			o.server.Do(core.Hear{Leg: "a", Sound: announcement("hello.wav")})
			if p := meter.Purity(a.hears(500 * time.Millisecond)[400:], 8000, 1000); p < 0.9 {
				t.Errorf("purity %.2f", p)
			}
			if ev := testkit.Receive(t, o.events, time.Second, "Played"); ev != (core.Played{Leg: "a", Sound: announcement("hello.wav")}) {
				t.Errorf("got %v", ev)
			}
			o.server.Attach("a", a.path) // a re-INVITE without news
			if h, ok := a.listen(100 * time.Millisecond); ok {
				t.Errorf("it goes on: %v", h)
			}
			o.server.Do(core.Hear{Leg: "a", Sound: announcement("hello.wav")}) // a prompt repeats
			a.mustListen()
			o.server.Do(core.Hear{Leg: "a"})
			if n := len(o.events); n > 0 {
				t.Errorf("%d more events", n)
			}
		})
	}
}

// Who talks a codec that carries more than the telephone hears more.
func TestWideSoundStaysWide(t *testing.T) {
	for k, want := range map[media.Codec]float64{
		media.G722: 0.7,
		media.Opus: 0.2, // at 24 kbit/s, which is made for speech; without a wide band there is nothing
	} {
		t.Run(k.String(), func(t *testing.T) {
			o, files := newOfficeWithFiles(t)
			files.put("bright.wav", toneAt(16000, 6000, time.Second), nil)
			a := o.join("a", k)
			var err error
			if a.dec, err = codec.NewDecoder(k, 16000); err != nil {
				t.Fatal(err)
			}
			o.server.Do(core.Hear{Leg: "a", Sound: music("bright.wav")})
			if p := meter.Purity(a.hears(time.Second)[1600:], 16000, 6000); p < want {
				t.Errorf("6000 Hz has purity %.2f", p)
			}
		})
	}
}

// clearest listens up to five times for d and returns the best purity of a tone: a
// machine that is busy elsewhere leaves holes in what is played by the clock.
func clearest(p *party, d time.Duration, hz, enough float64) (best float64) {
	for range 5 {
		if best = max(best, meter.Purity(p.hears(d), 8000, hz)); best >= enough {
			break
		}
	}
	return best
}

func TestMusicTakesTheTonesPlace(t *testing.T) {
	o, files := newOfficeWithFiles(t)
	a := o.join("a", media.PCMA)
	begin := time.Now()
	o.server.Do(core.Hear{Leg: "a", Sound: music("https://example.com/jazz.mp3")})
	first := a.mustListen()
	if waited := time.Since(begin); waited < 450*time.Millisecond {
		t.Errorf("ringback after %v already", waited)
	}
	if p := clearest(a, 500*time.Millisecond, 425, 0.9); p < 0.9 {
		t.Errorf("until the music is there: ringback has purity %.2f", p)
	}
	files.put("https://example.com/jazz.mp3", toneAt(16000, 1000, 90*time.Millisecond), nil)
	a.hears(200 * time.Millisecond) // on their way
	if p := clearest(a, time.Second, 1000, 0.8); p < 0.8 {
		t.Errorf("music again and again: purity %.2f", p) // its seams are no whole waves
	}
	last := a.mustListen()
	// A machine that is busy elsewhere makes the player skip packets, and their time.
	if packets := last.seq - first.seq; last.ssrc != first.ssrc || last.stamp-first.stamp < 160*uint32(packets) || (last.stamp-first.stamp)%160 != 0 {
		t.Errorf("after %d packets the time is %d", packets, last.stamp-first.stamp)
	}

	// It has changed: who comes next hears the new one.
	files.put("https://example.com/jazz.mp3", toneAt(8000, 700, time.Second), nil)
	b := o.join("b", media.PCMA)
	o.server.Do(core.Hear{Leg: "b", Sound: music("https://example.com/jazz.mp3")})
	if p := clearest(b, time.Second, 700, 0.9); p < 0.9 {
		t.Errorf("new music: purity %.2f", p)
	}
}

func TestFileThatFails(t *testing.T) {
	o, files := newOfficeWithFiles(t)
	gone := errors.New("404 Not Found")
	a := o.join("a", media.PCMU)

	o.server.Do(core.Hear{Leg: "a", Sound: music("gone.mp3")})
	testkit.Eventually(t, time.Second, "it is asked for", func() bool { return files.asked("gone.mp3") })
	files.put("gone.mp3", nil, gone)
	if ev, ok := testkit.Receive(t, o.events, 5*time.Second, "SoundFailed").(core.SoundFailed); !ok || ev.Leg != "a" || ev.Sound != music("gone.mp3") || ev.Why != gone.Error() {
		t.Errorf("got %v", ev)
	}
	if p := meter.Purity(a.hears(500*time.Millisecond), 8000, 425); p < 0.9 {
		t.Errorf("in place of music: ringback has purity %.2f", p)
	}
	o.server.Do(core.Hear{Leg: "a"})

	begin := time.Now()
	o.server.Do(core.Hear{Leg: "a", Sound: announcement("gone.wav")})
	testkit.Eventually(t, time.Second, "it is asked for", func() bool { return files.asked("gone.wav") })
	files.put("gone.wav", nil, gone)
	if ev, ok := testkit.Receive(t, o.events, 5*time.Second, "SoundFailed").(core.SoundFailed); !ok || ev.Sound != announcement("gone.wav") {
		t.Errorf("got %v", ev)
	}
	if ev := testkit.Receive(t, o.events, 5*time.Second, "Played"); ev != (core.Played{Leg: "a", Sound: announcement("gone.wav")}) {
		t.Errorf("got %v", ev)
	}
	if took := time.Since(begin); took < time.Second {
		t.Errorf("Played after %v: who repeats it would spin", took)
	}
	if n := len(o.events); n > 0 {
		t.Errorf("%d more events", n)
	}
}

func TestFileThatComesTooLate(t *testing.T) {
	o, files := newOfficeWithFiles(t)
	a := o.join("a", media.PCMU)
	o.server.Do(core.Hear{Leg: "a", Sound: announcement("slow.wav")})
	testkit.Eventually(t, time.Second, "it is asked for", func() bool { return files.asked("slow.wav") })
	o.server.Do(core.Hear{Leg: "a"})
	files.put("slow.wav", toneAt(8000, 1000, time.Second), nil)
	if h, ok := a.listen(100 * time.Millisecond); ok {
		t.Errorf("heard by who does not listen any more: %v", h)
	}
	if n := len(o.events); n > 0 {
		t.Errorf("%d events", n)
	}
}
