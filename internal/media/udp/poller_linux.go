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
	// long is how long delivering a datagram takes if more than relaying is done
	// with it.
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
	file   *os.File // the epoll descriptor, which the runtime watches like a socket
	raw    syscall.RawConn
	lead   sync.Mutex
	wg     sync.WaitGroup
	closed bool // guarded by lead

	mu      sync.Mutex // guards what follows
	epoll   int        // of file
	sockets map[int32]*Socket
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
	p := &poller{file: file, raw: raw, epoll: epoll, sockets: make(map[int32]*Socket)}
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
func (p *poller) remove(s *Socket) {
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

// wait returns when some sockets have news; false when the poller closes. A blocking
// epoll_wait would keep the runtime's monitor thread awake for nothing; so the
// runtime is asked to say when there is something to fetch.
func (p *poller) wait(w *worker) bool {
	if err := p.raw.Read(w.fetch); err != nil {
		return false // closed
	}
	w.ready = w.ready[:0]
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range w.events[:w.news] {
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
