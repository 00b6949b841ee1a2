package udp

import (
	"errors"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// Socket is one UDP socket, read by the poller.
type Socket struct {
	fd     int
	v6     bool // of family AF_INET6, which carries IPv4 too if bound to no address
	loop   *Loop
	poller *poller
	handle func(*Datagram)

	users   atomic.Int32 // who may use fd, the owner among them; the last one closes it
	closed  atomic.Bool
	slow    atomic.Int32 // how often in a row delivering took long, up to enough
	hogs    atomic.Bool  // the last time it took too long
	news    atomic.Bool  // something came in since the last reading began
	reading sync.Mutex   // held by who delivers
}

// Addr returns where the socket is bound; it is not valid after Close.
func (s *Socket) Addr() netip.AddrPort {
	if !s.acquire() {
		return netip.AddrPort{}
	}
	defer s.release()
	var addr address
	size := uint32(unsafe.Sizeof(addr))
	_, _, errno := syscall.RawSyscall(syscall.SYS_GETSOCKNAME, uintptr(s.fd), uintptr(unsafe.Pointer(&addr)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return netip.AddrPort{}
	}
	return decode(&addr)
}

// SetBuffers asks the kernel for as many bytes each way; it may grant fewer.
func (s *Socket) SetBuffers(bytes int32) error {
	if !s.acquire() {
		return os.ErrClosed
	}
	defer s.release()
	return errors.Join(
		setInt(s.fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, bytes),
		setInt(s.fd, syscall.SOL_SOCKET, syscall.SO_SNDBUF, bytes),
	)
}

// Start begins to call handle with what comes in, and with what has come already,
// one datagram after the other. It delays other sockets, so it must not block.
func (s *Socket) Start(handle func(*Datagram)) error {
	s.handle = handle
	return s.poller.add(s)
}

// Close ends it; handle is not called any more when it returns. It must not be
// called by a handle of the same Loop.
func (s *Socket) Close() {
	if s.closed.Swap(true) {
		return
	}
	s.poller.remove(s)
	s.reading.Lock()   // waits for handle
	s.reading.Unlock() //nolint:staticcheck // nothing to do inside
	s.release()
	s.loop.leave()
}

// acquire keeps fd from being closed; false if it is. Without it the number could
// be another socket's by the time of the system call.
func (s *Socket) acquire() bool {
	for {
		n := s.users.Load()
		if n == 0 {
			return false
		}
		if s.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (s *Socket) release() {
	if s.users.Add(-1) == 0 {
		closeSocket(s.fd)
	}
}

// WriteTo sends one datagram. It never waits.
func (s *Socket) WriteTo(b []byte, to netip.AddrPort) error {
	if !s.v6 && !to.Addr().Is4() {
		return syscall.EAFNOSUPPORT // encode would make it an address of this machine
	}
	if !s.acquire() {
		return os.ErrClosed
	}
	defer s.release()
	var addr address
	size := encode(&addr, to, s.v6)
	_, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(len(b)), syscall.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&addr)), size)
	if errno != 0 {
		return errno
	}
	return nil
}

// drain delivers what has come in, unless another worker is about it.
func (s *Socket) drain(w *worker) {
	for s.read(w) {
	}
}

// read delivers what one system call fetches, unless another worker is about it: that
// one then takes the news along. It is true if there may be more.
func (s *Socket) read(w *worker) bool {
	s.news.Store(true)
	if !s.reading.TryLock() {
		return false
	}
	s.news.Store(false)
	began, count := time.Now(), 0
	if !s.closed.Load() {
		count = s.deliver(w)
	}
	took := time.Since(began)
	s.note(tookLong(took, count))
	s.hogs.Store(took > tooLong)
	s.reading.Unlock()
	return count == len(w.headers) || s.news.Load()
}

// tookLong reports whether delivering so many datagrams took long for each.
func tookLong(took time.Duration, count int) bool { return took > time.Duration(max(1, count))*long }

// note counts how often delivering took long.
func (s *Socket) note(long bool) {
	switch slow := s.slow.Load(); {
	case !long && slow > 0:
		s.slow.Store(0)
	case long && slow < enough:
		s.slow.Store(slow + 1)
	}
}

// busy reports whether delivering takes long.
func (s *Socket) busy() bool { return s.slow.Load() == enough }

// deliver reads once and returns how many datagrams it handed on.
func (s *Socket) deliver(w *worker) int {
	if !s.acquire() {
		return 0
	}
	n := w.receive(s.fd)
	s.release()
	for i := range n {
		s.handle(w.arrived(i))
	}
	return n
}
