package voice

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/file"
)

// said is a second of a voice with pauses shorter than 100 ms, at level dBFS.
func said(t testing.TB, level float64) []int16 {
	t.Helper()
	f, err := os.Open("../../speech/prompts/busy.wav")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	_, pcm, err := file.DecodeWAV(f)
	if err != nil {
		t.Fatal(err)
	}
	pcm = pcm[:8000]
	energy := 0.0
	for _, s := range pcm {
		energy += float64(s) * float64(s)
	}
	gain := math.Pow(10, level/20) * 32767 / math.Sqrt(energy/float64(len(pcm)))
	for i, s := range pcm {
		pcm[i] = int16(max(-32768, min(32767, gain*float64(s))))
	}
	return pcm
}

// Speech begins and ends when it does, whatever the noise, and nothing else begins.
func TestSpeechBeginsAndEnds(t *testing.T) {
	const before = 1500 * time.Millisecond
	for _, c := range []struct {
		name         string
		voice, noise float64 // dBFS
		sensitivity  int
		want         bool
	}{
		{"a telephone", -25, -50, -1, true},
		{"a silent line", -25, -90, -1, true},
		{"a noisy line", -22, -37, -1, true},
		{"a whisper is none", -48, -50, -1, false},
		{"a soft voice, sensitive", -38, -48, 100, true},
		{"a soft voice, not sensitive", -43, -50, 0, false},
		{"noise alone", -200, -40, -1, false},
		{"loud noise alone", -200, -25, -1, false},
		{"noise alone, sensitive", -200, -40, 100, false},
	} {
		pcm := slices.Concat(make([]int16, 8*before.Milliseconds()), said(t, c.voice), make([]int16, 3*8000))
		r := rand.New(rand.NewPCG(3, 4))
		for i := range pcm {
			pcm[i] = int16(max(-32768, min(32767, float64(pcm[i])+32767*math.Pow(10, c.noise/20)*r.NormFloat64())))
		}
		d := New(c.sensitivity)
		var began []time.Duration
		for now := FrameTime; len(pcm) >= 160; now += FrameTime {
			if d.Frame(pcm[:160]) {
				began = append(began, now)
			}
			pcm = pcm[160:]
		}
		switch {
		case len(began) > 1 || (len(began) == 1) != c.want:
			t.Errorf("%s: began at %v, want %v", c.name, began, c.want)
		case c.want && (began[0] < before || began[0] > before+300*time.Millisecond):
			t.Errorf("%s: began at %v", c.name, began)
		case c.want && (d.Silent()-3*time.Second).Abs() > 300*time.Millisecond:
			t.Errorf("%s: silent for %v at the end", c.name, d.Silent())
		case c.want && (d.Spoken()-time.Second).Abs() > 400*time.Millisecond:
			t.Errorf("%s: %v were spoken", c.name, d.Spoken())
		}
	}
}

// Who speaks from the first moment on is heard, and again behind a rest; a click is
// not.
func TestSpeechAtOnceAndAgain(t *testing.T) {
	d, pcm := New(-1), said(t, -25)
	feed := func(pcm []int16) (began int) {
		for ; len(pcm) >= 160; pcm = pcm[160:] {
			if d.Frame(pcm[:160]) {
				began++
			}
		}
		return began
	}
	if n := feed(pcm); n != 1 || d.Silent() > 300*time.Millisecond {
		t.Errorf("began %d times, silent for %v", n, d.Silent())
	}
	feed(make([]int16, 8000))
	if !d.Speaking() || d.Silent() < time.Second {
		t.Errorf("speaking %v, silent for %v", d.Speaking(), d.Silent())
	}
	d.Rest()
	if d.Speaking() || d.Spoken() != 0 {
		t.Error("speaks behind the rest")
	}
	click := make([]int16, 8000)
	click[4000] = 20000
	if n := feed(click); n != 0 {
		t.Error("a click is speech")
	}
	if n := feed(pcm); n != 1 {
		t.Errorf("began %d times again", n)
	}
	if n := testing.AllocsPerRun(100, func() { d.Frame(pcm[:160]) }); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkFrame(b *testing.B) {
	d, pcm := New(-1), said(b, -25)[:160]
	b.ReportAllocs()
	for b.Loop() {
		d.Frame(pcm)
	}
}
