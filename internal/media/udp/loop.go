package udp

import (
	"net/netip"
	"sync"
)

// Loop reads any number of sockets. It has goroutines only while there are any. The
// zero value is ready for use; all methods are safe for concurrent use.
type Loop struct {
	mu      sync.Mutex // guards what follows
	sockets int        // open
	poller  *poller    // nil while there are none
}

// Listen binds a socket, of both families if at names no address in particular.
// Port 0 takes a free one. Nothing is read before Start.
func (l *Loop) Listen(at netip.AddrPort) (*Socket, error) {
	p, err := l.enter()
	if err != nil {
		return nil, err
	}
	s, err := p.listen(at)
	if err != nil {
		l.leave()
		return nil, err
	}
	s.loop = l
	return s, nil
}

// enter counts a socket and returns what reads for it.
func (l *Loop) enter() (*poller, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.poller == nil {
		p, err := newPoller()
		if err != nil {
			return nil, err
		}
		l.poller = p
	}
	l.sockets++
	return l.poller, nil
}

// leave counts a socket less. With the last one reading ends.
func (l *Loop) leave() {
	l.mu.Lock()
	var last *poller
	if l.sockets--; l.sockets == 0 {
		last, l.poller = l.poller, nil
	}
	l.mu.Unlock()
	if last != nil {
		_ = last.close() // its sockets are closed; there is nothing left to lose
	}
}
