//go:build libopus

package codec

import (
	"math"
	"testing"
	"time"
)

// voice is something like speech: harmonics of a wandering pitch, on and off.
func voice(n, rate int) []int16 {
	pcm := make([]int16, n)
	phase := 0.0
	for i := range pcm {
		at := float64(i) / float64(rate)
		phase += (130 + 30*math.Sin(2*math.Pi*at*1.3)) / float64(rate)
		loud := math.Max(0, math.Sin(2*math.Pi*at*2.1))
		sum := 0.0
		for h := 1.0; h < 20; h++ {
			sum += math.Sin(2*math.Pi*h*phase) / h
		}
		pcm[i] = int16(4000 * loud * sum)
	}
	return pcm
}

// code encodes and decodes pcm and returns what is heard, the bytes it took and the
// time.
func code(t *testing.T, e Encoder, d Decoder, pcm []int16, rate int) (heard []int16, size int, took time.Duration) {
	t.Helper()
	buf, out := make([]byte, 1400), make([]int16, MaxSamples(rate))
	begin := time.Now()
	for frame := rate / 50; len(pcm) >= frame; pcm = pcm[frame:] {
		n, err := e.Encode(buf, pcm[:frame])
		if err != nil {
			t.Fatal(err)
		}
		size += n
		if n, err = d.Decode(out, buf[:n]); err != nil {
			t.Fatal(err)
		}
		heard = append(heard, out[:n]...)
	}
	return heard, size, time.Since(begin)
}

// best returns the signal-to-noise ratio of heard, which comes up to most samples
// late.
func best(pcm, heard []int16, most int) float64 {
	ratio := math.Inf(-1)
	for delay := range most {
		ratio = max(ratio, snr(pcm, heard, delay))
	}
	return ratio
}

// Both implementations understand each other, and code about as well.
func TestOpusTwins(t *testing.T) {
	for _, rate := range []int{8000, 16000, 48000} {
		pcm := voice(4*rate, rate)
		var ratio [2][2]float64
		var size [2]int
		for i := range 2 {
			for j := range 2 {
				goEncoder, err1 := newGopusEncoder(rate)
				libEncoder, err2 := newLibEncoder(rate)
				goDecoder, err3 := newGopusDecoder(rate)
				libDecoder, err4 := newLibDecoder(rate)
				if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
					t.Fatal(err1, err2, err3, err4)
				}
				heard, n, took := code(t, []Encoder{goEncoder, libEncoder}[i], []Decoder{goDecoder, libDecoder}[j], pcm, rate)
				ratio[i][j], size[i] = best(pcm, heard, rate/50), n
				t.Logf("%d Hz, encoder %d, decoder %d: %.1f dB, %d bytes, %v", rate, i, j, ratio[i][j], n, took)
			}
		}
		if math.Abs(ratio[0][0]-ratio[1][0]) > 1 || math.Abs(ratio[0][0]-ratio[0][1]) > 0.1 || math.Abs(ratio[1][0]-ratio[1][1]) > 0.1 {
			t.Errorf("%d Hz: signal to noise by encoder and decoder %.2f", rate, ratio)
		}
		if d := size[0] - size[1]; max(d, -d) > size[1]/8 {
			t.Errorf("%d Hz: %d and %d bytes", rate, size[0], size[1])
		}
	}
}
