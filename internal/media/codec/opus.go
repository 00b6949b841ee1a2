package codec

import (
	"fmt"
	"sync"

	"github.com/thesyncim/gopus"
)

const (
	// complexity 5 sounds like 10 on speech for half the work.
	complexity = 5
	// expectedLoss is what in-band FEC is laid out for, in percent.
	expectedLoss = 5
)

// bitrates are bits per second by sample rate: enough for clear speech at its
// bandwidth.
var bitrates = map[int]int{8000: 14000, 16000: 24000, 48000: 32000}

// pools keep encoders and decoders by sample rate: one encoder is 360 KB, one
// decoder 190 KB, and calls come and go.
var (
	encoders = map[int]*sync.Pool{8000: {}, 16000: {}, 48000: {}}
	decoders = map[int]*sync.Pool{8000: {}, 16000: {}, 48000: {}}
)

type opusEncoder struct {
	enc  *gopus.Encoder
	pool *sync.Pool
}

func newOpusEncoder(rate int) (Encoder, error) {
	pool, ok := encoders[rate]
	if !ok {
		return nil, fmt.Errorf("codec: Opus does not run at %d Hz here", rate)
	}
	if e, ok := pool.Get().(*opusEncoder); ok {
		e.enc.Reset()
		return e, nil
	}
	enc, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: rate, Channels: 1, Application: gopus.ApplicationVoIP})
	if err != nil {
		return nil, fmt.Errorf("codec: %w", err)
	}
	enc.SetFEC(true)
	for _, err := range []error{
		enc.SetBitrate(bitrates[rate]), enc.SetComplexity(complexity), enc.SetPacketLoss(expectedLoss),
		enc.SetSignal(gopus.SignalVoice), enc.SetFrameSize(rate / 50),
	} {
		if err != nil {
			return nil, fmt.Errorf("codec: %w", err)
		}
	}
	return &opusEncoder{enc, pool}, nil
}

// Encode implements Encoder.
func (e *opusEncoder) Encode(pcm []int16, out []byte) (int, error) {
	return e.enc.EncodeInt16(pcm, out)
}

// Release implements Encoder.
func (e *opusEncoder) Release() { e.pool.Put(e) }

type opusDecoder struct {
	dec  *gopus.Decoder
	pool *sync.Pool
}

func newOpusDecoder(rate int) (Decoder, error) {
	pool, ok := decoders[rate]
	if !ok {
		return nil, fmt.Errorf("codec: Opus does not run at %d Hz here", rate)
	}
	if d, ok := pool.Get().(*opusDecoder); ok {
		d.dec.Reset()
		return d, nil
	}
	cfg := gopus.DefaultDecoderConfig(rate, 1)
	cfg.MaxPacketSamples = MaxFrame
	dec, err := gopus.NewDecoder(cfg)
	if err != nil {
		return nil, fmt.Errorf("codec: %w", err)
	}
	return &opusDecoder{dec, pool}, nil
}

// Decode implements Decoder.
func (d *opusDecoder) Decode(payload []byte, lost int, pcm []int16) (int, error) {
	if payload == nil {
		return d.dec.DecodeInt16(nil, pcm[:min(lost, MaxFrame)])
	}
	return d.dec.DecodeInt16(payload, pcm[:MaxFrame])
}

// Release implements Decoder.
func (d *opusDecoder) Release() { d.pool.Put(d) }
