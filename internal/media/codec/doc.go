// Package codec codes and decodes speech: G.711 by tables, Opus by gopus behind
// an interface of our own. Opus runs directly at the rate of its partner (8 kHz
// for G.711), so no call needs a resampler.
package codec

import (
	"fmt"

	"github.com/offhook/offhook/internal/media"
)

// Encoder codes one frame at a time. It is not safe for concurrent use.
type Encoder interface {
	// Encode writes the coded frame into out, which has room for
	// media.MaxPayload bytes, and returns its length. For Opus pcm must be 2.5, 5,
	// 10, 20, 40 or 60 ms at the encoder's rate.
	Encode(pcm []int16, out []byte) (n int, err error)
	// Release gives the encoder's memory back for others. It must not be used
	// afterwards.
	Release()
}

// Decoder decodes one packet at a time. It is not safe for concurrent use.
type Decoder interface {
	// Decode writes the samples of one packet into pcm, which has room for
	// MaxFrame samples, and returns how many. A nil payload conceals the loss of
	// lost samples.
	Decode(payload []byte, lost int, pcm []int16) (n int, err error)
	// Release gives the decoder's memory back for others. It must not be used
	// afterwards.
	Release()
}

// MaxFrame is the most samples in one packet: 60 ms at 48 kHz.
const MaxFrame = 2880

// NewEncoder returns an encoder of c for samples at rate: 8000 for G.711; 8000,
// 16000 or 48000 for Opus.
func NewEncoder(c media.Codec, rate int) (Encoder, error) {
	switch {
	case c == media.PCMU && rate == 8000:
		return ulawEncoder{}, nil
	case c == media.PCMA && rate == 8000:
		return alawEncoder{}, nil
	case c == media.Opus:
		return newOpusEncoder(rate)
	}
	return nil, fmt.Errorf("codec: no encoder for %v at %d Hz", c, rate)
}

// NewDecoder returns a decoder of c to samples at rate, as NewEncoder.
func NewDecoder(c media.Codec, rate int) (Decoder, error) {
	switch {
	case c == media.PCMU && rate == 8000:
		return &g711Decoder{table: &ulawTable}, nil
	case c == media.PCMA && rate == 8000:
		return &g711Decoder{table: &alawTable}, nil
	case c == media.Opus:
		return newOpusDecoder(rate)
	}
	return nil, fmt.Errorf("codec: no decoder for %v at %d Hz", c, rate)
}
