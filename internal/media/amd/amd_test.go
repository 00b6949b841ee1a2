package amd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/file"
)

const frame = Rate / 50

func load(t testing.TB, name string) []int16 {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rate, pcm, err := file.DecodeWAV(f)
	if err != nil || rate != Rate {
		t.Fatal(name, rate, err)
	}
	return pcm
}

// verdict is what a Detector found, and when.
type verdict struct {
	who      core.Answerer
	at, beep time.Duration // 0 if there was none
}

// listen plays a call; behind its end the line is silent.
func listen(pcm []int16) (v verdict) {
	d := New()
	pcm = append(pcm, make([]int16, 8*Rate)...)
	for now := 20 * time.Millisecond; len(pcm) >= frame; now += 20 * time.Millisecond {
		switch who := d.Frame(pcm[:frame]); who {
		case core.Human, core.Machine:
			v.who, v.at = who, now
		case core.Beep:
			v.beep = now
		case core.NoBeep:
		}
		pcm = pcm[frame:]
	}
	return v
}

// Forty calls, twenty of them persons; the even ones are those that the rules were
// made with, so the odd ones are the judgement. The table is in docs/audio.md.
func TestPersonsAndMachines(t *testing.T) {
	names, err := filepath.Glob("testdata/*.wav")
	if err != nil || len(names) != 40 {
		t.Fatal(len(names), err)
	}
	var right, beeps [2]int // of odd and even ones
	count := make(map[string]int)
	for _, name := range names {
		var kind string
		var number int
		base := strings.TrimSuffix(filepath.Base(name), ".wav")
		if _, err := fmt.Sscanf(strings.ReplaceAll(base, "-", " "), "%s %d", &kind, &number); err != nil {
			t.Fatal(err)
		}
		pcm := load(t, name)
		v := listen(pcm)
		who := map[core.Answerer]string{core.Human: "human", core.Machine: "machine"}[v.who]
		t.Logf("%s: %s after %v, beep at %v of %v", base, who, v.at, v.beep, time.Duration(len(pcm))*time.Second/Rate)
		count[kind+" taken for "+who]++
		if who == kind {
			right[1-number%2]++
		}
		if v.at == 0 || v.at > Latest {
			t.Errorf("%s: known after %v", base, v.at)
		}
		end := time.Duration(len(pcm))*time.Second/Rate - 800*time.Millisecond // of the beep
		switch late := v.beep - end; {
		case kind == "human" && v.beep != 0:
			t.Errorf("%s: a beep at %v", base, v.beep)
		case kind == "machine" && late.Abs() < 200*time.Millisecond:
			beeps[1-number%2]++
		case v.beep != 0:
			t.Errorf("%s: a beep at %v, it ends at %v", base, v.beep, end)
		}
	}
	t.Logf("%v; right %d of 20 that were judged, %d of 20 that the rules were made with; beeps %d and %d of 10", count, right[0], right[1], beeps[0], beeps[1])
	if right[0] < 16 || right[0]+right[1] < 32 || beeps[0] < 8 || beeps[0]+beeps[1] < 16 {
		t.Error("less than 80 % are right")
	}
	if right != [2]int{19, 20} || beeps != [2]int{10, 10} {
		t.Error("the table in docs/audio.md is not true any more")
	}
}

// sound is tones of equal level together for a time, after silence of the same.
type sound struct {
	hz []float64
	ms int
}

func (s sound) pcm(level float64) []int16 {
	pcm := make([]int16, s.ms*Rate/1000)
	for i := range pcm {
		for _, hz := range s.hz {
			pcm[i] += int16(32767 * math.Pow(10, level/20) * math.Sqrt2 * math.Sin(2*math.Pi*hz*float64(i)/Rate))
		}
	}
	return pcm
}

// What is a beep and what is none, behind a second of noise.
func TestBeeps(t *testing.T) {
	for _, c := range []struct {
		name   string
		level  float64 // dBFS
		noise  float64 // dB below it
		sounds []sound
		want   bool
	}{
		{"80 ms", -15, 25, []sound{{[]float64{1000}, 90}}, true},
		{"60 ms is none", -15, 25, []sound{{[]float64{1000}, 50}}, false},
		{"350 Hz", -15, 25, []sound{{[]float64{355}, 400}}, true},
		{"2500 Hz", -15, 25, []sound{{[]float64{2490}, 400}}, true},
		{"300 Hz is none", -15, 25, []sound{{[]float64{300}, 400}}, false},
		{"3000 Hz is none", -15, 25, []sound{{[]float64{3000}, 400}}, false},
		{"1.4 s", -15, 25, []sound{{[]float64{800}, 1400}}, true},
		{"2 s is none", -15, 25, []sound{{[]float64{800}, 2000}}, false},
		{"soft", -35, 20, []sound{{[]float64{1000}, 300}}, true},
		{"noise 13 dB below", -20, 13, []sound{{[]float64{1000}, 300}}, true},
		{"a key", -15, 25, []sound{{[]float64{770, 1336}, 200}}, false},
		{"ringback of the US", -15, 25, []sound{{[]float64{440, 480}, 1000}}, false},
		{"special information tones", -15, 25, []sound{{[]float64{950}, 330}, {[]float64{1400}, 330}, {[]float64{1800}, 330}}, false},
		{"a tone that goes on as a voice", -15, 25, []sound{{[]float64{1000}, 200}, {[]float64{300, 520, 690}, 400}}, false},
	} {
		for offset := range 4 {
			pcm := slices.Repeat([]int16{0}, Rate+17*offset)
			for _, s := range c.sounds {
				pcm = append(pcm, s.pcm(c.level)...)
			}
			pcm = append(pcm, make([]int16, Rate)...)
			r := rand.New(rand.NewPCG(1, uint64(offset)))
			var b beep
			found := 0
			for ; len(pcm) >= frame; pcm = pcm[frame:] {
				for i := range pcm[:frame] {
					pcm[i] += int16(32767 * math.Pow(10, (c.level-c.noise)/20) * r.NormFloat64())
				}
				if b.frame(pcm[:frame]) {
					found++
				}
			}
			if found > 1 || found == 1 != c.want {
				t.Errorf("%s, at %d: %d beeps, want %v", c.name, offset, found, c.want)
			}
		}
	}
}

// Nobody's voice is a beep: our announcements, at many speeds.
func TestVoicesAreNoBeeps(t *testing.T) {
	names, err := filepath.Glob("../../speech/prompts/*.wav")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	found, minutes := 0, 0.0
	for _, name := range names {
		pcm := load(t, name)
		for speed := 0.7; speed < 1.5; speed += 0.1 {
			voice := make([]int16, int(float64(len(pcm)-1)/speed))
			for i := range voice {
				at := float64(i) * speed
				n := int(at)
				voice[i] = int16(float64(pcm[n])*(1-at+float64(n)) + float64(pcm[n+1])*(at-float64(n)))
			}
			minutes += float64(len(voice)) / Rate / 60
			var b beep
			for ; len(voice) >= frame; voice = voice[frame:] {
				if b.frame(voice[:frame]) {
					found++
				}
			}
		}
	}
	if t.Logf("%d beeps in %.0f minutes", found, minutes); found > 0 || minutes < 5 {
		t.Errorf("%d beeps in %.0f minutes of speech", found, minutes)
	}
}

// The verdicts hold when the line is soft, and with noise 15 dB below the voice.
func TestPersonsAndMachinesOnBadLines(t *testing.T) {
	names, err := filepath.Glob("testdata/*.wav")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []struct {
		name        string
		gain, noise float64
	}{{"12 dB softer", 0.25, 0}, {"noise", 1, 32767 * 0.012}} {
		right, r := 0, rand.New(rand.NewPCG(1, 2))
		for _, name := range names {
			pcm := load(t, name)
			for i := range pcm {
				pcm[i] = int16(float64(pcm[i])*line.gain + line.noise*r.NormFloat64())
			}
			if who := listen(pcm).who; who == core.Human == strings.Contains(name, "human") {
				right++
			}
		}
		if t.Logf("%s: %d of 40 right", line.name, right); right < 32 {
			t.Errorf("%s: %d of 40 right", line.name, right)
		}
	}
}

// Who says nothing is not hung up on; who falls silent for ever is known in time.
func TestDecisionComes(t *testing.T) {
	if v := listen(nil); v.who != core.Human || v.at != Latest {
		t.Errorf("silence is %v after %v", v.who, v.at)
	}
	if v := listen(sound{[]float64{1000}, 300}.pcm(-15)); v.who != core.Machine || v.beep == 0 {
		t.Errorf("a beep alone: %+v", v)
	}
	d, pcm := New(), sound{[]float64{1000}, 20}.pcm(-15)
	if n := testing.AllocsPerRun(500, func() { d.Frame(pcm) }); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkFrame(b *testing.B) {
	d, pcm := New(), sound{[]float64{300, 520, 690}, 20}.pcm(-15)
	b.ReportAllocs()
	for b.Loop() {
		d.Frame(pcm)
	}
}
