package meter

import (
	"math"
	"math/rand/v2"
	"testing"
)

// sine returns n samples at 8 kHz with the given amplitude, 0 to 1.
func sine(n int, freq, amplitude float64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(amplitude * math.MaxInt16 * math.Sin(2*math.Pi*freq*float64(i)/8000))
	}
	return pcm
}

func noise(n int) []int16 {
	r := rand.New(rand.NewPCG(1, 2))
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(r.IntN(20000) - 10000)
	}
	return pcm
}

func TestPurityFindsTheTone(t *testing.T) {
	for _, c := range []struct {
		name     string
		pcm      []int16
		freq     float64
		min, max float64
	}{
		{"the tone itself", sine(2000, 440, 0.5), 440, 0.99, 1},
		{"a quiet tone", sine(2000, 440, 0.01), 440, 0.99, 1},
		{"another tone", sine(2000, 600, 0.5), 440, 0, 0.01},
		{"noise", noise(2000), 440, 0, 0.05},
		{"silence", make([]int16, 2000), 440, 0, 0},
		{"nothing", nil, 440, 0, 0},
	} {
		if got := Purity(c.pcm, 8000, c.freq); got < c.min || got > c.max {
			t.Errorf("%s: Purity = %.3f, want %.2f to %.2f", c.name, got, c.min, c.max)
		}
	}
}

func TestLevel(t *testing.T) {
	for _, c := range []struct {
		name string
		pcm  []int16
		want float64
	}{
		{"nothing", nil, Silence},
		{"silence", make([]int16, 160), Silence},
		{"full sine", sine(8000, 400, 1), -3},
		{"a tenth", sine(8000, 400, 0.1), -23},
	} {
		if got := Level(c.pcm); math.Abs(got-c.want) > 0.1 {
			t.Errorf("%s: Level = %.2f, want %.2f", c.name, got, c.want)
		}
	}
}

func TestGlitchesCountWhatNoToneDoes(t *testing.T) {
	tone := func() []int16 {
		pcm := make([]int16, 16000)
		for i := range pcm {
			pcm[i] = int16(10000 * math.Sin(2*math.Pi*440*float64(i)/8000))
		}
		return pcm
	}
	cut, slip := tone(), tone()
	clear(cut[5013:5173])
	slip = append(slip[:5000], slip[5045:]...)
	for _, c := range []struct {
		name string
		pcm  []int16
		want int
	}{{"a tone", tone(), 0}, {"20 ms cut out", cut, 2}, {"5.6 ms left out", slip, 1}} {
		if got := Glitches(c.pcm, 8000, 440); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
