// Package file reads and writes recorded audio. It reads WAV, MP3 and Ogg/Opus;
// what it reads may be hostile: length and memory are bounded.
package file

import "time"

// PCM is recorded audio: mono, 16-bit signed samples at Rate Hz. Who got one
// shares the samples and must not change them.
type PCM struct {
	Rate    int
	Samples []int16
}

// Duration returns how long p lasts.
func (p PCM) Duration() time.Duration {
	if p.Rate <= 0 {
		return 0
	}
	return time.Duration(len(p.Samples)) * time.Second / time.Duration(p.Rate)
}
