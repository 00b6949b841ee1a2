package codec

import (
	"math"
	"testing"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/meter"
)

func tone(n, rate int, freq float64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(12000 * math.Sin(2*math.Pi*freq*float64(i)/float64(rate)))
	}
	return pcm
}

// The values are those of the ITU-T reference code.
func TestG711KnownValues(t *testing.T) {
	for _, c := range []struct {
		pcm        int16
		ulaw, alaw byte
	}{{0, 0xff, 0xd5}, {-1, 0x7f, 0x55}, {32767, 0x80, 0xaa}, {-32768, 0x00, 0x2a}, {1000, 0xce, 0xfa}, {-1000, 0x4e, 0x7a}} {
		if got := EncodeUlaw(c.pcm); got != c.ulaw {
			t.Errorf("mu-law of %d = %#x, want %#x", c.pcm, got, c.ulaw)
		}
		if got := EncodeAlaw(c.pcm); got != c.alaw {
			t.Errorf("A-law of %d = %#x, want %#x", c.pcm, got, c.alaw)
		}
	}
}

func TestG711DecodesWhatItCoded(t *testing.T) {
	for i := range 256 {
		b := byte(i)
		if got := EncodeUlaw(decodeUlaw(b)); got != b && decodeUlaw(got) != decodeUlaw(b) {
			t.Errorf("mu-law %#x comes back as %#x", b, got)
		}
		if got := EncodeAlaw(decodeAlaw(b)); got != b {
			t.Errorf("A-law %#x comes back as %#x", b, got)
		}
	}
}

func TestToneSurvivesEveryCodec(t *testing.T) {
	for _, c := range []struct {
		codec media.Codec
		rate  int
	}{{media.PCMU, 8000}, {media.PCMA, 8000}, {media.Opus, 8000}, {media.Opus, 16000}, {media.Opus, 48000}} {
		enc, err := NewEncoder(c.codec, c.rate)
		if err != nil {
			t.Fatal(err)
		}
		dec, err := NewDecoder(c.codec, c.rate)
		if err != nil {
			t.Fatal(err)
		}
		in := tone(c.rate, c.rate, 1000)
		var heard []int16
		frame := c.rate / 50
		pcm, coded := make([]int16, MaxFrame), make([]byte, media.MaxPayload)
		for at := 0; at+frame <= len(in); at += frame {
			n, err := enc.Encode(in[at:at+frame], coded)
			if err != nil {
				t.Fatal(err)
			}
			if n, err = dec.Decode(coded[:n], 0, pcm); err != nil || n != frame {
				t.Fatalf("%v at %d: %d samples, %v", c.codec, c.rate, n, err)
			}
			heard = append(heard, pcm[:n]...)
		}
		if p := meter.Purity(heard[len(heard)/4:], c.rate, 1000); p < 0.95 {
			t.Errorf("%v at %d: purity %.3f", c.codec, c.rate, p)
		}
		enc.Release()
		dec.Release()
	}
}

func TestLossIsConcealed(t *testing.T) {
	for _, c := range []media.Codec{media.PCMU, media.Opus} {
		enc, err := NewEncoder(c, 8000)
		if err != nil {
			t.Fatal(err)
		}
		dec, err := NewDecoder(c, 8000)
		if err != nil {
			t.Fatal(err)
		}
		in := tone(8000, 8000, 440)
		pcm, coded := make([]int16, MaxFrame), make([]byte, media.MaxPayload)
		for at := 0; at+160 <= len(in); at += 160 {
			n, err := enc.Encode(in[at:at+160], coded)
			if err != nil {
				t.Fatal(err)
			}
			if at != 4000 {
				_, err = dec.Decode(coded[:n], 0, pcm)
			} else if n, err = dec.Decode(nil, 160, pcm); n != 160 || meter.Level(pcm[:160]) < -25 {
				t.Errorf("%v: concealment of 20 ms is %d samples at %.0f dBFS", c, n, meter.Level(pcm[:n]))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func BenchmarkCodecs(b *testing.B) {
	for _, c := range []media.Codec{media.PCMU, media.Opus} {
		b.Run(c.String(), func(b *testing.B) {
			enc, err := NewEncoder(c, 8000)
			if err != nil {
				b.Fatal(err)
			}
			dec, err := NewDecoder(c, 8000)
			if err != nil {
				b.Fatal(err)
			}
			in := tone(160, 8000, 1000)
			pcm, coded := make([]int16, MaxFrame), make([]byte, media.MaxPayload)
			b.ReportAllocs()
			for b.Loop() {
				n, err := enc.Encode(in, coded)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := dec.Decode(coded[:n], 0, pcm); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
