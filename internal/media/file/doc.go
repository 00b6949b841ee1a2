// Package file reads and writes recorded audio.
package file

// PCM is recorded audio: mono, 16-bit signed samples at Rate Hz. Who got one
// shares the samples and must not change them.
type PCM struct {
	Rate    int
	Samples []int16
}
