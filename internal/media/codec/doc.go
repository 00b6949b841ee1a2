// Package codec turns linear audio into RTP payloads and back: G.711 with
// tables of our own, Opus with gopus behind our interfaces. Encoders and
// decoders work at the sample rate asked for: Opus codes 8 kHz audio directly, so
// that a telephone and a browser meet without a resampler.
package codec
