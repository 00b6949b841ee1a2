package codec

import (
	"slices"
	"testing"

	"github.com/offhook/offhook/internal/media/meter"
)

// spoken is what a voice became with wishes: the sizes of its packets and those of
// silence behind it, the table of contents of each (RFC 6716 section 3.1), and how like
// the voice it still sounds.
func spoken(t *testing.T, w Wishes, rate, loss int) (sizes, silent []int, toc []byte, like float64) {
	t.Helper()
	e, d := pair(t, Opus, rate, rate)
	e.(Wishful).Heed(w)
	const seconds = 2 // of 12: Opus takes long with the race detector
	said, frame := announcement(t, rate)[:seconds*rate], rate/50
	voice := len(said) / frame
	said = append(said, make([]int16, 60*frame)...)
	var heard []int16
	payload, pcm := make([]byte, 1400), make([]int16, MaxSamples(rate))
	for n := range len(said) / frame {
		e.(LossAware).ExpectLoss(loss)
		k, err := e.Encode(payload, said[frame*n:frame*(n+1)])
		if err != nil {
			t.Fatal(err)
		}
		m, err := d.Decode(pcm, payload[:k])
		if err != nil {
			t.Fatal(err)
		}
		heard = append(heard, pcm[:m]...)
		if n < voice {
			sizes, toc = append(sizes, k), append(toc, payload[0])
		} else {
			silent = append(silent, k)
		}
	}
	return sizes, silent, toc, meter.Compare(said[:voice*frame], heard[:voice*frame], rate).Corr
}

func mean(sizes []int) float64 {
	sum := 0
	for _, n := range sizes {
		sum += n
	}
	return float64(sum) / float64(len(sizes))
}

// TestOpusHeedsWishes: bits, band, size, silence and copies as the far end's fmtp says,
// and it still sounds (RFC 7587 section 6.1).
func TestOpusHeedsWishes(t *testing.T) {
	// The configuration number of a packet says what of the spectrum it has: SILK has
	// 0 to 3 for narrowband, 4 to 7 for mediumband, 8 to 11 for wideband (RFC 6716 table 2).
	within := func(last byte) func(byte) bool {
		return func(toc byte) bool { return toc>>3 > last }
	}
	for _, tt := range []struct {
		name  string
		w     Wishes
		rate  int
		loss  int
		most  float64 // bit/s on average
		band  byte
		like  float64
		equal bool
		hush  bool
	}{
		{"20 kbit/s at 16 kHz", Wishes{BitRate: 20000}, 16000, 0, 20000, 31, 0.95, false, false},
		{"20 kbit/s at 48 kHz", Wishes{BitRate: 20000}, 48000, 0, 20000, 31, 0.95, true, false},
		{"12 kbit/s, loss", Wishes{BitRate: 12000}, 16000, 10, 12000, 31, 0.85, false, false},
		{"6 kbit/s", Wishes{BitRate: 6000}, 8000, 0, 6000, 31, 0.8, false, false},
		{"narrowband", Wishes{Band: 8000}, 16000, 0, 20000, 3, 0.5, false, false},
		{"constant", Wishes{BitRate: 20000, Constant: true}, 16000, 0, 20000, 31, 0.95, true, false},
		{"silence", Wishes{Silence: true}, 16000, 0, 28000, 31, 0.95, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sizes, silent, toc, like := spoken(t, tt.w, tt.rate, tt.loss)
			got := mean(sizes) * 8 * 50
			t.Logf("%.0f bit/s, likeness %.3f, silence %.1f bytes", got, like, mean(silent[30:]))
			if got > 1.05*tt.most || like < tt.like {
				t.Errorf("%.0f bit/s of %.0f, likeness %.3f of %.3f", got, tt.most, like, tt.like)
			}
			if slices.ContainsFunc(toc[10:], within(tt.band)) {
				t.Errorf("more of the spectrum than is heard: %v", toc[10:])
			}
			if tt.equal && slices.Min(sizes) != slices.Max(sizes) {
				t.Errorf("packets of %d to %d bytes", slices.Min(sizes), slices.Max(sizes))
			}
			if tt.hush && mean(silent[30:]) > 4 {
				t.Errorf("silence takes %.1f bytes a packet", mean(silent[30:]))
			}
		})
	}
}

// TestOpusCopiesOnlyForWhoTakesThem: loss changes nothing for a decoder without FEC.
func TestOpusCopiesOnlyForWhoTakesThem(t *testing.T) {
	none, _, _, _ := spoken(t, Wishes{NoCopies: true}, 16000, 10)
	plain, _, _, _ := spoken(t, Wishes{}, 16000, 0)
	copies, _, _, _ := spoken(t, Wishes{}, 16000, 10)
	if !slices.Equal(none, plain) || slices.Equal(copies, plain) {
		t.Errorf("%.0f bytes without copies, %.0f without loss, %.0f with copies", mean(none), mean(plain), mean(copies))
	}
}

// TestOpusForgetsWishes: an encoder out of the pool is the next one's.
func TestOpusForgetsWishes(t *testing.T) {
	var p Pool
	e, err := p.Encoder(Opus, 16000)
	if err != nil {
		t.Fatal(err)
	}
	e.(Wishful).Heed(Wishes{BitRate: 6000, Band: 8000, Constant: true, Silence: true, NoCopies: true})
	p.PutEncoder(Opus, 16000, e)
	payload := make([]byte, 1400)
	n, err := e.Encode(payload, announcement(t, 16000)[16000:16320])
	if want := 56000 / 8 / 50; err != nil || n != want {
		t.Errorf("%d bytes, %v; want %d", n, err, want)
	}
}
