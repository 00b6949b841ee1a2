package sounds

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/offhook/offhook/internal/media/file"
)

var errSlow = errors.New("decoding takes too long")

// decode decodes a file, one at a time, as it would take every core else.
func (l *Library) decode(r io.Reader) (*file.PCM, error) {
	if err := take(l.ctx, l.decodes); err != nil {
		return nil, err
	}
	defer func() { <-l.decodes }()
	ctx, cancel := context.WithTimeoutCause(l.ctx, decodeTime, errSlow)
	defer cancel()
	pcm, err := file.Decode(&bounded{ctx, r})
	if err != nil {
		return nil, fmt.Errorf("cannot be decoded: %w", err)
	}
	return &pcm, nil
}

// bounded reads until its time is over.
type bounded struct {
	ctx  context.Context //nolint:containedctx // a Reader has no other way to get it
	from io.Reader
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if err := context.Cause(b.ctx); err != nil {
		return 0, err
	}
	return b.from.Read(p)
}
