package resample

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

const amplitude = 20000

func sine(n, rate int, hz float64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(math.Round(amplitude * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
	}
	return pcm
}

// middle leaves out the ends, where a tone begins and stops at once, which no
// filter passes.
func middle(pcm []int16, rate int) (first int, part []int16) {
	edge := rate / 20
	return edge, pcm[edge : len(pcm)-edge]
}

// level returns how loud pcm is in dB, beside a tone of full amplitude.
func level(pcm []int16) float64 {
	sum := 1e-9
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return 10 * math.Log10(sum/float64(len(pcm))/(amplitude*amplitude/2))
}

func TestToneSurvives(t *testing.T) {
	for _, c := range []struct {
		from, to int
		limit    float64 // of what is not the tone, dB
	}{
		{8000, 16000, -70},
		{16000, 8000, -70},
		{8000, 48000, -70},
		{48000, 8000, -70},
		{44100, 8000, -70},
		{44100, 16000, -70},
		{22050, 16000, -70},
		{11025, 16000, -70},
		{11025, 8000, -70},
		{32000, 16000, -70},
		{192000, 16000, -70},
		{16000, 48000, -70},
		{8000, 8000, -70},
		{11127, 16000, -60},
		{7999, 8000, -60},
		{44057, 16000, -60}, // too many phases for an exact table
	} {
		for _, hz := range []float64{300, 1000, 3000} {
			t.Run(fmt.Sprintf("%d to %d/%.0f Hz", c.from, c.to, hz), func(t *testing.T) {
				r := New(c.from, c.to)
				got := r.Flush(r.Append(nil, sine(c.from, c.from, hz)))
				if len(got) < c.to-1 || len(got) > c.to+1 {
					t.Fatalf("a second has %d samples", len(got))
				}
				first, part := middle(got, c.to)
				rest := make([]int16, len(part)) // a wrong delay or rate shows, too
				for i, want := range sine(len(got), c.to, hz)[first : first+len(part)] {
					rest[i] = part[i] - want
				}
				if l := level(rest); l > c.limit {
					t.Errorf("noise at %.1f dB, want %.0f", l, c.limit)
				}
			})
		}
	}
}

// What the lower rate cannot hold must vanish, not come back as another tone.
func TestNothingFoldsBack(t *testing.T) {
	for _, c := range []struct {
		from, to int
		hz       float64
	}{{16000, 8000, 4300}, {48000, 8000, 7000}, {44100, 16000, 9000}, {48000, 16000, 20000}} {
		r := New(c.from, c.to)
		_, part := middle(r.Append(nil, sine(c.from, c.from, c.hz)), c.to)
		if l := level(part); l > -60 {
			t.Errorf("%d to %d: %.0f Hz is there at %.1f dB", c.from, c.to, c.hz, l)
		}
	}
}

func TestBlocksMakeNoDifference(t *testing.T) {
	pcm := sine(44100, 44100, 700)
	r := New(44100, 16000)
	whole := r.Flush(r.Append(nil, pcm))
	var got []int16
	for block := range slices.Chunk(pcm, 333) {
		got = r.Append(got, block)
	}
	if got = r.Flush(got); !slices.Equal(got, whole) {
		t.Error("blocks of 333 samples sound different from the whole")
	}
}

func TestLoudSoundIsCutNotWrapped(t *testing.T) {
	square := make([]int16, 1600)
	for i := range square {
		square[i] = math.MaxInt16
		if i/8%2 == 1 {
			square[i] = math.MinInt16
		}
	}
	r := New(16000, 48000)
	for i, s := range r.Append(nil, square)[4*24 : 1200] {
		if high := i/24%2 == 0; i%24 > 2 && i%24 < 21 && (s > 0) != high { // edges are not steps
			t.Fatalf("sample %d is %d", i, s)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, c := range [][2]int{{8000, 16000}, {16000, 8000}, {44100, 16000}} {
		b.Run(fmt.Sprint(c[0], "-", c[1]), func(b *testing.B) {
			r, pcm := New(c[0], c[1]), sine(c[0]/50, c[0], 1000)
			dst := make([]int16, 0, 1000)
			for range 10 {
				dst = r.Append(dst[:0], pcm)
			}
			if n := testing.AllocsPerRun(100, func() { dst = r.Append(dst[:0], pcm) }); n > 0 {
				b.Errorf("%v allocations", n)
			}
			for b.Loop() {
				dst = r.Append(dst[:0], pcm)
			}
		})
	}
}
