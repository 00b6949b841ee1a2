package file

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/offhook/offhook/internal/media/codec"
)

// refreshEvery is how much sound may be lost to readers by a crash, in seconds:
// that often the sizes in the header are brought up to date.
const refreshEvery = 1

// errChannels is a Write with another number of channels than the file has, or
// with channels of different length.
var errChannels = errors.New("file: one slice for each channel, all of one length")

// WAVWriter writes 16-bit PCM to a WAV file as it comes. The file can be played
// at any time, also after a crash. It is not safe for concurrent use.
type WAVWriter struct {
	to       io.WriteSeeker
	rate     int
	channels int
	written  int // samples of each channel
	header   int // of these, what the header tells of
	buf      []byte
}

// NewWAVWriter begins a file of rate Hz with one channel or more. The caller closes
// to after Close.
func NewWAVWriter(to io.WriteSeeker, rate, channels int) (*WAVWriter, error) {
	if err := EncodeWAV(to, rate, channels, nil); err != nil {
		return nil, err
	}
	return &WAVWriter{to: to, rate: rate, channels: channels}, nil
}

// Write appends samples, the same number for each channel: of a conversation's two
// sides, say.
func (w *WAVWriter) Write(channels ...[]int16) error {
	if err := checkChannels(channels, w.channels); err != nil {
		return err
	}
	size := 2 * w.channels * len(channels[0])
	w.buf = slices.Grow(w.buf[:0], size)[:size]
	if w.channels == 1 {
		codec.PutLinear(w.buf, channels[0])
		channels = nil
	}
	for c, pcm := range channels {
		for i, s := range pcm {
			binary.LittleEndian.PutUint16(w.buf[2*(i*w.channels+c):], uint16(s))
		}
	}
	if _, err := w.to.Write(w.buf); err != nil {
		return fmt.Errorf("file: write WAV: %w", err)
	}
	w.written += len(w.buf) / (2 * w.channels)
	if w.written-w.header < refreshEvery*w.rate {
		return nil
	}
	return w.Close()
}

func checkChannels(channels [][]int16, want int) error {
	if len(channels) != want {
		return errChannels
	}
	for _, pcm := range channels {
		if len(pcm) != len(channels[0]) {
			return errChannels
		}
	}
	return nil
}

// Close brings the header up to date.
func (w *WAVWriter) Close() error {
	size := min(int64(w.written)*int64(w.channels)*2, math.MaxUint32-wavRest)
	if _, err := w.to.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("file: WAV header: %w", err)
	}
	if err := writeWAVHeader(w.to, w.rate, w.channels, uint32(size)); err != nil {
		return err
	}
	if _, err := w.to.Seek(0, io.SeekEnd); err != nil {
		return fmt.Errorf("file: WAV header: %w", err)
	}
	w.header = w.written
	return nil
}
