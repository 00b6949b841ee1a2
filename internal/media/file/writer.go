package file

import (
	"encoding/binary"
	"fmt"
	"io"
)

// refreshEvery is how much sound may be lost to readers by a crash, in seconds:
// that often the sizes in the header are brought up to date.
const refreshEvery = 2

// Writer writes mono 16-bit PCM to a WAV file as it comes. The file can be
// played at any time, also after a crash. It is not safe for concurrent use.
type Writer struct {
	to      io.WriteSeeker
	rate    int
	written int // samples
	header  int // samples that the header tells of
	buf     []byte
}

// NewWriter begins a file of rate Hz. The caller closes to after Close.
func NewWriter(to io.WriteSeeker, rate int) (*Writer, error) {
	if err := EncodeWAV(to, rate, 1, nil); err != nil {
		return nil, err
	}
	return &Writer{to: to, rate: rate}, nil
}

// Write appends samples.
func (w *Writer) Write(pcm []int16) error {
	w.buf = w.buf[:0]
	for _, s := range pcm {
		w.buf = binary.LittleEndian.AppendUint16(w.buf, uint16(s))
	}
	if _, err := w.to.Write(w.buf); err != nil {
		return fmt.Errorf("file: write WAV: %w", err)
	}
	w.written += len(pcm)
	if w.written-w.header < refreshEvery*w.rate {
		return nil
	}
	return w.Close()
}

// Close brings the header up to date.
func (w *Writer) Close() error {
	size := uint32(w.written * 2)
	for at, value := range map[int64]uint32{4: 36 + size, 40: size} { // RIFF size, data size
		if _, err := w.to.Seek(at, io.SeekStart); err != nil {
			return fmt.Errorf("file: WAV header: %w", err)
		}
		if err := binary.Write(w.to, binary.LittleEndian, value); err != nil {
			return fmt.Errorf("file: WAV header: %w", err)
		}
	}
	if _, err := w.to.Seek(0, io.SeekEnd); err != nil {
		return fmt.Errorf("file: WAV header: %w", err)
	}
	w.header = w.written
	return nil
}
