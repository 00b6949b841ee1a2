package rtc

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/offhook/offhook/internal/media/udp"
)

// lengthSize is the length that goes before each datagram (RFC 4571 section 2).
const lengthSize = 2

var errShortWrite = errors.New("rtc: TCP connection takes nothing")

// stream is a TCP connection that carries a browser's datagrams (RFC 6544): the way
// out of networks that let no UDP through.
type stream struct {
	conn   *net.TCPConn
	raw    syscall.RawConn
	proved atomic.Bool // an ICE check was authenticated

	mu   sync.Mutex // guards what follows
	buf  [lengthSize + maxDatagram]byte
	left []byte // the end of buf that the kernel had no room for
	err  error
	try  func(fd uintptr) bool // is send; made once, so that writing allocates nothing
}

func newStream(conn *net.TCPConn) (*stream, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &stream{conn: conn, raw: raw}
	c.try = c.send
	return c, nil
}

// write sends one datagram, or drops it while the connection is that far behind:
// late audio is worth less than the next.
func (c *stream) write(datagram []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(datagram) > maxDatagram || c.flush() != nil {
		return false
	}
	binary.BigEndian.PutUint16(c.buf[:], uint16(len(datagram)))
	frame := c.buf[:lengthSize+copy(c.buf[lengthSize:], datagram)]
	c.left = frame
	if c.flush() != nil && len(c.left) == len(frame) {
		c.left = nil // nothing of it has gone
		return false
	}
	return true
}

// flush sends what is left of the datagram before.
func (c *stream) flush() error {
	if len(c.left) == 0 {
		return nil
	}
	if err := errors.Join(c.raw.Write(c.try), c.err); err != nil {
		return err
	}
	if len(c.left) > 0 {
		return errShortWrite
	}
	return nil
}

// send writes once; it always returns true, so that nobody waits for the socket.
func (c *stream) send(fd uintptr) bool {
	n, err := syscall.Write(int(fd), c.left)
	switch {
	case err == nil:
		c.left = c.left[n:]
	case !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR):
		c.err = err
	}
	return true
}

// accept takes in TCP connections until the listener closes.
func (s *Server) accept() {
	for {
		conn, err := s.tcp.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as too many open files: others may close some
			time.Sleep(10 * time.Millisecond)
			continue
		}
		c, err := newStream(conn)
		if err != nil || !s.addStream(c) {
			_ = conn.Close()
			continue
		}
		s.wg.Go(func() { s.readStream(c) })
	}
}

// addStream keeps c. Of those who have proved nothing yet the oldest makes room,
// so that silent connections keep nobody out. It is false after Close.
func (s *Server) addStream(c *stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.streams[c] = struct{}{}
	s.unproved = append(s.unproved, c)
	if len(s.unproved) > s.cfg.MaxUnproved {
		_ = s.unproved[0].conn.Close() // its reader removes it
		s.unproved = s.unproved[1:]
	}
	return true
}

func (s *Server) removeStream(c *stream) {
	s.mu.Lock()
	delete(s.streams, c)
	s.mu.Unlock()
	s.forgetUnproved(c)
	_ = c.conn.Close()
}

// forgetUnproved takes c off the list of those that make room.
func (s *Server) forgetUnproved(c *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, other := range s.unproved {
		if other == c {
			s.unproved = append(s.unproved[:i:i], s.unproved[i+1:]...)
			return
		}
	}
}

// readStream delivers the datagrams of c until it ends, is silent, or sends what is
// no ICE before a check has proved who it is.
func (s *Server) readStream(c *stream) {
	from := remote{tcp: c}
	if addr, ok := c.conn.RemoteAddr().(*net.TCPAddr); ok {
		addr := addr.AddrPort()
		from.addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	}
	defer func() {
		s.removeStream(c)
		if p := s.routes.find(from); p != nil {
			p.lostWay(from)
		}
	}()
	r := reader{Datagram: new(udp.Datagram)}
	in := bufio.NewReaderSize(c.conn, lengthSize+maxDatagram)
	until := time.Now().Add(s.cfg.HandshakeTimeout)
	for {
		if c.proved.Load() {
			until = time.Now().Add(s.cfg.ConsentTimeout)
		}
		datagram, err := readFrame(c.conn, in, &r, until)
		if err != nil {
			return
		}
		s.deliver(&r, datagram, from)
		if s.routes.find(from) == nil {
			return // no check has led to a path of ours, or that path is gone
		}
		if !c.proved.Swap(true) {
			s.forgetUnproved(c)
		}
	}
}

// readFrame reads one datagram to where deliver wants it.
func readFrame(conn *net.TCPConn, in *bufio.Reader, r *reader, until time.Time) ([]byte, error) {
	if err := conn.SetReadDeadline(until); err != nil {
		return nil, err
	}
	var head [lengthSize]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, err
	}
	room := r.Room()
	n := int(binary.BigEndian.Uint16(head[:]))
	if n > len(room) {
		return nil, errors.New("rtc: frame longer than any datagram of ours")
	}
	_, err := io.ReadFull(in, room[:n])
	return room[:n], err
}
