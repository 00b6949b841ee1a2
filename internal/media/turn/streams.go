package turn

import (
	"errors"
	"net"
	"sync"
	"time"
)

const (
	// maxStreams is how many TCP connections may be open; one more ends the oldest
	// that has no relay yet.
	maxStreams = 2000
	// proveWithin is how long a connection may be without a relay.
	proveWithin = 20 * time.Second
	// idleTime is how long nothing may come of one: checks and audio of a call come
	// every few seconds.
	idleTime = 5 * time.Minute
	// writeTime is how long a client may take nothing.
	writeTime = 5 * time.Second
)

// streams is a listener that keeps its connections in bounds.
type streams struct {
	*net.TCPListener
	most  int           // maxStreams
	prove time.Duration // proveWithin

	mu     sync.Mutex // guards what follows
	open   map[string]*stream
	fresh  []*stream // those without relay, oldest first
	closed bool
}

// stream is a TCP connection of a client.
type stream struct {
	net.Conn
	all   *streams
	timer *time.Timer // ends it if it has no relay by then
}

func newStreams(l *net.TCPListener) *streams {
	return &streams{TCPListener: l, most: maxStreams, prove: proveWithin, open: make(map[string]*stream)}
}

// Accept implements net.Listener; it fails only when the listener is closed.
func (s *streams) Accept() (net.Conn, error) {
	for {
		conn, err := s.TCPListener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil, err
		case err != nil: // such as EMFILE: others may yet end
			time.Sleep(10 * time.Millisecond)
		default:
			if c := s.add(conn); c != nil {
				return c, nil
			}
		}
	}
}

func (s *streams) add(conn net.Conn) *stream {
	c := &stream{Conn: conn, all: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.open) >= s.most && len(s.fresh) == 0 {
		_ = conn.Close()
		return nil
	}
	if len(s.open) >= s.most {
		s.dropLocked(s.fresh[0])
	}
	s.open[conn.RemoteAddr().String()] = c
	s.fresh = append(s.fresh, c)
	c.timer = time.AfterFunc(s.prove, func() { _ = c.Close() })
	return c
}

// proved keeps the connection from client, if there is one: it has a relay.
func (s *streams) proved(client net.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.open[client.String()]; c != nil && client.Network() == "tcp" {
		s.settleLocked(c)
	}
}

// settleLocked takes c from those who have still to prove something.
func (s *streams) settleLocked(c *stream) {
	c.timer.Stop()
	for i, f := range s.fresh {
		if f == c {
			s.fresh = append(s.fresh[:i], s.fresh[i+1:]...)
			return
		}
	}
}

func (s *streams) dropLocked(c *stream) {
	s.settleLocked(c)
	if at := c.RemoteAddr().String(); s.open[at] == c {
		delete(s.open, at)
	}
	_ = c.Conn.Close()
}

// closeAll ends every connection; none is accepted any more.
func (s *streams) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, c := range s.open {
		s.dropLocked(c)
	}
}

// Close implements net.Conn.
func (c *stream) Close() error {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.all.dropLocked(c)
	return nil
}

// Read implements net.Conn.
func (c *stream) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(idleTime)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Write implements net.Conn.
func (c *stream) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if err != nil {
		_ = c.Close() // half a message is on its way
	}
	return n, err
}
