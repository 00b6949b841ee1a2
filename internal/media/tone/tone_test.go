package tone

import (
	"slices"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/meter"
)

func TestRingbackCadences(t *testing.T) {
	for _, c := range []struct {
		country string
		hz      float64
		onMS    int
	}{{"us", 440, 2000}, {"gb", 400, 400}, {"de", 425, 1000}, {"fr", 440, 1500}, {"jp", 384, 1000}, {"nowhere", 480, 2000}} {
		g := NewGenerator(Of(c.country).Ringback, 8000)
		pcm := make([]int16, 8000*5)
		g.Read(pcm)
		sounding := pcm[:c.onMS*8]
		if p := meter.Purity(sounding, 8000, c.hz); p < 0.3 {
			t.Errorf("%s: %v Hz has purity %.2f", c.country, c.hz, p)
		}
		if l := meter.Level(pcm[c.onMS*8+8 : c.onMS*8+8+800]); l > -80 {
			t.Errorf("%s: %.0f dBFS after %d ms", c.country, l, c.onMS)
		}
	}
}

func TestMusicLevelAndLoop(t *testing.T) {
	m := NewMusic(8000)
	first, second := make([]int16, m.Length()), make([]int16, m.Length())
	m.Read(first)
	m.Read(second)
	if l := meter.Level(first); l < -26 || l > -16 {
		t.Errorf("music is at %.1f dBFS", l)
	}
	if !slices.Equal(first, second) {
		t.Error("the second round differs from the first")
	}
	if m.Length()%160 != 0 {
		t.Errorf("the loop has %d samples, no whole packets", m.Length())
	}
}

// A round of every cadence ends with a packet, or the loop would click.
func TestCadencesFillPackets(t *testing.T) {
	for _, country := range []string{"us", "gb", "de", "fr", "es", "in", "jp", "au", "eu"} {
		plan := Of(country)
		if n := Length(plan.Ringback, 8000); n%160 != 0 {
			t.Errorf("%s: ringback has %d samples", country, n)
		}
		if n := 4 * Length(plan.Busy, 8000); n%160 != 0 {
			t.Errorf("%s: four rounds of busy have %d samples", country, n)
		}
	}
}

func TestGeneratorHasNoClicks(t *testing.T) {
	g := NewGenerator([]Burst{{[]float64{440, 480}, time.Minute}}, 8000)
	pcm := make([]int16, 80)
	last := 0
	for range 200 {
		g.Read(pcm)
		for _, s := range pcm {
			// The steepest step of two sines of this level.
			if d := int(s) - last; d > 2600 || d < -2600 {
				t.Fatalf("step of %d", d)
			}
			last = int(s)
		}
	}
}
