package mix

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/offhook/offhook/internal/media/meter"
)

func sine(n, rate int, freq, peak float64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(math.Round(peak * math.Sin(2*math.Pi*freq*float64(i)/float64(rate))))
	}
	return pcm
}

func TestFullScaleSaturates(t *testing.T) {
	voice, sum, pcm := []int16{32767, -32768, 100, 0}, make([]int32, 4), make([]int16, 4)
	for range 3 {
		Add(sum, voice)
	}
	if Clip(pcm, sum); pcm[0] != 32767 || pcm[1] != -32768 || pcm[2] != 300 || pcm[3] != 0 {
		t.Errorf("three voices are %v", pcm)
	}
	if ClipWithout(pcm, sum, voice); pcm[0] != 32767 || pcm[1] != -32768 || pcm[2] != 200 {
		t.Errorf("two of three are %v", pcm)
	}
	ClipWithout(pcm, sum, voice)
	for range 2 {
		for i, s := range voice {
			sum[i] -= int32(s)
		}
	}
	if Clip(pcm, sum); pcm[0] != 32767 || pcm[1] != -32768 || pcm[2] != 100 {
		t.Errorf("the last of three comes out as %v", pcm)
	}
}

func TestFadeHasNoStep(t *testing.T) {
	pcm, from := make([]int16, 160), make([]int16, 160)
	for i := range pcm {
		pcm[i], from[i] = 10000, -10000
	}
	Fade(pcm, from)
	for i := 1; i < len(pcm); i++ {
		if step := pcm[i] - pcm[i-1]; step < 100 || step > 150 {
			t.Fatalf("step %d at %d", step, i)
		}
	}
	if pcm[0] > -9800 || pcm[159] != 10000 {
		t.Errorf("from %d to %d", pcm[0], pcm[159])
	}
}

func TestQuiet(t *testing.T) {
	if !Quiet([]int16{8, -8, 0}) || Quiet([]int16{0, 9}) || Quiet([]int16{-9}) {
		t.Error("the silence of A-law is the limit")
	}
}

// In frames as in a call, so that their seams are heard, too.
func TestDoubleKeepsTheVoice(t *testing.T) {
	for _, freq := range []float64{300, 1000, 2300, 3400} {
		var d Doubler
		in, out, frame := sine(8000, 8000, freq, 12000), []int16(nil), make([]int16, 320)
		for ; len(in) >= 160; in = in[160:] {
			d.Double(frame, in[:160])
			out = append(out, frame...)
		}
		level, want := meter.Level(out[800:]), meter.Level(sine(8000, 8000, freq, 12000))
		if p := meter.Purity(out[800:], 16000, freq); p < 0.999 || math.Abs(level-want) > 0.3 {
			t.Errorf("%v Hz: purity %.4f, %.2f dB for %.2f", freq, p, level, want)
		}
	}
}

func TestHalveKeepsTheVoiceAndDropsWhatLiesAbove(t *testing.T) {
	halve := func(freq float64) []int16 {
		var h Halver
		in, out, frame := sine(16000, 16000, freq, 12000), []int16(nil), make([]int16, 160)
		for ; len(in) >= 320; in = in[320:] {
			h.Halve(frame, in[:320])
			out = append(out, frame...)
		}
		return out[800:]
	}
	for _, freq := range []float64{300, 1000, 2300, 3400} {
		out, want := halve(freq), meter.Level(sine(8000, 8000, freq, 12000))
		if p := meter.Purity(out, 8000, freq); p < 0.999 || math.Abs(meter.Level(out)-want) > 0.3 {
			t.Errorf("%v Hz: purity %.4f, %.2f dB for %.2f", freq, p, meter.Level(out), want)
		}
	}
	for _, freq := range []float64{4700, 5500, 7000} {
		if l := meter.Level(halve(freq)); l > -50 {
			t.Errorf("%v Hz is left at %.0f dB", freq, l)
		}
	}
}

// The taps are those of the formula.
func TestTapsOfTheHalfBandFilter(t *testing.T) {
	bessel := func(x float64) float64 { // modified, of the first kind and order zero
		sum, term := 1.0, 1.0
		for k := 1.0; term > 1e-9; k++ {
			term *= (x / (2 * k)) * (x / (2 * k))
			sum += term
		}
		return sum
	}
	for i, tap := range [sideTaps]int{tap1, tap2, tap3, tap4, tap5, tap6, tap7, tap8, tap9, tap10, tap11, tap12} {
		at := float64(2*i + 1)
		edge := at / (2 * sideTaps)
		window := bessel(5.5*math.Sqrt(1-edge*edge)) / bessel(5.5)
		if want := int(math.Round(scale * window * math.Sin(math.Pi*at/2) / (math.Pi * at))); tap != want {
			t.Errorf("tap %d is %d, want %d", i+1, tap, want)
		}
	}
}

// Nothing overflows at full scale, whatever the signs.
func TestRateOfFullScale(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		wide, narrow := make([]int16, 96), make([]int16, 48)
		for i := range wide {
			wide[i] = [2]int16{math.MinInt16, math.MaxInt16}[r.IntN(2)]
		}
		var h Halver
		h.Halve(narrow, wide)
		for n := 24; n < 48; n++ {
			sum := 0.5 * float64(wide[2*n-22])
			for i, tap := range [sideTaps]float64{tap1, tap2, tap3, tap4, tap5, tap6, tap7, tap8, tap9, tap10, tap11, tap12} {
				sum += tap / scale * (float64(wide[2*n-22-1-2*i]) + float64(wide[2*n-22+1+2*i]))
			}
			if want := max(math.MinInt16, min(math.MaxInt16, sum)); math.Abs(float64(narrow[n])-want) > 1.5 {
				t.Fatalf("sample %d is %d, want %.0f", n, narrow[n], want)
			}
		}
	}
}

// What is made two at a time is what each by itself would be.
func TestDoubleOfFullScale(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		narrow, wide := make([]int16, 48), make([]int16, 96)
		for i := range narrow {
			narrow[i] = [2]int16{math.MinInt16, math.MaxInt16}[r.IntN(2)]
		}
		var d Doubler
		d.Double(wide, narrow)
		for n := 24; n < 48; n++ {
			at, sum := n-sideTaps, 0.0 // the sample that wide[2*n] is
			for i, tap := range [sideTaps]float64{tap1, tap2, tap3, tap4, tap5, tap6, tap7, tap8, tap9, tap10, tap11, tap12} {
				sum += 2 * tap / scale * (float64(narrow[at-i]) + float64(narrow[at+1+i]))
			}
			if want := max(math.MinInt16, min(math.MaxInt16, sum)); wide[2*n] != narrow[at] || math.Abs(float64(wide[2*n+1])-want) > 1.5 {
				t.Fatalf("sample %d is %d and %d, want %d and %.0f", n, wide[2*n], wide[2*n+1], narrow[at], want)
			}
		}
	}
}

func BenchmarkRate(b *testing.B) {
	narrow, wide := sine(160, 8000, 1000, 12000), make([]int16, 320)
	b.Run("double", func(b *testing.B) {
		var d Doubler
		for b.Loop() {
			d.Double(wide, narrow)
		}
	})
	b.Run("halve", func(b *testing.B) {
		var h Halver
		for b.Loop() {
			h.Halve(narrow, wide)
		}
	})
}

func BenchmarkMix(b *testing.B) {
	voice, sum, pcm := sine(160, 8000, 1000, 12000), make([]int32, 160), make([]int16, 160)
	for b.Loop() {
		Add(sum, voice)
		ClipWithout(pcm, sum, voice)
		clear(sum)
	}
}
