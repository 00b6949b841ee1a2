package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/pcm"
	"github.com/offhook/offhook/internal/media/voice"
)

const (
	// maxChannels is how many one file may have.
	maxChannels = 32
	// writeEvery is how often what was heard is written, listenEvery how often where
	// silence is waited for.
	writeEvery, listenEvery = time.Second, 200 * time.Millisecond
	// slot is the grid on which recordings write: those of one slot wake the program
	// together.
	slot = 100 * time.Millisecond
	// pieceSize is how many samples of a channel are written at once: half a second.
	pieceSize = rate / 2
	// storeTime bounds a write to the index.
	storeTime = 10 * time.Second
	// maxSize ends a recording, in bytes: a WAV file can hold no more than 4 GB.
	maxSize = 4_000_000_000
)

var errFull = fmt.Errorf("the file has %d MB, no more fit in one", maxSize/1_000_000)

// recording is one that is being made.
type recording struct {
	recorder *Recorder
	order    core.Record
	meta     core.Recording
	tracks   []*track
	stop     chan struct{}
	stopOnce sync.Once

	mu   sync.Mutex // guards what follows, and that nothing is heard after it
	deaf bool

	// What follows belongs to run.
	block   [][]int16 // a piece of each channel, being written
	written int64     // samples of each channel
	voice   *voice.Detector
	fifo    []int16 // what the detector has not got yet
	quiet   bool    // it was silent for long enough
}

func newRecording(r *Recorder, cmd core.Record) *recording {
	it := &recording{
		recorder: r, order: cmd, stop: make(chan struct{}), voice: voice.New(-1),
		meta: core.Recording{
			File: uuid.NewString(), Kind: core.RecordedCall, ID: cmd.ID, App: cmd.App, Leg: cmd.Leg, Call: cmd.Call, Hook: cmd.Hook,
			Begun: time.Now(), Channels: len(cmd.Channels), ContentType: contentType(cmd.Format, len(cmd.Channels)), Transcribe: cmd.Transcribe,
		},
	}
	for i := range cmd.Channels {
		t := new(track)
		it.tracks = append(it.tracks, t)
		r.cfg.Media.Attach(it.leg(i), pcm.New(pcm.Config{Rate: rate, Heard: t.heard}))
	}
	return it
}

// leg names the leg that channel i is to package media.
func (it *recording) leg(i int) core.LegID {
	return core.LegID(fmt.Sprintf("rec-%s-%d", it.meta.ID, i))
}

// hear sets what each channel hears.
func (it *recording) hear(channels []core.Hear) {
	it.mu.Lock()
	defer it.mu.Unlock()
	if it.deaf {
		return
	}
	for i, row := range channels[:min(len(channels), len(it.tracks))] {
		row.Leg = it.leg(i)
		it.recorder.cfg.Media.Do(row)
	}
}

// end ends the recording, if it has not.
func (it *recording) end() { it.stopOnce.Do(func() { close(it.stop) }) }

// run writes the file until something ends it.
func (it *recording) run() {
	cfg := it.recorder.cfg
	err := it.write()
	if err != nil {
		it.recorder.failed.Add(1)
		cfg.Log.Error("a recording ends by an error", "recording", string(it.meta.ID), "file", it.meta.File, "error", err)
	}
	if it.written == 0 {
		it.drop()
		return
	}
	it.meta.Ended = it.meta.Begun.Add(time.Duration(it.written) * time.Second / rate)
	if err := it.save(); err != nil {
		cfg.Log.Error("a recording cannot be noted; it will be at the next start", "recording", string(it.meta.ID), "file", it.meta.File, "error", err)
		return
	}
	cfg.Listener.Recorded(it.meta)
	it.recorder.transcribe(it.meta)
}

// write makes the file and leaves size and tracks settled.
func (it *recording) write() (err error) {
	defer it.silence()
	if err := it.save(); err != nil {
		return err
	}
	blob, err := it.recorder.cfg.Blobs.Create(FileName(it.meta))
	if err != nil {
		return err
	}
	to := &counted{to: blob}
	w, err := newWriter(to, it.meta)
	if err == nil {
		err = it.copy(w, to)
		it.silence()
		err = errors.Join(err, w.Close())
	}
	it.meta.Size = to.size
	return errors.Join(err, blob.Close())
}

// silence ends what the recording hears. It may be called again.
func (it *recording) silence() {
	it.mu.Lock()
	over := it.deaf
	it.deaf = true
	it.mu.Unlock()
	if over {
		return
	}
	var dropped uint64
	for i, t := range it.tracks {
		it.recorder.cfg.Media.Detach(it.leg(i))
		dropped += t.close()
	}
	it.recorder.dropped.Add(dropped)
	if dropped > 0 {
		it.recorder.cfg.Log.Warn("the disk was too slow for a recording", "recording", string(it.meta.ID), "frames", dropped)
	}
	it.recorder.ended(it)
}

// copy writes what is heard until the recording ends.
func (it *recording) copy(w writer, to *counted) error {
	limit := it.recorder.cfg.MaxTime
	if it.order.MaxTime > 0 {
		limit = min(limit, it.order.MaxTime)
	}
	most := int64(limit) * rate / int64(time.Second)
	timer := time.NewTimer(it.pause(most))
	defer timer.Stop()
	for {
		over := false
		select {
		case <-it.stop:
			over = true
		case <-timer.C:
			timer.Reset(it.pause(most))
		}
		if err := it.flush(w, most); err != nil {
			return err
		}
		switch {
		case over, it.written >= most, it.quiet:
			return nil
		case to.size >= maxSize:
			return errFull
		}
	}
}

// pause returns how long to wait before more is written, if most samples are to be.
func (it *recording) pause(most int64) time.Duration {
	every := writeEvery
	if it.order.EndOnSilence > 0 {
		every = listenEvery
	}
	left := time.Duration(max(0, most-it.written)) * time.Second / rate
	now := time.Now()
	return now.Add(min(every, left)).Truncate(slot).Add(slot).Sub(now)
}

// flush writes what all channels have, most samples in all. A channel that lags
// more than a second behind the others does not hold them up.
func (it *recording) flush(w writer, most int64) error {
	shortest, longest := maxBuffer, 0
	for _, t := range it.tracks {
		n := t.length()
		shortest, longest = min(shortest, n), max(longest, n)
	}
	n := int(min(int64(max(shortest, longest-rate)), most-it.written))
	if it.block == nil {
		it.block = make([][]int16, len(it.tracks))
	}
	for n > 0 && !it.quiet {
		size := min(n, pieceSize)
		for i, t := range it.tracks {
			if cap(it.block[i]) < size {
				it.block[i] = make([]int16, size)
			}
			it.block[i] = it.block[i][:size]
			t.take(it.block[i])
		}
		if err := w.Write(it.block...); err != nil {
			return err
		}
		it.written += int64(size)
		n -= size
		it.listen()
	}
	return nil
}

// listen finds out whether it has been silent for long enough.
func (it *recording) listen() {
	if it.order.EndOnSilence <= 0 {
		return
	}
	const frame = rate / 50
	for i := range it.block[0] {
		sum := 0
		for _, channel := range it.block {
			sum += int(channel[i])
		}
		it.fifo = append(it.fifo, int16(max(-32768, min(32767, sum))))
	}
	for len(it.fifo) >= frame {
		it.voice.Frame(it.fifo[:frame])
		it.fifo = it.fifo[:copy(it.fifo, it.fifo[frame:])]
		it.quiet = it.quiet || it.voice.Silent() >= it.order.EndOnSilence
	}
}

// save tells the index of the recording.
func (it *recording) save() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(it.recorder.ctx), storeTime)
	defer cancel()
	return it.recorder.cfg.Index.PutRecording(ctx, it.meta)
}

// drop forgets a recording without sound.
func (it *recording) drop() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(it.recorder.ctx), storeTime)
	defer cancel()
	if err := it.recorder.remove(ctx, it.meta); err != nil {
		it.recorder.cfg.Log.Warn("an empty recording cannot be deleted", "file", it.meta.File, "error", err)
	}
}

// counted counts what is written, as the length of the file.
type counted struct {
	to   Blob
	at   int64
	size int64
}

// Write implements io.Writer.
func (c *counted) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.at += int64(n)
	c.size = max(c.size, c.at)
	return n, err
}

// Seek implements io.Seeker.
func (c *counted) Seek(offset int64, whence int) (int64, error) {
	at, err := c.to.Seek(offset, whence)
	if err == nil {
		c.at = at
	}
	return at, err
}

var _ io.WriteSeeker = (*counted)(nil)
