package events

import (
	"context"
	"fmt"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// run writes batches until Close, then what is left.
func (b *Bus) run() {
	defer close(b.stopped)
	defer b.due.Stop()
	for {
		select {
		case <-b.due.C:
			b.flush()
		case done := <-b.hurry:
			b.flush()
			close(done)
		case <-b.stop:
			b.flush()
			return
		}
	}
}

// Sync returns when every change that was published before is in the log.
func (b *Bus) Sync(ctx context.Context) error {
	if err := ask(ctx, b.hurry, b.stopped); err != nil {
		return fmt.Errorf("events.Sync: %w", err)
	}
	return nil
}

// Flush returns when every change that was published before is in the log, and, if
// the log is a Journal, in the one behind it.
func (b *Bus) Flush(ctx context.Context) error {
	if err := b.Sync(ctx); err != nil {
		return err
	}
	if behind, ok := b.log.(interface{ Flush(context.Context) error }); ok {
		return behind.Flush(ctx)
	}
	return nil
}

// ask lets the goroutine that reads from hurry do its work now, and waits for it.
func ask(ctx context.Context, hurry chan<- chan struct{}, stopped <-chan struct{}) error {
	done := make(chan struct{})
	select {
	case hurry <- done:
	case <-stopped:
		return nil // it has done all its work
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pause waits for d or until stop is closed.
func pause(d time.Duration, stop <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-stop:
	}
}

func isClosed(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// flush writes what has gathered, batch by batch. What comes meanwhile gathers
// anew.
func (b *Bus) flush() {
	for first := true; ; first = false {
		batch := b.take()
		if len(batch) == 0 {
			return
		}
		b.write(batch)
		if len(batch) == maxBatch {
			continue
		}
		if first { // not the end of a long array
			b.recycle(batch)
		}
		return
	}
}

// take returns up to maxBatch entries and takes them out of the queue.
func (b *Bus) take() []core.LegEntry {
	b.mu.Lock()
	defer b.mu.Unlock()
	batch := b.queue
	if len(batch) <= maxBatch {
		b.queue = nil
		return batch
	}
	b.queue = batch[maxBatch:]
	return batch[:maxBatch:maxBatch]
}

// maxSpare is the longest array, in entries, that is kept for the next batch.
const maxSpare = 256

// recycle keeps the array of a written batch, empty of what it pointed to.
func (b *Bus) recycle(batch []core.LegEntry) {
	if cap(batch) > maxSpare {
		return
	}
	clear(batch)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spare = batch[:0]
}

// write puts a batch into the log, however often that takes, and tells the
// subscribers after the first try: a full disk must not blind the console. After
// Close there is one more try.
func (b *Bus) write(batch []core.LegEntry) {
	for try := 0; ; try++ {
		closing := isClosed(b.stop)
		ignored, err := b.log.Append(context.Background(), batch)
		b.trouble.Report(err)
		if err == nil {
			b.written.Add(uint64(len(batch) - ignored)) //nolint:gosec // ignored <= len(batch)
			b.ignored.Add(uint64(ignored))              //nolint:gosec // not negative
			if ignored > 0 {
				b.logger.Warn("leg events ignored by the log", "count", ignored)
			}
		} else {
			b.failures.Add(1)
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
		pause(retry, b.stop)
	}
}
