package codec

import (
	"fmt"
	"math"
	"testing"

	"github.com/offhook/offhook/internal/media/meter"
)

func sine(n, rate int, freq float64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(12000 * math.Sin(2*math.Pi*freq*float64(i)/float64(rate)))
	}
	return pcm
}

func pair(t testing.TB, k Kind, encodeRate, decodeRate int) (Encoder, Decoder) {
	t.Helper()
	e, err := NewEncoder(k, encodeRate)
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder(k, decodeRate)
	if err != nil {
		t.Fatal(err)
	}
	return e, d
}

// The values are those of the ITU-T reference code.
func TestG711KnownValues(t *testing.T) {
	for _, c := range []struct {
		pcm     int16
		mu, law byte
	}{{0, 0xff, 0xd5}, {32767, 0x80, 0xaa}, {-32768, 0x00, 0x2a}, {1000, 0xce, 0xfa}, {-1000, 0x4e, 0x7a}} {
		if got := linearToMuLaw(c.pcm); got != c.mu {
			t.Errorf("mu-law of %d = %#x, want %#x", c.pcm, got, c.mu)
		}
		if got := linearToALaw(c.pcm); got != c.law {
			t.Errorf("A-law of %d = %#x, want %#x", c.pcm, got, c.law)
		}
	}
}

func TestG711CodesComeBack(t *testing.T) {
	for i := range 256 {
		b := byte(i)
		if got := linearToMuLaw(muLawToLinear(b)); got != b && b != 0x7f { // 0x7f is minus zero
			t.Errorf("mu-law %#x comes back as %#x", b, got)
		}
		if got := linearToALaw(aLawToLinear(b)); got != b {
			t.Errorf("A-law %#x comes back as %#x", b, got)
		}
	}
}

// An encoder reads 14 bits of a sample; no more may matter.
func TestG711TablesEqualTheirFormula(t *testing.T) {
	mu, _ := pair(t, PCMU, 8000, 8000)
	law, _ := pair(t, PCMA, 8000, 8000)
	for v := math.MinInt16; v <= math.MaxInt16; v += 4 {
		var got [1]byte
		if _, err := mu.Encode(got[:], []int16{int16(v)}); err != nil || got[0] != linearToMuLaw(int16(v)) {
			t.Fatalf("mu-law of %d = %#x, %v", v, got, err)
		}
		if _, err := law.Encode(got[:], []int16{int16(v)}); err != nil || got[0] != linearToALaw(int16(v)) {
			t.Fatalf("A-law of %d = %#x, %v", v, got, err)
		}
	}
}

func TestToneSurvivesEveryCodec(t *testing.T) {
	for _, c := range []struct {
		kind             Kind
		encoded, decoded int
	}{{PCMU, 8000, 8000}, {PCMA, 8000, 8000}, {Opus, 8000, 8000}, {Opus, 48000, 8000}, {Opus, 8000, 48000}, {Opus, 16000, 16000}, {G722, 16000, 16000}, {G722, 8000, 8000}, {G722, 16000, 8000}, {G722, 8000, 16000}, {L16x8, 8000, 8000}, {L16x8, 16000, 16000}, {L16x16, 8000, 8000}, {L16x16, 16000, 16000}, {L16x16, 8000, 16000}, {L16x24, 16000, 16000}, {L16x24, 8000, 8000}, {L16x24, 16000, 8000}} {
		e, d := pair(t, c.kind, c.encoded, c.decoded)
		in, payload, pcm := sine(c.encoded, c.encoded, 1000), make([]byte, 1400), make([]int16, MaxSamples(c.decoded))
		var heard []int16
		for frame := c.encoded / 50; len(in) >= frame; in = in[frame:] {
			n, err := e.Encode(payload, in[:frame])
			if err != nil {
				t.Fatal(err)
			}
			if n, err = d.Decode(pcm, payload[:n]); err != nil || n != c.decoded/50 {
				t.Fatalf("%v: %d samples, %v", c, n, err)
			}
			heard = append(heard, pcm[:n]...)
		}
		if p := meter.Purity(heard[len(heard)/4:], c.decoded, 1000); p < 0.9 {
			t.Errorf("%v: purity %.3f", c, p)
		}
	}
}

func TestLossIsConcealedAndFades(t *testing.T) {
	for _, k := range []Kind{PCMU, PCMA, G722, Opus, L16x8, L16x16, L16x24} {
		e, d := pair(t, k, 8000, 8000)
		in, payload, pcm := sine(4000, 8000, 440), make([]byte, 1400), make([]int16, MaxSamples(8000))
		for ; len(in) >= 160; in = in[160:] {
			n, err := e.Encode(payload, in[:160])
			if err == nil {
				_, err = d.Decode(pcm, payload[:n])
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Conceal(pcm[:160], nil); err != nil || meter.Level(pcm[:160]) < -25 {
			t.Errorf("%v: 20 ms concealed at %.0f dBFS, %v", k, meter.Level(pcm[:160]), err)
		}
		for range 20 {
			if err := d.Conceal(pcm[:160], nil); err != nil {
				t.Fatal(err)
			}
		}
		if l := meter.Level(pcm[:160]); l > -40 && (k != Opus || l > -30) { // plain Opus ends in noise
			t.Errorf("%v: still at %.0f dBFS after 400 ms of loss", k, l)
		}
	}
}

func TestGarbageIsRefusedWithoutPanic(t *testing.T) {
	_, d := pair(t, Opus, 8000, 8000)
	pcm := make([]int16, MaxSamples(8000))
	for i := range 2000 {
		payload := make([]byte, i%90)
		for j := range payload {
			payload[j] = byte(i*31 + j*i)
		}
		_, _ = d.Decode(pcm, payload)
	}
}

func BenchmarkFrame(b *testing.B) {
	for _, c := range []struct {
		kind Kind
		rate int
	}{{PCMU, 8000}, {G722, 8000}, {G722, 16000}, {Opus, 8000}, {Opus, 16000}, {Opus, 48000}} {
		e, d := pair(b, c.kind, c.rate, c.rate)
		in, payload, pcm := sine(c.rate/50, c.rate, 1000), make([]byte, 1400), make([]int16, MaxSamples(c.rate))
		n, err := e.Encode(payload, in)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("encode/%v/%d", c.kind, c.rate), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if n, err = e.Encode(payload, in); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("decode/%v/%d", c.kind, c.rate), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Decode(pcm, payload[:n]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Linear PCM at its own rate is the samples themselves; at 24 kHz each frame has its
// length.
func TestLinearFrames(t *testing.T) {
	in, payload := []int16{1, -1, 0x1234, math.MinInt16}, make([]byte, 960)
	e, d := pair(t, L16x16, 16000, 16000)
	n, err := e.Encode(payload, in)
	if want := "0100ffff34120080"; err != nil || fmt.Sprintf("%x", payload[:n]) != want {
		t.Errorf("%x, %v, want %s", payload[:n], err, want)
	}
	pcm := make([]int16, 1920)
	if n, err = d.Decode(pcm, append(payload[:n:n], 7)); err != nil || fmt.Sprint(pcm[:n]) != fmt.Sprint(in) {
		t.Errorf("back: %v, %v", pcm[:n], err)
	}
	e, _ = pair(t, L16x24, 16000, 16000)
	frame := sine(320, 16000, 1000)
	for range 5 {
		if n, err = e.Encode(payload, frame); err != nil || n != 960 {
			t.Errorf("20 ms at 24 kHz are %d bytes, %v", n, err)
		}
	}
	if allocs := testing.AllocsPerRun(100, func() { _, err = e.Encode(payload, frame) }); allocs > 0 || err != nil {
		t.Errorf("%v allocations, %v", allocs, err)
	}
	if L16(24000) != L16x24 || L16(11025) != None {
		t.Error("L16")
	}
}
