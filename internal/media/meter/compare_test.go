package meter_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/offhook/offhook/internal/media/meter"
)

// babble is noise with the syllables and formants of a voice, 8000 Hz.
func babble(seed uint64, n int) []int16 {
	r := rand.New(rand.NewPCG(seed, 1))
	pcm := make([]int16, n)
	var pitch, formant, loud, a, b float64
	for i := range pcm {
		if i%1200 == 0 {
			pitch, formant, loud = 90+60*r.Float64(), 500+1500*r.Float64(), r.Float64()
		}
		pulse := 0.0
		if math.Mod(float64(i), 8000/pitch) < 1 {
			pulse = 1
		}
		a, b = pulse+r.NormFloat64()*0.02+1.8*math.Cos(2*math.Pi*formant/8000)*a-0.9*b, a
		pcm[i] = int16(max(-20000, min(20000, 3000*loud*a)))
	}
	return pcm
}

func late(pcm []int16, samples int) []int16 { return append(make([]int16, samples), pcm...) }

func TestCompare(t *testing.T) {
	said := babble(1, 8*8000)
	damage := func(share float64, how func(packet []int16)) []int16 {
		r := rand.New(rand.NewPCG(5, 5))
		out := append([]int16(nil), said...)
		for i := 0; i+160 <= len(out); i += 160 {
			if r.Float64() < share {
				how(out[i : i+160])
			}
		}
		return late(out, 777)
	}
	zero := func(packet []int16) { clear(packet) }
	soft := func(packet []int16) {
		for i := range packet {
			packet[i] /= 4
		}
	}
	for _, c := range []struct {
		name                  string
		heard                 []int16
		corr, most            float64
		lost, mostLost        float64
		gain                  float64
		delay, toleranceDelay int
	}{
		{"the same", late(said, 777), 0.999, 1, 0, 0, 0, 777, 0},
		{"12 dB softer", damage(1, soft), 0.99, 1, 0, 0.001, -12, 777, 0},
		{"5 % of packets silent", damage(0.05, zero), 0.9, 0.99, 0.03, 0.08, 0, 777, 0},
		{"20 % of packets silent", damage(0.2, zero), 0.6, 0.95, 0.15, 0.26, -1, 777, 0},
		{"another voice", late(babble(2, 8*8000), 777), -1, 0.6, 0, 1, 0, 0, 8000},
		{"silence", make([]int16, 9*8000), -1, 0.1, 0.9, 1, -120, 0, 8000},
	} {
		got := meter.Compare(said, c.heard, 8000)
		t.Logf("%s: %+v", c.name, got)
		if got.Corr < c.corr || got.Corr > c.most || got.Lost < c.lost || got.Lost > c.mostLost ||
			math.Abs(float64(got.Delay-c.delay)) > float64(c.toleranceDelay) || math.Abs(got.Gain-c.gain) > 20 {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
