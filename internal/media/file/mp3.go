package file

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/hajimehoshi/go-mp3"
)

// ErrMP3 is a file that looks like MP3 and is none.
var ErrMP3 = errors.New("not an MP3 file that can be decoded")

// decodeMP3 reads an MP3 file.
func decodeMP3(in *bufio.Reader, s *sink) error {
	// Without Seek, or it would read the file twice.
	dec, err := mp3.NewDecoder(struct{ io.Reader }{in})
	if err != nil {
		return fmt.Errorf("file: %w: %w", ErrMP3, err)
	}
	s.begin(dec.SampleRate())
	var raw [4096]byte // pairs of 16-bit samples, also of a mono file
	var pcm [len(raw) / 2]int16
	for {
		n, err := io.ReadFull(dec, raw[:])
		samples := n / 4 * 2
		for i := range samples {
			pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
		}
		if full := s.add(mono(pcm[:samples], 2)); full != nil {
			return full
		}
		if err != nil {
			return nil //nolint:nilerr // the end, or a tag or damage behind what was heard so far
		}
	}
}
