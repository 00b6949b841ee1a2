// Package codec turns linear audio into RTP payloads and back: G.711 and
// G.722 by code of our own, Opus with gopus behind our interfaces. Encoders and
// decoders work at the sample rate asked for: Opus and G.722 code 8 kHz audio directly,
// so that a telephone and a browser meet without a resampler.
package codec
