package record

import (
	"io"

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
	if meta.ContentType == typeOgg {
		return file.NewOpusWriter(to, rate, meta.Channels)
	}
	// Also with more than two channels the head is the plain one: WAVE_FORMAT_EXTENSIBLE
	// would be more correct, and many readers refuse it (Python's wave up to 3.11).
	return file.NewWAVWriter(to, rate, meta.Channels)
}
