package webhook

import (
	"context"
	"errors"
	"time"
)

// laneKey names a lane: what an application is asked, or what it is told.
type laneKey struct {
	app  string
	asks bool
}

// lane are the queues of an application whose turn it is, and how many work on
// them. A queue has one job done and goes to the end of the line.
type lane struct {
	key     laneKey
	line    []*queue
	workers int
	hungry  bool // is in Deliverer.hungry
}

// hire starts a worker for a lane if there may be one more. d is locked, as for
// all below that do not say otherwise.
func (d *Deliverer) hire(l *lane) {
	switch {
	case l.workers >= d.limits.workers || d.ctx.Err() != nil:
		return
	case l.workers > 0 && d.running >= d.limits.total:
		d.hunger(l)
		return
	}
	l.workers++
	d.running++
	d.workers.Go(func() { d.work(l) })
}

// hunger remembers that a lane could do with one more worker.
func (d *Deliverer) hunger(l *lane) {
	if !l.hungry {
		l.hungry = true
		d.hungry = append(d.hungry, l)
	}
}

// work does the jobs of a lane until there are none. d is not locked.
func (d *Deliverer) work(l *lane) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.ctx.Err() == nil {
		next := d.assign(l)
		if next == nil {
			break
		}
		l = next
		q := l.line[0]
		l.line[0] = nil
		l.line = l.line[1:]
		d.do(q, l)
	}
	d.leave(l)
}

// assign returns where a worker of l goes on, nil is home. With all at work a lane
// that waits for another worker comes before the second one of this.
func (d *Deliverer) assign(l *lane) *lane {
	for len(d.hungry) > 0 && (l.workers > 1 || len(l.line) == 0) {
		next := d.hungry[0]
		d.hungry = d.hungry[1:]
		next.hungry = false
		if next == l || len(next.line) == 0 || next.workers >= d.limits.workers {
			continue
		}
		d.leave(l)
		next.workers++
		d.running++
		if len(next.line) > 1 {
			d.hunger(next)
		}
		return next
	}
	if len(l.line) == 0 {
		return nil
	}
	return l
}

func (d *Deliverer) leave(l *lane) {
	l.workers--
	d.running--
	if l.workers == 0 && len(l.line) == 0 && d.lanes[l.key] == l {
		delete(d.lanes, l.key)
	}
}

// do has the first job of a queue done. d is locked when it is called and when it
// returns, and not meanwhile.
func (d *Deliverer) do(q *queue, l *lane) {
	j := q.jobs[0]
	d.mu.Unlock()
	if !j.replayed && time.Since(j.sent) > d.limits.age {
		d.drop(j, errOld)
		d.forget(j)
	} else {
		d.deliver(j)
	}
	d.mu.Lock()
	d.advance(q, l)
}

// deliver makes all attempts of a job and tells what came of it. d is not locked.
func (d *Deliverer) deliver(j *job) {
	res := d.attempts(j)
	if errors.Is(res.Err, errClosed) { // the outbox keeps it
		d.finish(j, res)
		return
	}
	if res.Err == nil {
		d.delivered.Add(1)
	} else {
		d.failed.Add(1)
		d.log.Warn("a webhook failed", "app", j.App, "leg", j.Queue, "url", plain(j.URL), "error", res.Err)
	}
	d.forget(j)
	d.finish(j, res)
}

func (d *Deliverer) finish(j *job, res Result) {
	if j.Done != nil {
		j.Done(res)
	}
}

// forget takes a job out of the outbox.
func (d *Deliverer) forget(j *job) {
	if j.Durable && d.outbox != nil {
		d.outbox.settle(j)
	}
}

// attempts tries the target of a job and then its fallback.
func (d *Deliverer) attempts(j *job) Result {
	if j.request.URL == "" {
		if err := j.prepare(); err != nil {
			return Result{Err: err, Reason: "Invalid URL."}
		}
	}
	res := d.tryTwice(j, j.request)
	if res.Err == nil || j.Fallback == nil || errors.Is(res.Err, errClosed) {
		return res
	}
	r, err := j.fallback(res)
	if err != nil {
		return Result{Err: err, Reason: "Invalid URL."}
	}
	return d.tryTwice(j, r)
}

// tryTwice makes an attempt and, if that may help, one more.
func (d *Deliverer) tryTwice(j *job, r request) Result {
	for try := 1; ; try++ {
		begin := time.Now()
		res, again := d.client.do(d.ctx, r, j.asks())
		d.observe(time.Since(begin))
		switch {
		case d.ctx.Err() != nil && res.Err != nil:
			return Result{Err: errClosed, Reason: "Not sent."}
		case res.Err == nil || !again || try == 2:
			return res
		}
		d.retried.Add(1)
		wait := d.limits.again
		if j.asks() {
			wait = d.limits.askOnce
		}
		pause(d.ctx, wait)
	}
}

// pause waits for a time or until ctx ends.
func pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
