package rtp

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	// batch is how many sockets with news one wait returns.
	batch = 64
	// long is how long delivering what came in on a socket takes if more than
	// relaying is done with it.
	long = 100 * time.Microsecond
	// edge is EPOLLET, which package syscall has as a negative number: a socket that
	// one worker is busy with must not wake others.
	edge = 1 << 31
)

// poller waits for packets on the sockets of all paths. With a goroutine for each
// socket, as package net has it, every packet wakes one; here one wake-up serves
// all packets that have come, at two thirds of the cost.
//
// Its workers take turns: the one that leads waits and delivers what it found. It
// hands the lead on before it delivers what took long the last time, as transcoding
// does. So relaying, which is short, costs no hand-over, and long work uses every
// core.
type poller struct {
	epoll  int
	alarm  int // an eventfd that ends the wait
	lead   sync.Mutex
	wg     sync.WaitGroup
	closed bool // guarded by lead

	mu      sync.Mutex // guards what follows
	sockets map[int32]*socket
}

func newPoller() (*poller, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	alarm, _, errno := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if errno != 0 {
		return nil, errors.Join(fmt.Errorf("eventfd: %w", errno), syscall.Close(epoll))
	}
	p := &poller{epoll: epoll, alarm: int(alarm), sockets: make(map[int32]*socket)}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(p.alarm)}
	if err := syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, p.alarm, &event); err != nil {
		return nil, errors.Join(fmt.Errorf("epoll: %w", err), p.free())
	}
	for range runtime.GOMAXPROCS(0) {
		p.wg.Go(p.work)
	}
	return p, nil
}

// close ends the workers and waits for them. No socket may be added any more.
func (p *poller) close() error {
	one := [8]byte{1} // any number; nobody reads it, so every worker wakes
	_, err := syscall.Write(p.alarm, one[:])
	p.wg.Wait()
	return errors.Join(err, p.free())
}

func (p *poller) free() error {
	return errors.Join(syscall.Close(p.epoll), syscall.Close(p.alarm))
}

// add begins to deliver what comes in on s, and what waits there already.
func (p *poller) add(s *socket) error {
	p.mu.Lock()
	p.sockets[int32(s.fd)] = s
	p.mu.Unlock()
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | edge, Fd: int32(s.fd)}
	if err := syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_ADD, s.fd, &event); err != nil {
		p.remove(s)
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// remove ends it. A worker may still be delivering.
func (p *poller) remove(s *socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sockets[int32(s.fd)] == s {
		delete(p.sockets, int32(s.fd))
		_ = syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_DEL, s.fd, nil)
	}
}

// work leads whenever nobody else does, until the poller closes.
func (p *poller) work() {
	w := newWorker()
	for {
		p.lead.Lock()
		for leading := true; leading; {
			if p.closed || !p.wait(w) {
				p.closed = true
				p.lead.Unlock()
				return
			}
			leading = p.deliver(w)
		}
	}
}

// wait returns when some sockets have news; false when the poller closes.
func (p *poller) wait(w *worker) bool {
	n, err := syscall.EpollWait(p.epoll, w.events[:], -1)
	if err != nil && !errors.Is(err, syscall.EINTR) {
		return false // only a descriptor that is no epoll can cause it
	}
	w.ready = w.ready[:0]
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range w.events[:max(n, 0)] {
		if int(e.Fd) == p.alarm {
			return false
		}
		// A socket may have been closed since. Its number may even be another's
		// now: that one has no packets, then.
		if s := p.sockets[e.Fd]; s != nil {
			w.ready = append(w.ready, s)
		}
	}
	return true
}

// deliver hands on what came in, of busy paths last. It is false if the worker gave
// up the lead.
func (p *poller) deliver(w *worker) bool {
	busy := w.ready[:0]
	for _, s := range w.ready {
		if s.busy.Load() {
			busy = append(busy, s)
			continue
		}
		s.drain(w)
	}
	leading := true
	for _, s := range busy {
		if leading {
			leading = false
			p.lead.Unlock()
		}
		s.drain(w)
	}
	return leading
}
