//go:build !libopus

package codec

func newOpusEncoder(rate int) (Encoder, error) { return newGopusEncoder(rate) }

func newOpusDecoder(rate int) (Decoder, error) { return newGopusDecoder(rate) }
