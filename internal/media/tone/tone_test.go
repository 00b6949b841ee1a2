package tone

import (
	"slices"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/meter"
)

// What callers of some countries are used to, in words of their own.
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

// Every tone of every country sounds as the table says, burst by burst.
func TestEveryCountry(t *testing.T) {
	countries := Countries()
	if len(countries) < 40 || !slices.IsSorted(countries) || len(slices.Compact(countries)) != len(Countries()) {
		t.Errorf("%d countries: %v", len(countries), countries)
	}
	for _, country := range countries {
		plan := Of(country)
		for name, cadence := range map[string][]Burst{"ringback": plan.Ringback, "busy": plan.Busy, "congestion": plan.Congestion} {
			t.Run(country+"/"+name, func(t *testing.T) { wantCadence(t, cadence) })
		}
	}
}

// wantCadence plays two rounds.
func wantCadence(t *testing.T, cadence []Burst) {
	t.Helper()
	g := NewGenerator(cadence, 8000)
	for i, b := range append(slices.Clone(cadence), cadence...) {
		pcm := make([]int16, b.samples(8000))
		g.Read(pcm)
		if len(pcm) < 8*150 || len(pcm) > 8*5000 || (len(b.Hz) == 0) != (i%2 == 1) {
			t.Errorf("burst %d: %v of %v", i, b.For, b.Hz)
			continue
		}
		if len(b.Hz) == 0 {
			if l := meter.Level(pcm); l > meter.Silence {
				t.Errorf("burst %d: a pause at %.0f dBFS", i, l)
			}
			continue
		}
		sum := 0.0
		for _, hz := range b.Hz {
			p := meter.Purity(pcm, 8000, hz)
			sum += p
			if p < 0.9/float64(len(b.Hz)) {
				t.Errorf("burst %d: %v Hz has purity %.2f", i, hz, p)
			}
		}
		if sum < 0.95 {
			t.Errorf("burst %d: %v together have purity %.2f", i, b.Hz, sum)
		}
		if l := meter.Level(pcm); l < -23 || l > -15 {
			t.Errorf("burst %d: %.1f dBFS", i, l)
		}
	}
}

func TestBadTableIsNoticed(t *testing.T) {
	for _, text := range []string{"", "425", "425/", "x/500", "425+/500", "425/-1"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is taken for a cadence", text)
				}
			}()
			cadence(text)
		}()
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
	for _, country := range Countries() {
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
