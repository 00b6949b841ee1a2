package speech

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/media/meter"
)

// patience bounds what a test waits for; it is long, as machines of tests are busy.
const patience = 20 * time.Second

// fakeEngine is an Engine of functions.
type fakeEngine struct {
	speak func(ctx context.Context, u Utterance) (file.PCM, error)
	calls atomic.Int32
}

func (*fakeEngine) Name() string { return "fake" }

func (*fakeEngine) Voice(wanted Voice) string { return wanted.Language + wanted.Name }

func (f *fakeEngine) Speak(ctx context.Context, u Utterance) (file.PCM, error) {
	f.calls.Add(1)
	if f.speak != nil {
		return f.speak(ctx, u)
	}
	return file.PCM{Rate: 16000, Samples: make([]int16, 160*len(u.Text))}, nil
}

type outcome struct {
	pcm *file.PCM
	err error
}

func speak(s *Speaker, text string) chan outcome {
	done := make(chan outcome, 1)
	s.Speak(core.Sound{Kind: core.SoundSpeech, Name: text}, func(pcm *file.PCM, err error) { done <- outcome{pcm, err} })
	return done
}

func wait(t *testing.T, done chan outcome) outcome {
	t.Helper()
	select {
	case o := <-done:
		return o
	case <-time.After(patience):
		t.Fatal("nothing came of a text")
	}
	return outcome{}
}

func newTestSpeaker(t *testing.T, cfg SpeakerConfig) *Speaker {
	t.Helper()
	s := NewSpeaker(cfg)
	t.Cleanup(s.Close)
	return s
}

func TestOneRunForAllWhoWantTheSameText(t *testing.T) {
	release := make(chan struct{})
	e := &fakeEngine{}
	e.speak = func(context.Context, Utterance) (file.PCM, error) {
		<-release
		return file.PCM{Rate: 16000, Samples: make([]int16, 16000)}, nil
	}
	s := newTestSpeaker(t, SpeakerConfig{Engine: e})
	var asked []chan outcome
	for range 20 {
		asked = append(asked, speak(s, "hello"))
	}
	close(release)
	first := wait(t, asked[0])
	for _, done := range asked[1:] {
		if o := wait(t, done); o.err != nil || o.pcm != first.pcm {
			t.Errorf("got %v, %v, not the same sound", o.pcm, o.err)
		}
	}
	if o := wait(t, speak(s, "hello")); o.pcm != first.pcm {
		t.Error("what was spoken is not kept")
	}
	if n := e.calls.Load(); n != 1 {
		t.Errorf("the engine was asked %d times", n)
	}
}

func TestSpeechInParallelIsBounded(t *testing.T) {
	var now, most atomic.Int32
	e := &fakeEngine{}
	e.speak = func(context.Context, Utterance) (file.PCM, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		return file.PCM{Rate: 16000, Samples: make([]int16, 160)}, nil
	}
	s := newTestSpeaker(t, SpeakerConfig{Engine: e, Parallel: 2})
	var asked []chan outcome
	for i := range 20 {
		asked = append(asked, speak(s, strings.Repeat("x", i+1)))
	}
	for _, done := range asked {
		if o := wait(t, done); o.err != nil {
			t.Error(o.err)
		}
	}
	if most.Load() > 2 {
		t.Errorf("%d at once", most.Load())
	}
}

func TestTooManyTextsAreRefused(t *testing.T) {
	e := &fakeEngine{}
	e.speak = func(ctx context.Context, _ Utterance) (file.PCM, error) {
		<-ctx.Done()
		return file.PCM{}, context.Cause(ctx)
	}
	s := newTestSpeaker(t, SpeakerConfig{Engine: e, Timeout: time.Hour})
	for i := range maxWaiting {
		speak(s, strings.Repeat("x", i+1))
	}
	if o := wait(t, speak(s, "one more")); !errors.Is(o.err, ErrBusy) {
		t.Errorf("got %v", o.err)
	}
}

func TestAnEngineThatHangsIsEnded(t *testing.T) {
	e := &fakeEngine{}
	e.speak = func(ctx context.Context, _ Utterance) (file.PCM, error) {
		<-ctx.Done()
		return file.PCM{}, context.Cause(ctx)
	}
	s := newTestSpeaker(t, SpeakerConfig{Engine: e, Timeout: 20 * time.Millisecond})
	if o := wait(t, speak(s, "hello")); !errors.Is(o.err, errSlow) {
		t.Errorf("got %v", o.err)
	}
	e.speak = nil
	if o := wait(t, speak(s, "hello")); o.err != nil {
		t.Errorf("a failure is kept: %v", o.err)
	}
}

func TestCloseEndsWhatIsSpoken(t *testing.T) {
	e := &fakeEngine{}
	e.speak = func(ctx context.Context, _ Utterance) (file.PCM, error) {
		<-ctx.Done()
		return file.PCM{}, context.Cause(ctx)
	}
	s := NewSpeaker(SpeakerConfig{Engine: e})
	done := speak(s, "hello")
	s.Close()
	if o := wait(t, done); !errors.Is(o.err, ErrClosed) {
		t.Errorf("got %v", o.err)
	}
	if o := wait(t, speak(s, "hello")); !errors.Is(o.err, ErrClosed) {
		t.Errorf("after Close: %v", o.err)
	}
}

func TestBreaksAndVolumeOfSSML(t *testing.T) {
	e := &fakeEngine{speak: func(context.Context, Utterance) (file.PCM, error) {
		pcm := file.PCM{Rate: 16000, Samples: make([]int16, 1600)}
		for i := range pcm.Samples {
			pcm.Samples[i] = 8000
		}
		return pcm, nil
	}}
	s := newTestSpeaker(t, SpeakerConfig{Engine: e})
	o := wait(t, speak(s, `<speak>a<break time="500ms"/><prosody volume="-6dB">b</prosody></speak>`))
	if o.err != nil || len(o.pcm.Samples) != 1600+8000+1600 {
		t.Fatalf("%v, %v", o.pcm, o.err)
	}
	if a, gap, b := o.pcm.Samples[800], o.pcm.Samples[5000], o.pcm.Samples[10000]; a != 8000 || gap != 0 || b < 3900 || b > 4100 {
		t.Errorf("levels %d, %d, %d", a, gap, b)
	}
}

func TestWithoutAnEngineDigitsAndAnnouncementsSpeak(t *testing.T) {
	s := newTestSpeaker(t, SpeakerConfig{})
	for _, text := range []string{"4", "1 2 3", "407*#", "<speak><say-as interpret-as='digits'>12</say-as></speak>", "Goodbye.", "The number you have dialed is not in service."} {
		o := wait(t, speak(s, text))
		if o.err != nil {
			t.Errorf("%s: %v", text, o.err)
		} else if l := meter.Level(o.pcm.Samples); l < -40 {
			t.Errorf("%s is at %.0f dBFS", text, l)
		}
	}
	one, three := wait(t, speak(s, "1")), wait(t, speak(s, "111"))
	if len(three.pcm.Samples) < 5*len(one.pcm.Samples)/2 {
		t.Errorf("three digits last %v, one %v", three.pcm.Duration(), one.pcm.Duration())
	}
	if o := wait(t, speak(s, "Hello")); o.err == nil || o.err.Error() != "text to speech is not installed" {
		t.Errorf("words: %v", o.err)
	}
}

func TestSpeechIsKeptOnDiskWithinItsBound(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "speech")
	e := &fakeEngine{}
	cfg := SpeakerConfig{Engine: e, Folder: folder, DiskBytes: 40_000}
	first := NewSpeaker(cfg)
	if o := wait(t, speak(first, "hello")); o.err != nil {
		t.Fatal(o.err)
	}
	first.Close()
	second := newTestSpeaker(t, cfg)
	if o := wait(t, speak(second, "hello")); o.err != nil || e.calls.Load() != 1 {
		t.Errorf("after a new start: %v, the engine was asked %d times", o.err, e.calls.Load())
	}
	for i := range 30 {
		wait(t, speak(second, strings.Repeat("x", 10)+string(rune('a'+i))))
	}
	var size int64
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			size += info.Size()
		}
	}
	if size == 0 || size > 40_000 {
		t.Errorf("%d bytes are kept in %d files", size, len(entries))
	}
}

func TestSpeakNeverBlocks(t *testing.T) {
	e := &fakeEngine{}
	release := make(chan struct{})
	e.speak = func(context.Context, Utterance) (file.PCM, error) {
		<-release
		return file.PCM{Rate: 8000, Samples: make([]int16, 8)}, nil
	}
	s := newTestSpeaker(t, SpeakerConfig{Engine: e, Parallel: 1})
	var asking sync.WaitGroup
	for i := range 50 {
		asking.Go(func() { speak(s, strings.Repeat("x", i+1)) })
	}
	asking.Wait() // with the engine still at its first text
	close(release)
}
