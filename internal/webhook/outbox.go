package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/outage"
)

// Store keeps durable jobs behind the journal.
type Store interface {
	// Outbox returns what is kept, in the order of ID.
	Outbox(ctx context.Context) ([]core.OutboxEntry, error)
	// ChangeOutbox adds entries and removes others, all or nothing. An entry that is
	// there already and an ID that is not are no errors.
	ChangeOutbox(ctx context.Context, add []core.OutboxEntry, remove []int64) error
}

// outbox keeps durable jobs until they are settled: first in a journal, and in the
// store if that takes long. Most are settled so soon that the store never sees them.
type outbox struct {
	store Store
	keep  time.Duration
	log   *slog.Logger
	kept  func([]*job)    // is told what is safe, by release alone
	ended map[string]bool // queues whose Last job was here at the start; read-only

	before, behind *outage.Watch // of the journal and the store

	writing sync.Mutex // guards journal
	journal *journal

	mu      sync.Mutex     // guards the fields below
	id      int64          // of the newest job
	fresh   []*job         // not in the journal yet
	safe    []*job         // in the journal, and kept does not know yet
	settled []int64        // not noted in the journal yet
	live    map[int64]*job // in the journal or the store, and not settled
	removed []int64        // settled, and still in the store

	wake    chan struct{} // one slot: something is fresh or settled
	stop    chan struct{}
	running sync.WaitGroup
}

// openOutbox opens the journal in folder and returns what an earlier process left
// there and in the store. Kept is called with the jobs that are safe from then on.
func openOutbox(ctx context.Context, folder string, store Store, keep time.Duration, kept func([]*job), log *slog.Logger) (*outbox, []*job, error) {
	o := &outbox{
		before: outage.New(log, "webhooks cannot be written into their journal"), behind: outage.New(log, "undelivered webhooks wait in their journal"),
		store: store, keep: keep, log: log, kept: kept, ended: make(map[string]bool), live: make(map[int64]*job),
		id: time.Now().UnixMicro(), wake: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	var err error
	if o.journal, err = openJournal(folder); err != nil {
		return nil, nil, err
	}
	left, err := o.recover(ctx)
	if err != nil {
		o.journal.close() //nolint:errcheck // the first error says it
		return nil, nil, err
	}
	o.running.Go(o.write)
	o.running.Go(o.passOn)
	return o, left, nil
}

// recover brings the store up to date with the journal, and empties that.
func (o *outbox) recover(ctx context.Context) ([]*job, error) {
	stored, err := o.store.Outbox(ctx)
	if err != nil {
		return nil, err
	}
	lines := o.journal.read(o.log)
	old := make(map[int64]record)
	var remove []int64
	for _, e := range stored {
		var r record
		if err := json.Unmarshal([]byte(e.Body), &r); err != nil {
			o.log.Error("an entry of the outbox cannot be read and is removed", "id", e.ID, "error", err)
			remove = append(remove, e.ID)
			continue
		}
		r.ID = e.ID
		old[e.ID] = r
	}
	var add []core.OutboxEntry
	for _, l := range lines {
		if _, known := old[l.ID]; l.ID != 0 && !known {
			old[l.ID] = l.record
			add = append(add, l.entry())
		}
	}
	for _, r := range old {
		o.id = max(o.id, r.ID)
		if r.Last {
			o.ended[r.Queue] = true
		}
	}
	for _, l := range lines {
		for _, id := range l.Settled {
			delete(old, id)
			remove = append(remove, id)
		}
	}
	add = slices.DeleteFunc(add, func(e core.OutboxEntry) bool { _, left := old[e.ID]; return !left })
	if err := o.change(ctx, add, remove); err != nil {
		return nil, err
	}
	var left []*job
	for _, id := range slices.Sorted(maps.Keys(old)) {
		j := old[id].job()
		o.live[id] = j
		left = append(left, j)
	}
	return left, o.journal.empty()
}

// change changes the store, in parts that let others write in between.
func (o *outbox) change(ctx context.Context, add []core.OutboxEntry, remove []int64) error {
	const part = 512
	for len(add)+len(remove) > 0 {
		a, r := min(part, len(add)), min(part, len(remove))
		if err := o.store.ChangeOutbox(ctx, add[:a], remove[:r]); err != nil {
			return err
		}
		add, remove = add[a:], remove[r:]
	}
	return nil
}

// add takes a job, which is safe when kept is called with it.
func (o *outbox) add(j *job) {
	o.mu.Lock()
	o.id++
	j.id = o.id
	o.fresh = append(o.fresh, j)
	o.mu.Unlock()
	o.nudge()
}

// settle notes that a job is delivered or given up.
func (o *outbox) settle(j *job) {
	o.mu.Lock()
	j.settled = true
	delete(o.live, j.id)
	o.settled = append(o.settled, j.id)
	if j.stored {
		o.removed = append(o.removed, j.id)
	}
	o.mu.Unlock()
	o.nudge()
}

func (o *outbox) nudge() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// write writes what comes.
func (o *outbox) write() {
	for {
		select {
		case <-o.wake:
			o.flush()
			o.release()
		case <-o.stop:
			return
		}
	}
}

// passOn lets the store have what has waited for long.
func (o *outbox) passOn() {
	due := time.NewTicker(o.keep)
	defer due.Stop()
	for {
		select {
		case <-due.C:
			o.behind.Report(o.turn())
		case <-o.stop:
			return
		}
	}
}

// flush writes what is fresh into the journal, in one write. While the journal cannot
// be written, webhooks go out all the same: the store gets them at the next turn, and
// a full disk must not silence them. It reports whether release has something to do.
func (o *outbox) flush() bool {
	o.writing.Lock()
	defer o.writing.Unlock()
	o.mu.Lock()
	fresh, settled := o.fresh, o.settled
	o.fresh, o.settled = nil, nil
	o.mu.Unlock()
	if len(fresh)+len(settled) == 0 {
		return false
	}
	o.before.Report(o.journal.write(fresh, settled))
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, j := range fresh {
		o.live[j.id] = j
	}
	o.safe = append(o.safe, fresh...)
	return len(o.safe) > 0
}

// sync writes what is fresh now; its goroutine lets it begin.
func (o *outbox) sync() {
	if o.flush() {
		o.nudge()
	}
}

// release lets what is in the journal begin.
func (o *outbox) release() {
	o.mu.Lock()
	safe := o.safe
	o.safe = nil
	o.mu.Unlock()
	if len(safe) > 0 {
		o.kept(safe)
	}
}

// turn passes on to the store what is not settled and lets the journal go on in its
// other file. What was written since the turn before stays until the next one, by
// which the store has what is left of it, and because Deliverer.Ended needs it.
func (o *outbox) turn() error {
	jobs, removed := o.unknown()
	add := make([]core.OutboxEntry, len(jobs))
	for i, j := range jobs {
		add[i] = recordOf(j).entry()
	}
	err := o.change(context.Background(), add, removed)
	o.mu.Lock()
	if err != nil {
		o.removed = append(o.removed, removed...)
		o.mu.Unlock()
		return fmt.Errorf("webhook: outbox: %w", err)
	}
	for _, j := range jobs {
		j.stored = true
		if j.settled {
			o.removed = append(o.removed, j.id)
		}
	}
	o.mu.Unlock()
	o.writing.Lock()
	defer o.writing.Unlock()
	return o.journal.turn()
}

// unknown returns what the store shall get and what it shall remove.
func (o *outbox) unknown() (jobs []*job, removed []int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, j := range o.live {
		if !j.stored && j.request.URL != "" {
			jobs = append(jobs, j)
		}
	}
	removed, o.removed = o.removed, nil
	return jobs, removed
}

// close writes what is fresh and passes on what is left. Nothing may be added any
// more.
func (o *outbox) close() error {
	close(o.stop)
	o.running.Wait()
	o.flush()
	return errors.Join(o.turn(), o.journal.close())
}

// trouble says why webhooks cannot be kept just now, nil if they can.
func (o *outbox) trouble() error { return errors.Join(o.before.Err(), o.behind.Err()) }

// len is how many jobs are not settled.
func (o *outbox) len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.fresh) + len(o.live)
}
