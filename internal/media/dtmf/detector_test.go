package dtmf

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/file"
)

// press is tones in a table: at rate 8000 with amplitudes in dBFS.
func press(key byte, rate, ms int, rowLevel, columnLevel, detune float64) []int16 {
	pcm := make([]int16, rate*ms/1000)
	t, _ := NewTone(key, rate)
	amplitude := func(db float64) float64 { return 32767 * math.Sqrt2 * math.Pow(10, db/20) }
	for i := range pcm {
		at := 2 * math.Pi * float64(i) / float64(rate) * (1 + detune)
		pcm[i] = int16(min(32767, max(-32768, amplitude(rowLevel)*math.Sin(t.row*at)+amplitude(columnLevel)*math.Sin(t.column*at+1))))
	}
	return pcm
}

// heard returns the keys found in pcm, given in frames of 20 ms.
func heard(pcm []int16, rate int) string {
	d := NewDetector(rate)
	keys := ""
	for frame := rate / 50; len(pcm) >= frame; pcm = pcm[frame:] {
		if key, ok := d.Detect(pcm[:frame]); ok {
			keys += string(key)
		}
	}
	return keys
}

// addNoise adds white noise of a level in dBFS.
func addNoise(pcm []int16, db float64) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range pcm {
		pcm[i] = int16(min(32767, max(-32768, float64(pcm[i])+32767*math.Pow(10, db/20)*rng.NormFloat64())))
	}
}

func TestEveryKeyIsDetected(t *testing.T) {
	for _, c := range []struct {
		name            string
		rate, ms, pause int
		row, column     float64 // dBFS
		detune, noise   float64 // relative; dBFS, 0 for none
		offset          int     // samples of silence before
		want            bool
	}{
		{"plain", 8000, 100, 100, -12, -10, 0, 0, 0, true},
		{"at 16 kHz", 16000, 100, 100, -12, -10, 0, 0, 0, true},
		{"at 48 kHz", 48000, 100, 100, -12, -10, 0, 0, 0, true},
		{"40 ms, the shortest of Q.24", 8000, 40, 60, -12, -10, 0, 0, 37, true},
		{"20 ms is none", 8000, 20, 80, -12, -10, 0, 0, 0, false},
		{"column 6 dB louder", 8000, 60, 60, -16, -10, 0, -30, 13, true},
		{"row 6 dB louder", 8000, 60, 60, -10, -16, 0, -36, 13, true},
		{"column 14 dB louder is none", 8000, 60, 60, -24, -10, 0, 0, 13, false},
		{"noise 20 dB below", 8000, 60, 60, -13, -13, 0, -30, 5, true},
		{"1.5 % high", 8000, 60, 60, -12, -10, 0.015, 0, 5, true},
		{"1.5 % low", 8000, 60, 60, -12, -10, -0.015, 0, 5, true},
		{"4.5 % high is none", 8000, 60, 60, -12, -10, 0.045, 0, 5, false},
		{"soft", 8000, 60, 60, -30, -28, 0, 0, 5, true},
		{"too soft", 8000, 60, 60, -46, -44, 0, 0, 5, false},
		{"one tone alone is none", 8000, 60, 60, -90, -10, 0, 0, 5, false},
	} {
		var pcm []int16
		pcm, want := append(pcm, make([]int16, c.offset)...), ""
		for i := range 3 * len(Keys) {
			key := Keys[i%len(Keys)]
			pcm = append(pcm, press(key, c.rate, c.ms, c.row, c.column, c.detune)...)
			pcm = append(pcm, make([]int16, c.rate*c.pause/1000)...)
			if c.want {
				want += string(key)
			}
		}
		if c.noise < 0 {
			addNoise(pcm, c.noise)
		}
		if got := heard(pcm, c.rate); got != want {
			t.Errorf("%s: %q, want %q", c.name, got, want)
		}
	}
}

// The same key again is another press; a key whose tone has a hole is one.
func TestPressesAreToldApart(t *testing.T) {
	twice := append(append(press('5', 8000, 60, -12, -10, 0), make([]int16, 400)...), press('5', 8000, 60, -12, -10, 0)...)
	if got := heard(append(twice, make([]int16, 800)...), 8000); got != "55" {
		t.Errorf("twice: %q", got)
	}
	hole := press('5', 8000, 120, -12, -10, 0)
	clear(hole[400:560]) // a lost packet
	if got := heard(append(hole, make([]int16, 800)...), 8000); got != "5" {
		t.Errorf("with a hole: %q", got)
	}
}

// D4: with 5 % loss, concealed, no key is lost and none doubled.
func TestKeysSurviveLoss(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	enc, err := codec.NewEncoder(codec.PCMA, 8000)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := codec.NewDecoder(codec.PCMA, 8000)
	if err != nil {
		t.Fatal(err)
	}
	var pcm []int16
	want := ""
	for range 50 {
		for _, key := range []byte(Keys) {
			pcm = append(append(pcm, press(key, 8000, 100, -12, -10, 0)...), make([]int16, 800)...)
			want += string(key)
		}
	}
	d := NewDetector(8000)
	payload, out := make([]byte, 160), make([]int16, 960)
	got := ""
	for ; len(pcm) >= 160; pcm = pcm[160:] {
		if _, err = enc.Encode(payload, pcm[:160]); err == nil && rng.Float64() < 0.05 {
			err = dec.Conceal(out[:160], nil)
		} else if err == nil {
			_, err = dec.Decode(out, payload)
		}
		if err != nil {
			t.Fatal(err)
		}
		if key, ok := d.Detect(out[:160]); ok {
			got += string(key)
		}
	}
	if got != want {
		t.Errorf("%d keys of %d, or not the same", len(got), len(want))
	}
}

// D4: a voice is no key: our announcements, each at many speeds, which makes many
// voices of it, ten minutes in all.
func TestVoicesAreNoKeys(t *testing.T) {
	names, err := filepath.Glob("../../speech/prompts/*.wav")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	minutes, found := 0.0, ""
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		_, pcm, err := file.DecodeWAV(f)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for speed := 0.7; speed < 1.5; speed += 0.04 {
			voice := make([]int16, int(float64(len(pcm)-1)/speed))
			for i := range voice {
				at := float64(i) * speed
				n := int(at)
				voice[i] = int16(float64(pcm[n])*(1-at+float64(n)) + float64(pcm[n+1])*(at-float64(n)))
			}
			minutes += float64(len(voice)) / 8000 / 60
			found += heard(voice, 8000)
		}
	}
	if minutes < 10 || found != "" {
		t.Errorf("%q in %.0f minutes of speech", found, minutes)
	}
}

// From the first sample of a tone to the moment we know of it.
func TestKeyIsKnownWithin40Milliseconds(t *testing.T) {
	d := NewDetector(8000)
	pcm := press('7', 8000, 100, -12, -10, 0)
	for at := 0; at < len(pcm); at += 80 {
		if _, ok := d.Detect(pcm[at : at+80]); ok {
			if at+80 > 320 || d.Down() != '7' {
				t.Errorf("known after %d ms, down %q", (at+80)/8, d.Down())
			}
			return
		}
	}
	t.Error("not found")
}

func BenchmarkDetect(b *testing.B) {
	d, pcm := NewDetector(8000), press('7', 8000, 20, -12, -10, 0)
	b.ReportAllocs()
	for b.Loop() {
		d.Detect(pcm)
	}
}
