package main

import (
	"context"
	"io"

	"github.com/offhook/offhook/internal/api/voice"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/obs"
	"github.com/offhook/offhook/internal/record"
)

// openRecorder makes what records. It tells the Voice API of files, once started.
func (n *node) openRecorder() {
	n.recorder = record.New(record.Config{
		Media: n.media, Post: poster(n.post), Index: n.store, Blobs: record.Folder(n.cfg.Recording.Folder), Listener: recorded{n},
		Transcriber: newTranscriber(n.cfg.Recognition), Keep: n.cfg.Recording.Keep, MaxTime: n.cfg.Recording.MaxTime, Log: n.log,
	})
}

// recorded tells the Voice API of files that can be fetched.
type recorded struct{ node *node }

// Recorded implements record.Listener.
func (r recorded) Recorded(it core.Recording) {
	r.node.log.Info("recording", "recording", string(it.ID), "file", it.File, "bytes", it.Size)
	r.node.voice.Recorded(it)
}

// Transcribed implements record.Listener.
func (r recorded) Transcribed(text core.Recording) {
	r.node.voice.Transcribed(text)
}

// recordings lets applications fetch their files.
type recordings struct{ recorder *record.Recorder }

// Open implements voice.Files.
func (r recordings) Open(ctx context.Context, app, file string) (io.ReadSeekCloser, voice.File, error) {
	content, meta, err := r.recorder.Open(ctx, app, file)
	if err != nil {
		return nil, voice.File{}, err
	}
	return content, voice.File{Name: record.FileName(meta), ContentType: meta.ContentType, Made: meta.Ended}, nil
}

// recordMetrics adds what /metrics shows of recordings.
func (n *node) recordMetrics(m *obs.Metrics) {
	m.Gauge("recordings", "Recordings that are being made.", nil, func() float64 { return float64(n.recorder.Stats().Recordings) })
	m.Counter("recording_frames_dropped_total", "Frames of 20 ms that the disk was too slow for; they are silence.", nil, func() uint64 { return n.recorder.Stats().Dropped })
	m.Counter("recordings_failed_total", "Recordings that ended by an error.", nil, func() uint64 { return n.recorder.Stats().Failed })
}
