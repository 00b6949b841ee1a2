package codec

import (
	"fmt"
	"math"

	"github.com/thesyncim/gopus"
)

const (
	// opusComplexity is where quality stops to pay for its time in calls.
	opusComplexity = 5
	// opusLoss is the loss in percent that in-band FEC is sized for.
	opusLoss = 10
	// opusMaxPacket is the most that one of our packets takes, in bytes.
	opusMaxPacket = 1275
)

// opusBitRate returns the bit rate in bit/s for mono speech sampled at rate.
func opusBitRate(rate int) int {
	switch {
	case rate <= 8000:
		return 16000 // 12k for speech, the rest for FEC
	case rate <= 16000:
		return 24000
	}
	return 32000
}

type opusEncoder struct{ *gopus.Encoder }

func newOpusEncoder(rate int) (Encoder, error) {
	e, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: rate, Channels: 1, Application: gopus.ApplicationVoIP})
	if err != nil {
		return nil, fmt.Errorf("codec: opus encoder: %w", err)
	}
	for _, err := range []error{
		e.SetBitrate(opusBitRate(rate)), e.SetComplexity(opusComplexity), e.SetPacketLoss(opusLoss), e.SetFrameSize(rate / 50),
	} {
		if err != nil {
			return nil, fmt.Errorf("codec: opus encoder: %w", err)
		}
	}
	e.SetFEC(true)
	return opusEncoder{e}, nil
}

// Encode implements Encoder.
func (e opusEncoder) Encode(dst []byte, pcm []int16) (int, error) {
	if len(pcm) != e.FrameSize() {
		if err := e.SetFrameSize(len(pcm)); err != nil {
			return 0, fmt.Errorf("codec: opus: %d samples: %w", len(pcm), err)
		}
	}
	n, err := e.EncodeInt16(pcm, dst[:min(len(dst), opusMaxPacket)])
	if err != nil {
		return 0, fmt.Errorf("codec: opus: %w", err)
	}
	return n, nil
}

type opusDecoder struct {
	*gopus.Decoder
	lost []float32 // gopus recovers lost frames as floats only
}

func newOpusDecoder(rate int) (Decoder, error) {
	// Less than gopus' default of 120 ms, which costs 50 KB more a leg; the
	// longest packet seen in calls has 60 ms.
	d, err := gopus.NewDecoder(gopus.DecoderConfig{SampleRate: rate, Channels: 1, MaxPacketSamples: 2880})
	if err != nil {
		return nil, fmt.Errorf("codec: opus decoder: %w", err)
	}
	return &opusDecoder{Decoder: d, lost: make([]float32, MaxSamples(rate))}, nil
}

// Decode implements Decoder.
func (d *opusDecoder) Decode(pcm []int16, payload []byte) (int, error) {
	n, err := d.DecodeInt16(payload, pcm)
	if err != nil {
		return 0, fmt.Errorf("codec: opus: %w", err)
	}
	return n, nil
}

// Conceal implements Decoder. It uses what next says about the frame before it (RFC 6716 section
// 2.1.7); without that it guesses.
func (d *opusDecoder) Conceal(pcm []int16, next []byte) error {
	if len(pcm) > len(d.lost) {
		return ErrTooLong
	}
	lost := d.lost[:len(pcm)]
	n, err := d.DecodeWithFEC(next, lost, len(next) > 0)
	if err != nil {
		return fmt.Errorf("codec: opus: conceal: %w", err)
	}
	for i, s := range lost[:n] {
		pcm[i] = int16(max(math.MinInt16, min(math.MaxInt16, math.Round(float64(s)*(1<<15)))))
	}
	clear(pcm[n:])
	return nil
}
