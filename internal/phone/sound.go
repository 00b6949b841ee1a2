package phone

import (
	"fmt"
	"io"
	"math"

	"github.com/offhook/offhook/internal/media/file"
)

// Rate is the sample rate of all audio of a phone, in Hz.
const Rate = 8000

// Frame is the number of samples in 20 ms.
const Frame = Rate / 50

// Source fills pcm, Frame samples, with what comes next. It is called every 20
// ms by one goroutine of a call and must not block. A nil Source is silence.
type Source func(pcm []int16)

// Sink takes what a call hears, Frame samples mostly, in order. It must not block nor
// keep pcm.
type Sink func(pcm []int16)

// Tone returns a steady tone of freq Hz at -12 dB below full scale.
func Tone(freq float64) Source {
	const amplitude = math.MaxInt16 * 0.354 // a sine of this peak has an RMS of -12 dB
	step := 2 * math.Pi * freq / Rate
	phase := 0.0
	return func(pcm []int16) {
		for i := range pcm {
			pcm[i] = int16(amplitude * math.Sin(phase))
			phase = math.Mod(phase+step, 2*math.Pi)
		}
	}
}

// Recording returns a Source that plays pcm once, or for ever with loop.
func Recording(pcm []int16, loop bool) Source {
	at := 0
	return func(out []int16) {
		n := copy(out, pcm[at:])
		for at += n; n < len(out) && loop && len(pcm) > 0; at = n % len(pcm) {
			n += copy(out[n:], pcm)
		}
		clear(out[n:])
	}
}

// ReadWAV reads a WAV file for Recording. Its rate must be Rate or a multiple of
// it; of those it takes the mean of the samples that become one.
func ReadWAV(r io.Reader) ([]int16, error) {
	rate, pcm, err := file.DecodeWAV(r)
	if err != nil {
		return nil, fmt.Errorf("phone: %w", err)
	}
	if rate%Rate != 0 {
		return nil, fmt.Errorf("phone: WAV has %d Hz, want %d or a multiple", rate, Rate)
	}
	n := rate / Rate
	out := pcm[:len(pcm)/n]
	for i := range out {
		sum := 0
		for _, s := range pcm[i*n : (i+1)*n] {
			sum += int(s)
		}
		out[i] = int16(sum / n)
	}
	return out, nil
}
