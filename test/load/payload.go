package main

import (
	"fmt"
	"math"

	"github.com/offhook/offhook/internal/media/codec"
)

// stampedG711 is PCMU whose payloads carry their number and send time.
func stampedG711() coding { return coding{payloadType: pcmuType, step: 160} }

// tone encodes a second of a warbling tone, once, to be sent again and again.
func tone(kind codec.Kind, payloadType uint8) (coding, error) {
	rate := int(kind.ClockRate())
	encoder, err := codec.NewEncoder(kind, rate)
	if err != nil {
		return coding{}, err
	}
	samples := rate / 50
	out := coding{payloadType: payloadType, step: uint32(samples)} //nolint:gosec // 160 or 960
	pcm := make([]int16, samples)
	buf := make([]byte, 1500)
	for n := range 50 {
		for i := range pcm {
			t := float64(n*samples+i) / float64(rate)
			// Like a voice it has a pitch, harmonics and syllables.
			pcm[i] = int16(8000 * (0.6 + 0.4*math.Sin(2*math.Pi*4*t)) *
				(0.5*math.Sin(2*math.Pi*220*t) + 0.3*math.Sin(2*math.Pi*660*t) + 0.2*math.Sin(2*math.Pi*1540*t)))
		}
		size, err := encoder.Encode(buf, pcm)
		if err != nil {
			return coding{}, fmt.Errorf("encode tone: %w", err)
		}
		out.payloads = append(out.payloads, append([]byte(nil), buf[:size]...))
	}
	return out, nil
}
