package codec

import (
	"errors"
	"fmt"
)

// Kind names an audio coding. Values are stable and used in logs.
type Kind uint8

// The codings.
const (
	None Kind = iota
	PCMU
	PCMA
	G722
	Opus
	// L16x8, L16x16 and L16x24 are linear PCM at 8000, 16000 and 24000 Hz: signed
	// 16-bit samples, the lower byte first. No phone gets them, only who listens or
	// speaks within this machine, and applications by WebSocket.
	L16x8
	L16x16
	L16x24
)

// String returns the SDP encoding name, "PCMU"; that of linear PCM has its rate.
func (k Kind) String() string {
	return [...]string{"none", "PCMU", "PCMA", "G722", "opus", "L16/8000", "L16/16000", "L16/24000"}[min(k, L16x24)]
}

// ClockRate returns the RTP clock in Hz: 8000, also for G722 (RFC 3551 section
// 4.5.2), 48000 for Opus (RFC 7587), and the rate of linear PCM.
func (k Kind) ClockRate() uint32 {
	switch k {
	case Opus:
		return 48000
	case L16x16:
		return 16000
	case L16x24:
		return 24000
	case None, PCMU, PCMA, G722, L16x8:
	}
	return 8000
}

// MaxSamples returns how many samples at rate the longest packet can hold: 120
// ms, which is what one Opus packet may last (RFC 6716 section 3.2.5).
func MaxSamples(rate int) int { return rate * 120 / 1000 }

// Encoder turns linear samples into payloads of one stream. It is not safe for
// concurrent use.
type Encoder interface {
	// Encode writes the payload for pcm into dst and returns its length in bytes.
	// pcm is mono; for Opus it lasts 10, 20, 40 or 60 ms, for the others any time. It
	// fails if dst is too short or pcm of another length.
	Encode(dst []byte, pcm []int16) (int, error)
	// Reset forgets the stream, for another one.
	Reset()
}

// LossAware is an Encoder that can make up for loss on the way to the listener: one
// of Opus puts a copy of each frame into the next packet.
type LossAware interface {
	// ExpectLoss says how many of hundred packets get lost, as the listener
	// reports; 0 is the beginning. It may be called at any time between two frames.
	ExpectLoss(percent int)
}

// Decoder turns payloads of one stream into linear samples. It is not safe for
// concurrent use.
type Decoder interface {
	// Decode writes the samples of payload to pcm, at least MaxSamples long, and
	// returns how many they are. It fails on a payload that is none.
	Decode(pcm []int16, payload []byte) (int, error)
	// Conceal fills pcm, 10 to 60 ms, in place of what was lost; next is the
	// payload that follows the gap, nil if unknown. It fades out with time.
	Conceal(pcm []int16, next []byte) error
	// Reset forgets the stream, for another one.
	Reset()
}

// Errors of this package.
var (
	ErrUnsupported = errors.New("codec not supported at this sample rate")
	ErrTooLong     = errors.New("audio does not fit its buffer")
)

// NewEncoder returns an encoder for mono audio at rate Hz: 8000 for G.711; 8000 or
// 16000 for G.722 and linear PCM, which is converted to its own rate; 8000, 16000 or
// 48000 for Opus.
func NewEncoder(k Kind, rate int) (Encoder, error) {
	switch {
	case k == PCMU && rate == 8000:
		return &lawEncoder{&toMuLaw}, nil
	case k == PCMA && rate == 8000:
		return &lawEncoder{&toALaw}, nil
	case k == G722 && (rate == 8000 || rate == 16000):
		return newG722Encoder(rate), nil
	case k == Opus:
		return newOpusEncoder(rate)
	case k.Linear() && (rate == 8000 || rate == 16000):
		return newLinearEncoder(k, rate), nil
	}
	return nil, fmt.Errorf("codec: %v at %d Hz: %w", k, rate, ErrUnsupported)
}

// NewDecoder returns a decoder that yields mono audio at rate Hz: 8000 for
// G.711; 8000 or 16000 for G.722 and linear PCM; 8000, 16000 or 48000 for Opus,
// whatever the far end encoded.
func NewDecoder(k Kind, rate int) (Decoder, error) {
	switch {
	case k == PCMU && rate == 8000:
		return &lawDecoder{table: &fromMuLaw, lost: newConcealer(rate)}, nil
	case k == PCMA && rate == 8000:
		return &lawDecoder{table: &fromALaw, lost: newConcealer(rate)}, nil
	case k == G722 && (rate == 8000 || rate == 16000):
		return newG722Decoder(rate), nil
	case k == Opus:
		return newOpusDecoder(rate)
	case k.Linear() && (rate == 8000 || rate == 16000):
		return newLinearDecoder(k, rate), nil
	}
	return nil, fmt.Errorf("codec: %v at %d Hz: %w", k, rate, ErrUnsupported)
}
