package record

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/file"
)

// writer writes samples, the same number for each channel, to a file that can be
// played at any time.
type writer interface {
	Write(channels ...[]int16) error
	Close() error
}

// contentType returns what a recording is written as. There is no encoder of MP3 that
// this program could contain: who asks for it gets WAV, and is told so by the
// content type. More than two channels are WAV, too.
func contentType(f core.RecordFormat, channels int) string {
	if f == core.RecordOgg && channels <= 2 {
		return typeOgg
	}
	return typeWAV
}

func newWriter(to io.WriteSeeker, meta core.Recording) (writer, error) {
	switch {
	case meta.ContentType == typeOgg:
		return file.NewOpusWriter(to, rate, meta.Channels)
	case meta.Channels <= 2:
		return file.NewWAVWriter(to, rate, meta.Channels)
	}
	return newWideWriter(to, meta.Channels)
}

// wideWriter writes WAV with more than two channels, whose head says that no channel
// belongs to a place in the room (WAVE_FORMAT_EXTENSIBLE).
type wideWriter struct {
	to       io.WriteSeeker
	channels int
	written  int64 // bytes of samples
	noted    int64 // of these, what the head tells of
	buf      []byte
}

// wideHead is the head of such a file.
type wideHead struct {
	RIFF      [4]byte
	Size      uint32
	WAVE      [4]byte
	Fmt       [4]byte
	FmtSize   uint32
	Coding    uint16
	Channels  uint16
	Rate      uint32
	ByteRate  uint32
	Align     uint16
	Bits      uint16
	More      uint16
	ValidBits uint16
	Places    uint32
	SubFormat [16]byte
	Data      [4]byte
	DataSize  uint32
}

// wideHeadSize is how long a wideHead is, in bytes.
const wideHeadSize = 68

func newWideWriter(to io.WriteSeeker, channels int) (*wideWriter, error) {
	w := &wideWriter{to: to, channels: channels}
	return w, w.head()
}

// head writes the head for what is written so far.
func (w *wideWriter) head() error {
	size := uint32(min(w.written, math.MaxUint32-wideHeadSize))
	head := wideHead{
		RIFF: [4]byte([]byte("RIFF")), Size: wideHeadSize - 8 + size, WAVE: [4]byte([]byte("WAVE")), Fmt: [4]byte([]byte("fmt ")), FmtSize: 40,
		Coding: 0xFFFE, Channels: uint16(w.channels), Rate: rate, ByteRate: uint32(2 * rate * w.channels), Align: uint16(2 * w.channels), Bits: 16,
		More: 22, ValidBits: 16, SubFormat: [16]byte([]byte("\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71")), // KSDATAFORMAT_SUBTYPE_PCM
		Data: [4]byte([]byte("data")), DataSize: size,
	}
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, head); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if _, err := w.to.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if _, err := w.to.Write(b.Bytes()); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	w.noted = w.written
	_, err := w.to.Seek(0, io.SeekEnd)
	return err
}

// Write implements writer.
func (w *wideWriter) Write(channels ...[]int16) error {
	w.buf = w.buf[:0]
	for i := range channels[0] {
		for _, pcm := range channels {
			w.buf = binary.LittleEndian.AppendUint16(w.buf, uint16(pcm[i]))
		}
	}
	if _, err := w.to.Write(w.buf); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	w.written += int64(len(w.buf))
	if w.written-w.noted < int64(2*rate*w.channels) { // a second
		return nil
	}
	return w.head()
}

// Close implements writer.
func (w *wideWriter) Close() error { return w.head() }
