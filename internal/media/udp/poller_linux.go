package udp

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	// batch is how many sockets with news one wait returns.
	batch = 64
	// burst is how many sockets with news say that more is coming: looking again is
	// cheaper than waiting, then.
	burst = 2
	// long is how long delivering a datagram takes if more than relaying is done
	// with it.
	long = 100 * time.Microsecond
	// tooLong is how long nobody else's datagram may wait for one that takes long.
	tooLong = 10 * long
	// enough is how often in a row it takes that until it counts: once may be because
	// the machine did something else.
	enough = 2
	// edge is EPOLLET, which package syscall has as a negative number: a socket that
	// one worker is busy with must not wake others.
	edge = 1 << 31
)

// poller waits for packets on the sockets of all paths. With a goroutine for each
// socket, as package net has it, every packet wakes one; here one wake-up serves
// all packets that have come, at two thirds of the cost.
//
// Its workers take turns: the one that leads waits and delivers what it found. It
// hands the lead on before it delivers what took long the last times, as transcoding
// does, if several sockets have that, or one has much of it. So relaying, which is
// short, and a packet to transcode that comes alone cost no hand-over, and long work
// uses every core.
type poller struct {
	file   *os.File // the epoll descriptor, which the runtime watches like a socket
	raw    syscall.RawConn
	lead   sync.Mutex
	wg     sync.WaitGroup
	closed bool // guarded by lead

	mu      sync.Mutex // guards what follows
	epoll   int        // of file
	sockets []*Socket  // by descriptor, nil between
}

func newPoller() (*poller, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if err := syscall.SetNonblock(epoll, true); err != nil { // else the runtime does not watch it
		return nil, errors.Join(fmt.Errorf("epoll: %w", err), syscall.Close(epoll))
	}
	file := os.NewFile(uintptr(epoll), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("epoll: %w", err), file.Close())
	}
	p := &poller{file: file, raw: raw, epoll: epoll}
	for range runtime.GOMAXPROCS(0) {
		p.wg.Go(p.work)
	}
	return p, nil
}

// close ends the workers and waits for them. No socket may be added any more.
func (p *poller) close() error {
	err := p.file.Close()
	p.wg.Wait()
	return err
}

// add begins to deliver what comes in on s, and what waits there already.
func (p *poller) add(s *Socket) error {
	p.mu.Lock()
	if missing := s.fd + 1 - len(p.sockets); missing > 0 {
		p.sockets = append(p.sockets, make([]*Socket, missing)...)
	}
	p.sockets[s.fd] = s
	p.mu.Unlock()
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | edge, Fd: int32(s.fd)}
	if err := syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_ADD, s.fd, &event); err != nil {
		p.remove(s)
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// remove ends it. A worker may still be delivering.
func (p *poller) remove(s *Socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.fd < len(p.sockets) && p.sockets[s.fd] == s {
		p.sockets[s.fd] = nil
		_ = syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_DEL, s.fd, nil)
	}
}

// work leads whenever nobody else does, until the poller closes.
func (p *poller) work() {
	w := newWorker()
	w.turn = func(epoll uintptr) bool { return p.turn(w, int(epoll)) }
	for {
		p.lead.Lock()
		p.closed = p.closed || p.raw.Read(w.turn) != nil
		closed := p.closed
		p.lead.Unlock()
		if closed {
			return
		}
		for _, s := range w.busy {
			s.drain(w)
		}
	}
}

// turn delivers what has come in on the sockets where that is short. It is true if
// the worker shall give up the lead for the others; else it is called again when
// there is something to fetch. A blocking epoll_wait would keep the runtime's
// monitor thread awake for nothing; so the runtime is asked to wait.
func (p *poller) turn(w *worker, epoll int) bool {
	w.busy = w.busy[:0]
	for {
		n := w.fetch(epoll)
		p.find(w, n)
		for _, s := range w.ready {
			if s.busy() {
				w.busy = append(w.busy, s)
				continue
			}
			s.drain(w)
		}
		if len(w.busy) == 1 && !w.busy[0].hogs.Load() && !w.busy[0].read(w) { // sooner done than handed on
			w.busy = w.busy[:0]
		}
		if len(w.busy) > 0 || n < burst {
			return len(w.busy) > 0
		}
	}
}

// find makes ready the sockets of the first n events.
func (p *poller) find(w *worker, n int) {
	w.ready = w.ready[:0]
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range w.events[:n] {
		// A socket may have been closed since. Its number may even be another's
		// now: that one has no packets, then.
		if s := p.sockets[e.Fd]; s != nil {
			w.ready = append(w.ready, s)
		}
	}
}
