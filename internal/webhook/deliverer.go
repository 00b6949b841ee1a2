package webhook

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/outward"
)

// Config is what a Deliverer is told.
type Config struct {
	Agent string // User-Agent: "offhook/1.2.3"
	// Rewrite leads requests for an origin, such as "https://app.test", to another,
	// such as "http://127.0.0.1:8000". The Host header stays. Keys are in lower case.
	Rewrite map[string]string
	// Hosts are allowed for foreign URLs besides public addresses: names, addresses
	// and networks. Setting is the configuration key of this list, for errors.
	Hosts   []string
	Setting string
	// RootCAs sign the certificates of receivers; nil is the system's.
	RootCAs *x509.CertPool
	// Folder is where the journal of durable jobs is and Store what keeps those that
	// wait for long. Without a Store nothing is durable.
	Folder string
	Store  Store
	// Before is called when durable jobs are in the journal and before they begin; nil
	// is nothing. It may block, and call Sync.
	Before func()
	// Observe is told how long an attempt took; nil is nobody.
	Observe func(time.Duration)
	Log     *slog.Logger
}

// limits bound what a Deliverer does.
type limits struct {
	jobs    int           // in a queue
	age     time.Duration // of a job whose turn comes
	workers int           // of a lane
	total   int           // workers of all lanes, and one more for each lane
	bytes   int           // of all jobs
	again   time.Duration // before the second attempt to tell something
	askOnce time.Duration // and to ask, while a caller waits
	keep    time.Duration // how long the journal alone keeps a job
}

func defaultLimits() limits {
	return limits{
		jobs: 32, age: time.Minute, workers: 64, total: 1024, bytes: 64 << 20,
		again: 500 * time.Millisecond, askOnce: 100 * time.Millisecond, keep: time.Second,
	}
}

// Deliverer delivers webhooks. Make it with New.
type Deliverer struct {
	limits  limits
	client  *client
	outbox  *outbox // nil if nothing is durable
	observe func(time.Duration)
	log     *slog.Logger

	ctx     context.Context //nolint:containedctx // ended by Close, for what no caller waits for
	cancel  context.CancelFunc
	workers sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	queues  map[queueKey]*queue
	lanes   map[laneKey]*lane
	hungry  []*lane // that may have no more workers, though there is work
	seq     uint64  // of the last job
	running int     // workers
	held    int     // jobs
	bytes   int     // of them
	closed  bool
	idle    chan struct{} // closed when held is 0 after closed

	delivered, failed, retried, dropped atomic.Uint64
}

// New starts a Deliverer and goes on with what an earlier process left in the
// outbox. Close ends it. One folder belongs to one Deliverer at a time.
func New(ctx context.Context, c Config) (*Deliverer, error) {
	return newDeliverer(ctx, c, defaultLimits())
}

func newDeliverer(ctx context.Context, c Config, l limits) (*Deliverer, error) {
	guard, err := outward.NewGuard(c.Setting, c.Hosts)
	if err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Before == nil {
		c.Before = func() {}
	}
	if c.Observe == nil {
		c.Observe = func(time.Duration) {}
	}
	d := &Deliverer{
		limits: l, client: newClient(c, guard), observe: c.Observe, log: c.Log,
		queues: make(map[queueKey]*queue), lanes: make(map[laneKey]*lane), idle: make(chan struct{}),
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	if c.Store == nil {
		return d, nil
	}
	var left []*job
	if d.outbox, left, err = openOutbox(ctx, c.Folder, c.Store, l.keep, func(jobs []*job) { c.Before(); d.kept(jobs) }, c.Log); err != nil {
		d.cancel()
		return nil, fmt.Errorf("webhook.New: %w", err)
	}
	if len(left) > 0 {
		c.Log.Info("webhooks of the last run are delivered now", "count", len(left))
	}
	d.replay(left)
	return d, nil
}

// replay queues what an earlier process left.
func (d *Deliverer) replay(left []*job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, j := range left {
		j.ready, j.replayed = true, true
		d.enqueue(j)
	}
}

// Send queues a job. It never waits.
func (d *Deliverer) Send(in Job) {
	j := newJob(in)
	d.mu.Lock()
	err := d.take(j)
	d.mu.Unlock()
	if err != nil {
		d.drop(j, err)
	}
}

var (
	errClosed = errors.New("webhook: the program ends")
	errFull   = errors.New("webhook: too many jobs wait")
	errOld    = errors.New("webhook: waited for too long")
	errEnded  = errors.New("webhook: it was about a leg that has ended")
)

// take queues a job unless that is too much. d is locked.
func (d *Deliverer) take(j *job) error {
	q := d.queues[j.key()]
	switch {
	case d.closed:
		return errClosed
	case d.bytes+j.size > d.limits.bytes:
		return errFull
	case q != nil && q.len() >= d.limits.jobs && !j.Last: // the end is told whatever happened
		return errFull
	}
	j.ready = !j.Durable || d.outbox == nil
	d.enqueue(j)
	if !j.ready {
		d.outbox.add(j)
	}
	return nil
}

// kept lets jobs begin that are safe in the outbox now.
func (d *Deliverer) kept(jobs []*job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, j := range jobs {
		j.ready = true
		d.start(j.queue)
	}
}

// drop gives up a job that was never begun.
func (d *Deliverer) drop(j *job, err error) {
	d.dropped.Add(1)
	d.log.Warn("a webhook is dropped", "app", j.App, "leg", j.Queue, "error", err)
	if j.Done != nil {
		go j.Done(Result{Err: err, Reason: "Not sent."})
	}
}

// Ended reports whether a Last job of the queue is in the outbox, or was
// delivered so shortly before the last start that the log of legs may not know of
// the end.
func (d *Deliverer) Ended(queue string) bool {
	return d.outbox != nil && d.outbox.ended[queue]
}

// Sync writes the durable jobs of every Send before into the journal. Whoever
// writes the log of legs calls it first, so that no leg has ended there whose
// application will not be told.
func (d *Deliverer) Sync() {
	if d.outbox != nil {
		d.outbox.sync()
	}
}

// Close waits until everything is delivered or ctx ends. Durable jobs that are
// left stay in the outbox for the next start; others are dropped.
func (d *Deliverer) Close(ctx context.Context) error {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		d.settled()
	}
	d.mu.Unlock()
	select {
	case <-d.idle:
	case <-ctx.Done():
	}
	d.mu.Lock()
	d.cancel() // nobody is hired from here on
	d.mu.Unlock()
	d.workers.Wait()
	d.client.close()
	if d.outbox == nil {
		return nil
	}
	return d.outbox.close() //nolint:contextcheck // what is left is kept, however late it is
}

// settled tells Close that nothing is left to do. d is locked.
func (d *Deliverer) settled() {
	if d.closed && d.held == 0 {
		select {
		case <-d.idle:
		default:
			close(d.idle)
		}
	}
}

// Stats are counters since New.
type Stats struct {
	Delivered uint64 // jobs that somebody answered with 2xx
	Failed    uint64 // jobs that had all their attempts
	Retried   uint64 // second attempts
	Dropped   uint64 // jobs that were not tried: too many, or too old
	Queued    int    // jobs that wait or are being done
}

// Trouble says why durable jobs cannot be kept just now, nil if they can. They are
// delivered all the same.
func (d *Deliverer) Trouble() error {
	if d.outbox == nil {
		return nil
	}
	return d.outbox.trouble()
}

// Stats returns the counters.
func (d *Deliverer) Stats() Stats {
	d.mu.Lock()
	held := d.held
	d.mu.Unlock()
	return Stats{
		Delivered: d.delivered.Load(), Failed: d.failed.Load(), Retried: d.retried.Load(), Dropped: d.dropped.Load(), Queued: held,
	}
}
