package record

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/google/uuid"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/file"
)

const (
	// sweepEvery is how often what is too old is deleted, at most sweepBatch at once.
	sweepEvery = 10 * time.Minute
	sweepBatch = 100
)

// Keep stores what a party said and returns the name of its file.
func (r *Recorder) Keep(ctx context.Context, app string, leg core.LegID, pcm file.PCM) (string, error) {
	wav, err := wavOf(pcm)
	if err != nil {
		return "", err
	}
	now := time.Now()
	meta := core.Recording{
		File: uuid.NewString(), Kind: core.RecordedSpeech, App: app, Leg: leg, Begun: now.Add(-pcm.Duration()), Ended: now,
		Channels: 1, ContentType: typeWAV,
	}
	return meta.File, r.put(ctx, meta, wav)
}

// wavOf returns a sound as a WAV file.
func wavOf(pcm file.PCM) ([]byte, error) {
	var wav bytes.Buffer
	if err := file.EncodeWAV(&wav, pcm.Rate, 1, pcm.Samples); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return wav.Bytes(), nil
}

// put stores a file and notes it.
func (r *Recorder) put(ctx context.Context, meta core.Recording, content []byte) error {
	blob, err := r.cfg.Blobs.Create(FileName(meta))
	if err != nil {
		return err
	}
	_, err = blob.Write(content)
	if err = errors.Join(err, blob.Close()); err != nil {
		return errors.Join(err, r.cfg.Blobs.Remove(FileName(meta)))
	}
	meta.Size = int64(len(content))
	return r.cfg.Index.PutRecording(ctx, meta)
}

// complete makes what a killed program left fetchable. Its writers see to it that a
// file can be played at any time.
func (r *Recorder) complete(ctx context.Context) error {
	left, err := r.cfg.Index.UnfinishedRecordings(ctx)
	if err != nil {
		return err
	}
	for _, meta := range left {
		content, size, err := r.cfg.Blobs.Open(FileName(meta))
		if errors.Is(err, fs.ErrNotExist) || err == nil && size == 0 {
			err = r.remove(ctx, meta)
			if err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := content.Close(); err != nil {
			return err
		}
		meta.Size, meta.Ended = size, meta.Begun.Add(lengthOf(meta, size))
		if err := r.cfg.Index.PutRecording(ctx, meta); err != nil {
			return err
		}
		r.cfg.Log.Warn("a recording of the last run was cut off and can be fetched", "recording", string(meta.ID), "file", meta.File, "bytes", size)
		r.cfg.Listener.Recorded(meta)
	}
	return nil
}

// lengthOf estimates how long a file lasts that was cut off.
func lengthOf(meta core.Recording, size int64) time.Duration {
	bytesPerSecond := int64(2 * rate * meta.Channels)
	if meta.ContentType == typeOgg {
		bytesPerSecond = int64(3000 * meta.Channels) // about what the encoder makes of speech
	}
	return time.Duration(size) * time.Second / time.Duration(bytesPerSecond)
}

// sweep deletes what is too old until the Recorder is closed.
func (r *Recorder) sweep() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := r.sweepOnce(r.ctx, time.Now()); err != nil && r.ctx.Err() == nil {
			r.cfg.Log.Warn("old recordings cannot be deleted", "error", err)
		}
		select {
		case <-r.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sweepOnce deletes all that is too old at a time.
func (r *Recorder) sweepOnce(ctx context.Context, now time.Time) error {
	for {
		old, err := r.cfg.Index.OldRecordings(ctx, now.Add(-r.cfg.Keep), sweepBatch)
		if err != nil || len(old) == 0 {
			return err
		}
		for _, meta := range old {
			if err := r.remove(ctx, meta); err != nil {
				return err
			}
		}
	}
}

// remove deletes a file, then what is known of it.
func (r *Recorder) remove(ctx context.Context, meta core.Recording) error {
	if err := r.cfg.Blobs.Remove(FileName(meta)); err != nil {
		return err
	}
	return r.cfg.Index.RemoveRecording(ctx, meta.File)
}
