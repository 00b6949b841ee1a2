package codec

import (
	"os"
	"testing"

	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/media/resample"
)

// announcement is 12 s of a voice at rate.
func announcement(t *testing.T, rate int) []int16 {
	t.Helper()
	var pcm []int16
	for _, name := range []string{"busy", "closed", "no-answer", "declined"} {
		wav, err := os.ReadFile("../../speech/prompts/" + name + ".wav")
		if err != nil {
			t.Fatal(err)
		}
		const head = 44
		samples := make([]int16, (len(wav)-head)/2)
		GetLinear(samples, wav[head:])
		pcm = append(pcm, samples...)
	}
	if rate != 8000 {
		up := resample.New(8000, rate)
		pcm = up.Flush(up.Append(nil, pcm))
	}
	return pcm
}

// What is coded without a model of a voice sounds as good as with one, also when
// loss on the way makes the encoder go over to it.
func TestOpusSounds(t *testing.T) {
	for _, c := range []struct {
		name string
		rate int
		loss func(frame int) int
		corr float64
	}{
		{"8 kHz", 8000, func(int) int { return 0 }, 0.998},
		{"16 kHz", 16000, func(int) int { return 0 }, 0.995},
		{"8 kHz, with copies", 8000, func(int) int { return 10 }, 0.99},
		{"8 kHz, loss comes and goes", 8000, func(frame int) int { return frame / 60 % 2 * 10 }, 0.995},
		{"16 kHz, loss comes and goes", 16000, func(frame int) int { return frame / 60 % 2 * 10 }, 0.985},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, d := pair(t, Opus, c.rate, c.rate)
			said, frame := announcement(t, c.rate), c.rate/50
			var heard []int16
			payload, pcm, size := make([]byte, 1400), make([]int16, MaxSamples(c.rate)), 0
			for n := range len(said) / frame {
				if aware, ok := e.(LossAware); ok {
					aware.ExpectLoss(c.loss(n))
				}
				k, err := e.Encode(payload, said[frame*n:frame*(n+1)])
				if err != nil {
					t.Fatal(err)
				}
				size += k
				if k, err = d.Decode(pcm, payload[:k]); err != nil {
					t.Fatal(err)
				}
				heard = append(heard, pcm[:k]...)
			}
			got, bits := meter.Compare(said, heard, c.rate), size*8*c.rate/len(said)
			t.Logf("corr %.4f, lost %.2f %%, %+.2f dB, %.1f ms late, %d bit/s", got.Corr, 100*got.Lost, got.Gain, 1000*float64(got.Delay)/float64(c.rate), bits)
			if got.Corr < c.corr || got.Lost > 0.001 || got.Gain < -0.5 || got.Gain > 0.3 || bits > 64000 {
				t.Errorf("want corr >= %.3f, no more bits than G.711", c.corr)
			}
		})
	}
}

// lostTone sends a tone that changes with the frame that gets lost, and returns how
// much of the new one is heard in its place.
func lostTone(t *testing.T, rate, loss int) float64 {
	t.Helper()
	e, d := pair(t, Opus, rate, rate)
	aware, ok := e.(LossAware)
	if !ok {
		t.Fatal("the encoder does not care for loss")
	}
	aware.ExpectLoss(loss)
	frame := rate / 50
	pcm := make([]int16, MaxSamples(rate))
	const lost = 22
	for i := range lost + 2 {
		freq := 400.0
		if i >= lost {
			freq = 900
		}
		payload := make([]byte, 1400)
		n, err := e.Encode(payload, sine(frame, rate, freq))
		switch {
		case err != nil:
		case i == lost:
			continue
		case i == lost+1:
			err = d.Conceal(pcm[:frame], payload[:n])
		default:
			_, err = d.Decode(pcm, payload[:n])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return meter.Purity(pcm[frame/2:frame], rate, 900)
}

// A lost frame is heard from its copy in the next packet, once the encoder knows
// that packets get lost.
func TestOpusCopiesWhatMayGetLost(t *testing.T) {
	for _, rate := range []int{8000, 16000, 48000} {
		if without, with := lostTone(t, rate, 0), lostTone(t, rate, 10); without > 0.3 || with < 0.6 {
			t.Errorf("%d Hz: purity of what was lost %.2f without copies, %.2f with", rate, without, with)
		}
	}
}

// Reset takes back what was said about loss.
func TestOpusResetForgetsLoss(t *testing.T) {
	e, err := newGopusEncoder(8000)
	if err != nil {
		t.Fatal(err)
	}
	e.ExpectLoss(10)
	if e.settings.loss != 10 {
		t.Fatalf("%+v", e.settings)
	}
	if e.Reset(); e.settings.loss != 0 || !e.settings.plain || e.FECEnabled() {
		t.Errorf("%+v after Reset", e.settings)
	}
}

// A packet that carries a copy of the frame before it is told from one that does not.
func TestCopiesAreRecognised(t *testing.T) {
	for _, c := range []struct {
		name         string
		rate, frames int // frames of 10 ms in a packet
	}{
		{"SILK, 20 ms", 8000, 2},
		{"SILK, 40 ms", 8000, 4},
		{"SILK, 60 ms", 16000, 6},
		{"hybrid, 20 ms", 48000, 2},
	} {
		for _, loss := range []int{0, 20} {
			e, err := newGopusEncoder(c.rate)
			if err != nil {
				t.Fatal(err)
			}
			e.apply(modelledFor(c.rate, loss))
			said, frame, copies, packets := announcement(t, c.rate), c.rate/100*c.frames, 0, 0
			payload := make([]byte, opusMaxPacket)
			for ; len(said) >= frame; said = said[frame:] {
				n, err := e.Encode(payload, said[:frame])
				if err != nil {
					t.Fatal(err)
				}
				packets++
				if hasCopy(payload[:n]) {
					copies++
				}
			}
			t.Logf("%s, %d %% lost: %d of %d packets with a copy", c.name, loss, copies, packets)
			if loss == 0 && copies > 0 || loss > 0 && copies < packets/4 {
				t.Errorf("%s, %d %% lost: %d of %d packets with a copy", c.name, loss, copies, packets)
			}
		}
	}
	for _, p := range [][]byte{nil, {0}, {31 << 3, 0xff}, {3, 0xff, 0xff}} {
		if hasCopy(p) {
			t.Errorf("% x has a copy", p)
		}
	}
}
