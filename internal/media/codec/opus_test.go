package codec

import (
	"testing"

	"github.com/offhook/offhook/internal/media/meter"
)

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
	if e.Reset(); e.settings.loss != 0 || e.FECEnabled() {
		t.Errorf("%+v after Reset", e.settings)
	}
}
