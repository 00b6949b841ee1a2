package lowband

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/thesyncim/gopus"
)

// voice is something like speech with an s now and then: harmonics of a wandering
// pitch, noise, silence.
func voice(n int) []int16 {
	const rate = 48000
	pcm, r, phase := make([]int16, n), rand.New(rand.NewPCG(1, 2)), 0.0
	for i := range pcm {
		at := float64(i) / rate
		phase += (130 + 30*math.Sin(2*math.Pi*at*1.3)) / rate
		sum := 0.0
		for h := 1.0; h < 20; h++ {
			sum += math.Sin(2*math.Pi*h*phase) / h
		}
		sum *= 4000 * max(0, math.Sin(2*math.Pi*at*2.1))
		if math.Sin(2*math.Pi*at*3.3) > 0.8 {
			sum += 1500 * r.NormFloat64()
		}
		pcm[i] = int16(max(math.MinInt16, min(math.MaxInt16, sum)))
	}
	return pcm
}

// packets codes two seconds of a voice, bitRate at each frame.
func packets(tb testing.TB, milliseconds, loss int, bitRate func(frame int) int) (list [][]byte) {
	tb.Helper()
	e, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: 48000, Channels: 1, Application: gopus.ApplicationVoIP})
	if err != nil {
		tb.Fatal(err)
	}
	frame := 48 * milliseconds
	for _, err := range []error{e.SetFrameSize(frame), e.SetComplexity(3), e.SetPacketLoss(loss)} {
		if err != nil {
			tb.Fatal(err)
		}
	}
	e.SetFEC(loss > 0)
	for pcm := voice(2 * 48000); len(pcm) >= frame; pcm = pcm[frame:] {
		if err := e.SetBitrate(bitRate(len(list))); err != nil {
			tb.Fatal(err)
		}
		buf := make([]byte, 1275)
		n, err := e.EncodeInt16(pcm[:frame], buf)
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, buf[:n])
	}
	return list
}

func decoder(tb testing.TB, rate int) *gopus.Decoder {
	tb.Helper()
	d, err := gopus.NewDecoder(gopus.DecoderConfig{SampleRate: rate, Channels: 1, MaxPacketSamples: 2880})
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// Nothing of what is cut off is heard at 8 and 16 kHz, not even a sample's last bit.
func TestStrippedPacketsSoundTheSame(t *testing.T) {
	for _, c := range []struct {
		name                     string
		rate, milliseconds, loss int
	}{
		{"at 8 kHz", 8000, 20, 0},
		{"at 16 kHz", 16000, 20, 0},
		{"with copies of lost frames", 8000, 20, 10},
		{"10 ms", 16000, 10, 0},
		{"10 ms with copies", 8000, 10, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			whole, half := decoder(t, c.rate), decoder(t, c.rate)
			list := packets(t, c.milliseconds, c.loss, func(int) int { return 32000 })
			want, got, dst := make([]int16, c.rate), make([]int16, c.rate), make([]byte, 0, 1275)
			stripped, before, after := 0, 0, 0
			for i, p := range list {
				q := Strip(dst, p)
				if len(q) < len(p) {
					stripped++
				}
				before, after = before+len(p), after+len(q)
				n, err := whole.DecodeInt16(p, want)
				if err != nil {
					t.Fatal(err)
				}
				m, err := half.DecodeInt16(q, got)
				if err != nil || !slices.Equal(want[:n], got[:m]) {
					t.Fatalf("packet %d: %v, %d and %d samples, or other ones", i, err, n, m)
				}
			}
			t.Logf("%d of %d packets, %d of %d bytes left", stripped, len(list), after, before)
			if stripped < len(list)*8/10 {
				t.Errorf("%d of %d packets were stripped", stripped, len(list))
			}
		})
	}
}

// A speaker whose coding changes is heard as he is.
func TestChangesOfTheCodingAreHeard(t *testing.T) {
	const rate = 8000
	whole, half := decoder(t, rate), decoder(t, rate)
	want, got, dst := make([]int16, rate), make([]int16, rate), make([]byte, 0, 1275)
	signal, noise := 0.0, 0.0
	modes := make(map[byte]int)
	for _, p := range packets(t, 20, 0, func(frame int) int { return 24000 + frame/25%2*64000 }) {
		modes[p[0]>>5]++
		n, err := whole.DecodeInt16(p, want)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = half.DecodeInt16(Strip(dst, p), got); err != nil {
			t.Fatal(err)
		}
		for i, s := range want[:n] {
			signal += float64(s) * float64(s)
			noise += float64(s-got[i]) * float64(s-got[i])
		}
	}
	if len(modes) < 2 {
		t.Fatalf("the coding does not change: %v", modes)
	}
	if ratio := 10 * math.Log10(signal/(noise+1)); ratio < 30 {
		t.Errorf("%.1f dB between what is heard and the difference", ratio)
	}
}

func TestWhatIsNotStripped(t *testing.T) {
	const hybrid = 15 << configShift
	long := slices.Repeat([]byte{0x5a}, 200)
	for name, p := range map[string][]byte{
		"nothing":        {},
		"silence":        {hybrid},
		"a byte":         {hybrid, 1},
		"SILK":           append([]byte{9 << configShift}, long...),
		"CELT":           append([]byte{31 << configShift}, long...),
		"stereo":         append([]byte{hybrid | stereo}, long...),
		"two frames":     append([]byte{hybrid | 1}, long...),
		"several frames": append([]byte{hybrid | 3, 1}, long...),
	} {
		if q := Strip(make([]byte, 0, 1275), p); !slices.Equal(q, p) {
			t.Errorf("%s: % x of % x", name, q, p)
		}
	}
}

func FuzzStrip(f *testing.F) {
	for _, p := range packets(f, 20, 10, func(int) int { return 32000 })[:20] {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		dst := make([]byte, 0, 1275)
		if q := Strip(dst, p); len(q) > len(p) {
			t.Errorf("%d bytes of %d", len(q), len(p))
		}
	})
}

func TestStripDoesNotAllocate(t *testing.T) {
	list, dst := packets(t, 20, 0, func(int) int { return 32000 })[:50], make([]byte, 0, 1275)
	run := func() {
		for _, p := range list {
			Strip(dst, p)
		}
	}
	if n := testing.AllocsPerRun(20, run); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
}

func BenchmarkStrip(b *testing.B) {
	list, dst := packets(b, 20, 0, func(int) int { return 32000 }), make([]byte, 0, 1275)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		Strip(dst, list[i%len(list)])
	}
}
