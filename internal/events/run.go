package events

import (
	"context"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// run writes batches until Close, then what is left.
func (b *Bus) run() {
	defer close(b.stopped)
	for {
		select {
		case <-b.wake:
			b.pause(gather)
			b.flush()
		case <-b.stop:
			b.flush()
			return
		}
	}
}

// pause waits for d or for Close.
func (b *Bus) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.stop:
	}
}

// flush empties the queue, batch by batch.
func (b *Bus) flush() {
	for {
		batch := b.take()
		if len(batch) == 0 {
			return
		}
		b.write(batch)
	}
}

// take returns up to maxBatch entries and takes them out of the queue.
func (b *Bus) take() []core.LegEntry {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.queue), maxBatch)
	batch := b.queue[:n:n]
	b.queue = b.queue[n:]
	if len(b.queue) == 0 {
		b.queue = nil // let go of the array behind the batches
	}
	return batch
}

// write puts a batch into the log, however often that takes, and tells the
// subscribers after the first try: a full disk must not blind the console. After
// Close there is one more try.
func (b *Bus) write(batch []core.LegEntry) {
	for try := 0; ; try++ {
		closing := b.closing()
		ignored, err := b.log.Append(context.Background(), batch)
		if err == nil {
			b.written.Add(uint64(len(batch) - ignored)) //nolint:gosec // ignored <= len(batch)
			b.ignored.Add(uint64(ignored))              //nolint:gosec // not negative
			if ignored > 0 {
				b.logger.Warn("leg events ignored by the log", "count", ignored)
			}
		} else {
			b.failures.Add(1)
			b.logger.Error("leg events not written", "count", len(batch), "try", try+1, "error", err)
		}
		if try == 0 {
			b.subs.send(batch)
		}
		switch {
		case err == nil:
			return
		case closing:
			b.lost.Add(uint64(len(batch)))
			return
		}
		b.pause(retry)
	}
}

func (b *Bus) closing() bool {
	select {
	case <-b.stop:
		return true
	default:
		return false
	}
}
