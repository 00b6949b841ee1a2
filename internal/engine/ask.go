package engine

import (
	"context"
	"errors"
	"sync"

	"github.com/offhook/offhook/internal/core"
)

// questions are the requests that somebody waits for.
type questions struct {
	mu      sync.Mutex // guards all below
	last    core.AskID
	waiting map[core.AskID]chan<- core.Reply
	over    bool // the loop has ended; nobody will reply
}

// errStopped is the answer of a loop that runs no more.
func errStopped(op string) error {
	return &core.Error{Op: op, Kind: core.Unavailable, Err: errors.New("the node has stopped")}
}

// open takes a question in; the reply comes on the channel, which never blocks
// who sends it.
func (q *questions) open() (core.AskID, <-chan core.Reply, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.over {
		return 0, nil, errStopped("engine.Ask")
	}
	if q.waiting == nil {
		q.waiting = make(map[core.AskID]chan<- core.Reply)
	}
	q.last++
	reply := make(chan core.Reply, 1)
	q.waiting[q.last] = reply
	return q.last, reply, nil
}

// answer hands a reply to who waits for it, if somebody still does.
func (q *questions) answer(r core.Reply) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if reply, ok := q.waiting[r.Ask]; ok {
		delete(q.waiting, r.Ask)
		reply <- r
	}
}

// forget lets nobody wait for a question any more.
func (q *questions) forget(id core.AskID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.waiting, id)
}

// close answers everything that is open.
func (q *questions) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over = true
	for id, reply := range q.waiting {
		delete(q.waiting, id)
		reply <- core.Reply{Ask: id, Err: errStopped("engine.Ask")}
	}
}

// Ask lets the exchange carry out a request and waits for what came of it, or
// for ctx. The loop never waits for who asks. The error has a Kind.
func (l *Loop) Ask(ctx context.Context, do core.Request) (core.Reply, error) {
	id, reply, err := l.questions.open()
	if err != nil {
		return core.Reply{}, err
	}
	defer l.questions.forget(id)
	if err := l.Post(core.Asked{Ask: id, Do: do}); err != nil {
		return core.Reply{}, err
	}
	select {
	case r := <-reply:
		return r, r.Err
	case <-ctx.Done():
		return core.Reply{}, &core.Error{Op: "engine.Ask", Kind: core.Unavailable, Err: ctx.Err()}
	}
}
