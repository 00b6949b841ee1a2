package sip

import "sync"

// maxOutbox bounds what may wait for a peer that does not read, in bytes.
const maxOutbox = 512 << 10

// outbox is the bounded send queue of a stream. A goroutine lives only while
// something waits, so an idle connection costs none.
type outbox struct {
	write func(data []byte) error // may block up to the write deadline
	fail  func(why error)
	wg    *sync.WaitGroup // of the stack, to wait for the writer

	mu      sync.Mutex // guards the fields below; not held while writing
	queue   [][]byte
	bytes   int
	writing bool
	closed  bool
	settled chan struct{} // closed when nothing waits any more; nil unless settle waits
}

// put queues data. A full queue ends the connection.
func (o *outbox) put(data []byte) error {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return ErrFlowClosed
	}
	if o.bytes+len(data) > maxOutbox {
		o.mu.Unlock()
		o.fail(errSlowPeer)
		return errSlowPeer
	}
	o.queue = append(o.queue, data)
	o.bytes += len(data)
	start := !o.writing
	if start {
		o.writing = true
		o.wg.Add(1)
	}
	o.mu.Unlock()
	if start {
		go o.drain()
	}
	return nil
}

func (o *outbox) drain() {
	defer o.wg.Done()
	for {
		data := o.take()
		if data == nil {
			return
		}
		if err := o.write(data); err != nil {
			o.fail(err)
			return
		}
	}
}

// take returns what waits, or nil and lets the writer end.
func (o *outbox) take() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || len(o.queue) == 0 {
		o.queue, o.writing = nil, false
		o.settledLocked()
		return nil
	}
	data := o.queue[0]
	o.queue = o.queue[1:]
	o.bytes -= len(data)
	return data
}

// settle waits until what was put has gone out, or the connection is closed. It is
// for the read loop alone.
func (o *outbox) settle() {
	o.mu.Lock()
	if !o.writing || o.closed {
		o.mu.Unlock()
		return
	}
	settled := make(chan struct{})
	o.settled = settled
	o.mu.Unlock()
	<-settled
}

func (o *outbox) settledLocked() {
	if o.settled != nil {
		close(o.settled)
		o.settled = nil
	}
}

func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.settledLocked()
}

func (o *outbox) isClosed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}

// enter counts a goroutine that works for the connection, unless it is closed.
func (o *outbox) enter() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.wg.Add(1)
	}
	return !o.closed
}
