package codec

import (
	"encoding/binary"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/offhook/offhook/internal/media/meter"
)

// The files of testdata hold 0.2 s of tones and noise at 16 kHz, the bytes that
// spandsp 0.0.6 makes of it, and what it decodes from those.
func fixture(t *testing.T) (pcm []int16, code []byte, decoded []int16) {
	t.Helper()
	read := func(name string) []byte {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	samples := func(b []byte) []int16 {
		list := make([]int16, len(b)/2)
		for i := range list {
			list[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
		}
		return list
	}
	return samples(read("g722.raw")), read("g722.code"), samples(read("g722.out"))
}

func TestG722EqualsAnotherImplementation(t *testing.T) {
	pcm, code, decoded := fixture(t)
	e, d := pair(t, G722, 16000, 16000)
	var got []byte
	var heard []int16
	payload, out := make([]byte, 160), make([]int16, MaxSamples(16000))
	for ; len(pcm) >= 320; pcm = pcm[320:] {
		n, err := e.Encode(payload, pcm[:320])
		if err != nil || n != 160 {
			t.Fatal(n, err)
		}
		got = append(got, payload...)
	}
	if !slices.Equal(got, code) {
		t.Error("the encoder differs")
	}
	for ; len(code) > 0; code = code[160:] {
		n, err := d.Decode(out, code[:160])
		if err != nil || n != 320 {
			t.Fatal(n, err)
		}
		heard = append(heard, out[:n]...)
	}
	if !slices.Equal(heard, decoded) {
		t.Error("the decoder differs")
	}
}

// snr returns the signal-to-noise ratio in dB of got, which comes delay samples
// after want.
func snr(want, got []int16, delay int) float64 {
	var signal, noise float64
	for i := range len(got) - delay {
		w, g := float64(want[i]), float64(got[i+delay])
		signal += w * w
		noise += (w - g) * (w - g)
	}
	return 10 * math.Log10(signal/noise)
}

// A tone comes back as loud as it was, and clean: 64 kbit/s is better than G.711
// below 4 kHz.
func TestG722Tones(t *testing.T) {
	for _, c := range []struct {
		rate, delay int
		freq        float64
		least       float64 // dB
	}{{16000, 22, 300, 45}, {16000, 22, 1000, 42}, {16000, 22, 3000, 35}, {16000, 22, 5000, 20}, {8000, 0, 1000, 35}, {8000, 0, 3000, 30}} {
		e, d := pair(t, G722, c.rate, c.rate)
		in := sine(c.rate, c.rate, c.freq)
		payload, out := make([]byte, 8000), make([]int16, c.rate)
		if _, err := e.Encode(payload, in); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Decode(out, payload); err != nil {
			t.Fatal(err)
		}
		settled := c.rate / 10
		if got := snr(in[settled:], out[settled:], c.delay); got < c.least {
			t.Errorf("%d Hz, tone of %v Hz: %.1f dB, want %v", c.rate, c.freq, got, c.least)
		}
	}
}

// What one side codes at 8 kHz the other hears at 16 kHz at the same level, and the
// other way round.
func TestG722HalfBand(t *testing.T) {
	for _, c := range []struct{ encoded, decoded int }{{8000, 16000}, {16000, 8000}} {
		e, d := pair(t, G722, c.encoded, c.decoded)
		in, payload, out := sine(c.encoded, c.encoded, 1000), make([]byte, 8000), make([]int16, c.decoded)
		if _, err := e.Encode(payload, in); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Decode(out, payload); err != nil {
			t.Fatal(err)
		}
		if p := meter.Purity(out[c.decoded/2:], c.decoded, 1000); p < 0.999 {
			t.Errorf("%d to %d Hz: purity %.4f", c.encoded, c.decoded, p)
		}
		if l, want := meter.Level(out[c.decoded/2:]), meter.Level(in); math.Abs(l-want) > 0.2 {
			t.Errorf("%d to %d Hz: %.2f dBFS, want %.2f", c.encoded, c.decoded, l, want)
		}
	}
}

func TestG722RefusesShortBuffers(t *testing.T) {
	e, d := pair(t, G722, 16000, 16000)
	if _, err := e.Encode(make([]byte, 159), make([]int16, 320)); err == nil {
		t.Error("encoded into too little")
	}
	if _, err := d.Decode(make([]int16, 319), make([]byte, 160)); err == nil {
		t.Error("decoded into too little")
	}
}
