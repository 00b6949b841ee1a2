package events

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/outage"
)

// Log is where entries are kept: the store.
type Log interface {
	// Append writes all entries or none. Ignored counts entries that the log
	// refused because the leg has such a one already. The slice is the caller's
	// again afterwards.
	Append(ctx context.Context, entries []core.LegEntry) (ignored int, err error)
}

const (
	// gather is how long entries gather before they are written together. With
	// the write itself the log stays within 5 ms.
	gather = 4 * time.Millisecond
	// maxQueue is how many entries may wait before those in the middle of a leg's
	// life are dropped, and maxVital before all are: some 60 MB. A leg whose end
	// is dropped gets one at the next start, from store.CloseUnfinished.
	maxQueue = 16 << 10
	maxVital = 128 << 10
	// maxBatch bounds one transaction, so that other writers get their turn.
	maxBatch = 1024
	// retry is the wait after a failed write.
	retry = time.Second
)

// Bus takes changes from the loop and hands them on. Make it with New.
type Bus struct {
	log    Log
	logger *slog.Logger

	mu     sync.Mutex // guards queue, spare, legs, closed
	queue  []core.LegEntry
	spare  []core.LegEntry      // empty, takes the place of a queue that is being written
	legs   map[core.LegID]story // living legs
	closed bool

	due     *time.Timer        // fires when what is in queue has gathered
	hurry   chan chan struct{} // from Flush; run closes what it gets when it has written
	stop    chan struct{}      // closed by Close
	stopped chan struct{}      // closed when run has returned

	subs    subscribers
	trouble *outage.Watch

	written, dropped, ignored, lost, failures atomic.Uint64
}

// New starts a Bus that writes to log. Close ends it.
func New(log Log, logger *slog.Logger) *Bus {
	b := &Bus{
		log: log, logger: logger, trouble: outage.New(logger, "changes of legs cannot be written down"),
		legs:    make(map[core.LegID]story),
		due:     time.NewTimer(gather),
		hurry:   make(chan chan struct{}),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	go b.run()
	return b
}

// Publish queues one change, which happened at now. It never waits. After Close
// changes are counted as lost.
func (b *Bus) Publish(now time.Time, change core.LegChange) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		b.lost.Add(1)
		return
	}
	leg, known := b.legs[change.Leg]
	if !known {
		leg.begun = now
	}
	leg.seq++
	b.legs[change.Leg] = leg
	if change.Kind == core.ChangeEnded {
		delete(b.legs, change.Leg)
	}
	if len(b.queue) >= maxVital || len(b.queue) >= maxQueue && !vital(change.Kind) {
		b.dropped.Add(1)
		return
	}
	if b.queue == nil {
		b.queue, b.spare = b.spare, nil
		b.due.Reset(gather) // here and not in run: that would wake it twice
	}
	b.queue = append(b.queue, core.LegEntry{At: leg.at(now), Seq: leg.seq, LegChange: change})
}

// story is what is known of a leg that has not ended.
type story struct {
	seq   int // of its last change
	begun time.Time
}

// at returns when a change happened that happened at now: as long after the first as has
// really passed, also where somebody has set the clock since. Else records would be
// hours longer, or end before they begin.
func (s story) at(now time.Time) time.Time { return s.begun.Add(now.Sub(s.begun)) }

// vital reports whether a change is one of the three that make the leg's record.
func vital(kind core.ChangeKind) bool {
	return kind == core.ChangeBegan || kind == core.ChangeAnswered || kind == core.ChangeEnded
}

// Close writes what is queued and ends the Bus and its subscriptions. If ctx
// ends first, what could not be written is counted as lost and Close returns an
// error that says how much.
func (b *Bus) Close(ctx context.Context) error {
	b.mu.Lock()
	if !b.closed {
		b.closed = true
		close(b.stop)
	}
	b.mu.Unlock()
	select {
	case <-b.stopped:
	case <-ctx.Done():
		return fmt.Errorf("events.Close: %w", ctx.Err())
	}
	b.subs.closeAll()
	if n := b.lost.Load(); n > 0 {
		return fmt.Errorf("events.Close: %d changes are not in the log", n)
	}
	return nil
}

// Trouble says why changes cannot be written just now, nil if they can.
func (b *Bus) Trouble() error { return b.trouble.Err() }

// Stats are counters since New.
type Stats struct {
	Written  uint64 // entries in the log
	Dropped  uint64 // entries dropped because the queue was full
	Ignored  uint64 // entries the log had already: a second begin or end of a leg
	Lost     uint64 // entries given up at Close
	Failures uint64 // writes that failed; they are tried again
	Queued   int    // entries waiting now
	Slow     uint64 // subscribers closed because they did not keep up
}

// Stats returns the counters.
func (b *Bus) Stats() Stats {
	b.mu.Lock()
	queued := len(b.queue)
	b.mu.Unlock()
	return Stats{
		Written: b.written.Load(), Dropped: b.dropped.Load(), Ignored: b.ignored.Load(),
		Lost: b.lost.Load(), Failures: b.failures.Load(), Queued: queued, Slow: b.subs.slow.Load(),
	}
}
