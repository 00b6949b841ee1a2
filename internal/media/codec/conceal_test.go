package codec

import (
	"math"
	"testing"

	"github.com/offhook/offhook/internal/media/meter"
)

// A gap in a tone is filled so that one hears the tone: neither a step at its
// beginning nor at its end.
func TestGapInToneIsFilled(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		rate int
		freq float64
	}{{PCMU, 8000, 150}, {PCMA, 8000, 440}, {G722, 16000, 440}, {G722, 16000, 2000}, {G722, 8000, 300}} {
		e, d := pair(t, c.kind, c.rate, c.rate)
		in, payload, pcm := sine(c.rate, c.rate, c.freq), make([]byte, 1400), make([]int16, MaxSamples(c.rate))
		var heard []int16
		frame := c.rate / 50
		for i := 0; len(in) >= frame; in, i = in[frame:], i+1 {
			n, err := e.Encode(payload, in[:frame])
			if err != nil {
				t.Fatal(err)
			}
			if i%10 == 9 {
				err = d.Conceal(pcm[:frame], nil)
			} else {
				_, err = d.Decode(pcm, payload[:n])
			}
			if err != nil {
				t.Fatal(err)
			}
			heard = append(heard, pcm[:frame]...)
		}
		if p := meter.Purity(heard[frame:], c.rate, c.freq); p < 0.97 {
			t.Errorf("%v at %d Hz, tone of %v Hz: purity %.3f", c.kind, c.rate, c.freq, p)
		}
		largest := 2 * math.Pi * c.freq / float64(c.rate) * 12000
		for i := 2 * frame; i < len(heard); i++ {
			if step := math.Abs(float64(heard[i]) - float64(heard[i-1])); step > 1.3*largest+300 {
				t.Fatalf("%v at %d Hz, tone of %v Hz: a step of %.0f at %d", c.kind, c.rate, c.freq, step, i)
			}
		}
	}
}

// A pitch period is made to follow itself without a step, even of a ramp, which
// never does.
func TestRepeatedPeriodsJoin(t *testing.T) {
	c := newConcealer(8000)
	ramp := make([]int16, 400)
	for i := range ramp {
		ramp[i] = int16(10000 + 10*i)
	}
	c.heard(ramp)
	gap := make([]int16, steady)
	c.fill(gap)
	for i := 1; i < len(gap); i++ {
		if step := int(gap[i]) - int(gap[i-1]); max(step, -step) > 60 {
			t.Fatalf("a step of %d at %d, period %d", step, i, c.period)
		}
	}
}
