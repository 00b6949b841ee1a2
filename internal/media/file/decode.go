package file

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/offhook/offhook/internal/media/resample"
)

// MaxDuration is the longest sound that Decode takes: 58 MB of samples.
const MaxDuration = 30 * time.Minute

// Rates of what Decode returns: the band of the telephone, and that of good speech.
const (
	narrow = 8000
	wide   = 16000
)

// Errors of Decode.
var (
	ErrFormat  = errors.New("neither WAV nor MP3 nor Ogg/Opus")
	ErrTooLong = errors.New("longer than 30 minutes")
	ErrNoAudio = errors.New("there is no audio in it")
	ErrDamaged = errors.New("a decoder failed at it")
)

// Decode reads a WAV, MP3 or Ogg/Opus file, which it tells apart by their first
// bytes, and mixes its channels to one. The result has 8000 Hz if the file has no
// more, else 16000, which is all that a call can carry of it. A file that was cut
// off gives what is there; an error of r is returned.
func Decode(r io.Reader) (PCM, error) {
	in := &input{from: r}
	buffered := bufio.NewReader(in)
	head, _ := buffered.Peek(12) // a short file is none of them
	decode, err := decoderOf(head)
	if err != nil {
		return PCM{}, errors.Join(in.err, err)
	}
	var s sink
	err = protect(func() error { return decode(buffered, &s) })
	if in.err != nil {
		return PCM{}, fmt.Errorf("file: %w", in.err)
	}
	if err != nil {
		return PCM{}, err
	}
	return s.finish()
}

// protect makes a panic an error: the decoders of others meet files that may be
// hostile.
func protect(decode func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("file: %w: %v", ErrDamaged, r)
		}
	}()
	return decode()
}

// decoderOf returns what decodes a file that begins with head.
func decoderOf(head []byte) (func(*bufio.Reader, *sink) error, error) {
	switch {
	case len(head) < 4:
	case string(head[:4]) == "RIFF":
		return decodeWAV, nil
	case string(head[:4]) == "OggS":
		return decodeOpus, nil
	case string(head[:3]) == "ID3", head[0] == 0xff && head[1]&0xe0 == 0xe0: // a tag, or a frame
		return decodeMP3, nil
	}
	return nil, fmt.Errorf("file: %w", ErrFormat)
}

// input remembers why reading failed: decoders take any error for the end.
type input struct {
	from io.Reader
	err  error
}

// Read implements io.Reader.
func (i *input) Read(b []byte) (int, error) {
	n, err := i.from.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		i.err = err
	}
	return n, err
}

// blockSize is how many samples a sink adds to its memory at once: 8 s or more.
// One slice that grows would leave several times its size to the garbage collector.
const blockSize = 1 << 17

// sink collects what a decoder yields, at the rate that we keep. begin comes first.
type sink struct {
	rate     int
	resample *resample.Resampler
	blocks   [][]int16
	length   int // of all blocks
}

// begin says that the decoder yields rate Hz.
func (s *sink) begin(rate int) {
	s.rate = narrow
	if rate > narrow {
		s.rate = wide
	}
	s.resample = resample.New(rate, s.rate)
}

// add takes mono samples. Its error ends the decoder.
func (s *sink) add(pcm []int16) error {
	s.collect(func(block []int16) []int16 { return s.resample.Append(block, pcm) })
	if time.Duration(s.length)*time.Second/time.Duration(s.rate) > MaxDuration {
		return fmt.Errorf("file: %w", ErrTooLong)
	}
	return nil
}

// collect lets more append to the last block.
func (s *sink) collect(more func([]int16) []int16) {
	last := len(s.blocks) - 1
	if last < 0 || len(s.blocks[last]) >= blockSize {
		const room = 1 << 13 // for what one add may yield
		s.blocks = append(s.blocks, make([]int16, 0, blockSize+room))
		last++
	}
	before := len(s.blocks[last])
	s.blocks[last] = more(s.blocks[last])
	s.length += len(s.blocks[last]) - before
}

// finish returns the sound.
func (s *sink) finish() (PCM, error) {
	if s.resample != nil {
		s.collect(s.resample.Flush)
	}
	if s.length == 0 {
		return PCM{}, fmt.Errorf("file: %w", ErrNoAudio)
	}
	pcm := PCM{Rate: s.rate, Samples: make([]int16, 0, s.length)}
	for i, block := range s.blocks {
		pcm.Samples = append(pcm.Samples, block...)
		s.blocks[i] = nil
	}
	return pcm, nil
}
