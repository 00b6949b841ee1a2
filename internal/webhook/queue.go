package webhook

import (
	"slices"
	"time"
)

// job is a Job on its way.
type job struct {
	Job
	request  request // made by prepare
	size     int     // about how much memory it takes
	seq      uint64
	sent     time.Time
	queue    *queue
	ready    bool        // it may begin: it is in the outbox, or need not be
	replayed bool        // from an earlier process
	hurry    *time.Timer // with After, until it is done besides its queue

	// What the outbox knows.
	id      int64
	stored  bool // in the store
	settled bool // delivered or given up
}

// newJob says how much a Job takes. What the loop need not do is done by prepare.
func newJob(in Job) *job {
	j := &job{Job: in, sent: time.Now(), size: 512 + len(in.URL) + len(in.Body)}
	for _, p := range in.Params {
		j.size += len(p.Name) + len(p.Value)
	}
	return j
}

// prepare encodes and signs the request, which every attempt repeats as it is.
func (j *job) prepare() error {
	r, err := newRequest(j.Target, j.Params, j.Body)
	if err == nil {
		err = r.sign(j.Sign)
	}
	if err != nil {
		return err
	}
	j.request = r
	return nil
}

// fallback returns the request to the fallback after a failure.
func (j *job) fallback(failed Result) (request, error) {
	original := object([]Param{String("url", j.URL), String("type", j.Fallback.Type)})
	params := append(slices.Clip(j.Params), String("reason", failed.Reason), Param{"original_request", original})
	r, err := newRequest(j.Fallback.Target, params, nil)
	if err == nil {
		err = r.sign(j.Sign)
	}
	return r, err
}

// asks reports whether somebody waits for the answer.
func (j *job) asks() bool { return j.Done != nil }

func (j *job) key() queueKey    { return queueKey{j.App, j.Queue} }
func (j *job) laneKey() laneKey { return laneKey{j.App, j.asks()} }

type queueKey struct{ app, name string }

// queue is what is to be done in order.
type queue struct {
	key   queueKey
	jobs  []*job // in order; the first may be in work
	aside []*job // with After: they wait for older ones among jobs
	busy  bool   // the first job is in the line of its lane, or in work
}

func (q *queue) len() int { return len(q.jobs) + len(q.aside) }

// blocks reports whether q has a job that j, with After, should wait for.
func (q *queue) blocks(j *job) bool {
	return slices.ContainsFunc(q.jobs, func(o *job) bool { return o.seq < j.seq && !o.Overtaken })
}

// enqueue puts a job where it waits for its turn. d is locked, as for all below.
func (d *Deliverer) enqueue(j *job) {
	d.seq++
	j.seq = d.seq
	d.held++
	d.bytes += j.size
	q := d.queues[j.key()]
	if j.Last && q != nil {
		d.withdraw(q)
	}
	switch {
	case j.Queue == "" || j.After > 0 && (q == nil || !q.blocks(j)):
		d.alone(j)
		return
	case j.After > 0:
		j.queue = q
		q.aside = append(q.aside, j)
		j.hurry = time.AfterFunc(j.After, func() { d.overtake(j) })
		return
	case q == nil:
		q = &queue{key: j.key()}
		d.queues[q.key] = q
	}
	j.queue = q
	q.jobs = append(q.jobs, j)
	d.start(q)
}

// withdraw gives up the jobs with After that have not begun: what they ask is about a
// leg that has ended, and who hears of it behind the end would begin to work for it.
func (d *Deliverer) withdraw(q *queue) {
	for _, j := range q.aside {
		j.hurry.Stop()
		d.held--
		d.bytes -= j.size
		if j.Done != nil {
			go j.Done(Result{Err: errEnded, Reason: "Not sent."})
		}
	}
	q.aside = nil
}

// alone does a job in a queue of its own, which nobody else knows.
func (d *Deliverer) alone(j *job) {
	j.queue = &queue{jobs: []*job{j}}
	d.start(j.queue)
}

// overtake begins a job with After that has waited for long enough.
func (d *Deliverer) overtake(j *job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(j.queue.aside, j); i >= 0 {
		j.queue.aside = slices.Delete(j.queue.aside, i, i+1)
		d.alone(j)
	}
}

// start lines a queue up and sees to it that somebody does it.
func (d *Deliverer) start(q *queue) {
	if l := d.lineUp(q); l != nil {
		d.hire(l)
	}
}

// lineUp puts a queue whose first job may begin into the line of its lane, and
// returns that, or nil.
func (d *Deliverer) lineUp(q *queue) *lane {
	if q.busy || len(q.jobs) == 0 || !q.jobs[0].ready {
		return nil
	}
	q.busy = true
	key := q.jobs[0].laneKey()
	l := d.lanes[key]
	if l == nil {
		l = &lane{key: key}
		d.lanes[key] = l
	}
	l.line = append(l.line, q)
	return l
}

// advance takes the first job, which a worker of l did, out of its queue.
func (d *Deliverer) advance(q *queue, l *lane) {
	j := q.jobs[0]
	q.jobs, q.busy = slices.Delete(q.jobs, 0, 1), false
	d.held--
	d.bytes -= j.size
	for i := 0; i < len(q.aside); {
		if o := q.aside[i]; !q.blocks(o) {
			o.hurry.Stop()
			q.aside = slices.Delete(q.aside, i, i+1)
			d.alone(o)
			continue
		}
		i++
	}
	if q.len() == 0 && d.queues[q.key] == q {
		delete(d.queues, q.key)
	}
	if next := d.lineUp(q); next != nil && next != l { // l's worker goes on by itself
		d.hire(next)
	}
	d.settled()
}
