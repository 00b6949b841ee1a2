package rtp

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/guard"
	"github.com/offhook/offhook/internal/media/udp"
)

// rest is how long the ports of a closed path stay unused: packets still under
// way to the former leg must not be heard by the next one.
const rest = 5 * time.Second

// Allocator gives port pairs of one range to paths: RTP on the even port, RTCP
// on the next (RFC 3550 section 11). All methods are safe for concurrent use.
type Allocator struct {
	first, last uint16 // even ports, both usable
	loop        *udp.Loop
	panics      guard.Panics

	mu      sync.Mutex // guards what follows
	next    uint16
	used    map[uint16]bool // even ports in use or at rest
	resting []restingPort   // oldest first
}

type restingPort struct {
	port  uint16
	until time.Time
}

// NewAllocator returns an Allocator for the ports first to last, at least one
// even port and the next.
func NewAllocator(first, last uint16) *Allocator {
	return NewAllocatorOn(new(udp.Loop), first, last)
}

// NewAllocatorOn is NewAllocator with sockets that loop reads, beside others.
func NewAllocatorOn(loop *udp.Loop, first, last uint16) *Allocator {
	first += first & 1
	return &Allocator{loop: loop, first: first, last: (last - 1) &^ 1, next: first, used: make(map[uint16]bool)}
}

// errExhausted says that no port pair is free.
var errExhausted = errors.New("no free port pair in media.rtp_ports")

// New binds a port pair at c.LocalIP and returns a path that is silent until
// Start. It fails with kind Unavailable when the range is exhausted.
func (a *Allocator) New(c Config) (*Path, error) {
	const op = "rtp.New"
	for range (int(a.last)-int(a.first))/2 + 1 {
		port, ok := a.take()
		if !ok {
			break
		}
		p, err := a.open(port, c)
		if err == nil {
			return p, nil
		}
		a.release(port, 0)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, &core.Error{Op: op, Err: err}
		}
		// Another program has this port: try the next.
	}
	return nil, &core.Error{Op: op, Kind: core.Unavailable, Err: errExhausted}
}

// take returns the next free even port, round robin.
func (a *Allocator) take() (uint16, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wakeLocked(time.Now())
	start := a.next
	for {
		port := a.next
		if a.next += 2; a.next > a.last || a.next < a.first {
			a.next = a.first
		}
		if !a.used[port] {
			a.used[port] = true
			return port, true
		}
		if a.next == start {
			return 0, false
		}
	}
}

// wakeLocked frees the ports that have rested.
func (a *Allocator) wakeLocked(now time.Time) {
	for len(a.resting) > 0 && !now.Before(a.resting[0].until) {
		delete(a.used, a.resting[0].port)
		a.resting = a.resting[1:]
	}
}

// release gives a port back after a rest.
func (a *Allocator) release(port uint16, rest time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if rest == 0 {
		delete(a.used, port)
		return
	}
	a.resting = append(a.resting, restingPort{port, time.Now().Add(rest)})
}

// InUse returns how many port pairs belong to open paths.
func (a *Allocator) InUse() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.used) - len(a.resting)
}

// Panics returns how many datagrams could not be worked on because of a fault of
// ours; each was missing to one leg only.
func (a *Allocator) Panics() uint64 { return a.panics.Count() }

// open binds port and the next and makes a path of them.
func (a *Allocator) open(port uint16, c Config) (*Path, error) {
	rtpSocket, err := a.loop.Listen(netip.AddrPortFrom(c.LocalIP, port))
	if err != nil {
		return nil, fmt.Errorf("bind RTP: %w", err)
	}
	rtcpSocket, err := a.loop.Listen(netip.AddrPortFrom(c.LocalIP, port+1))
	if err != nil {
		rtpSocket.Close()
		return nil, fmt.Errorf("bind RTCP: %w", err)
	}
	return newPath(a, port, c, rtpSocket, rtcpSocket), nil
}
