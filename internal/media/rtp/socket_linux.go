package rtp

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// socket is one UDP socket, read by the poller.
type socket struct {
	fd     int
	v6     bool // of family AF_INET6, which carries IPv4 too if bound to no address
	poller *poller
	handle func(*datagram)

	users   atomic.Int32 // who may use fd, the owner among them; the last one closes it
	closed  atomic.Bool
	busy    atomic.Bool // delivering took long the last time
	news    atomic.Bool // something came in since the last reading began
	reading sync.Mutex  // held by who delivers
}

// listen binds a socket.
func (p *poller) listen(at netip.AddrPort) (*socket, error) {
	families := []bool{!at.Addr().Unmap().Is4()}
	if everywhere(at) {
		families = []bool{true, false} // not every system has IPv6
	}
	var err error
	for _, v6 := range families {
		var fd int
		if fd, err = bindUDP(at, v6); err == nil {
			s := &socket{fd: fd, v6: v6, poller: p}
			s.users.Store(1)
			return s, nil
		}
		if !errors.Is(err, syscall.EAFNOSUPPORT) && !errors.Is(err, syscall.EADDRNOTAVAIL) {
			break
		}
	}
	return nil, err
}

func bindUDP(at netip.AddrPort, v6 bool) (int, error) {
	family := syscall.AF_INET
	var addr syscall.Sockaddr = &syscall.SockaddrInet4{Port: int(at.Port()), Addr: as4(at.Addr())}
	if v6 {
		family = syscall.AF_INET6
		addr = &syscall.SockaddrInet6{Port: int(at.Port()), Addr: as6(at.Addr())}
	}
	fd, err := syscall.Socket(family, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	if v6 && everywhere(at) {
		err = os.NewSyscallError("setsockopt", syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 0))
	}
	if err == nil {
		err = os.NewSyscallError("bind", syscall.Bind(fd, addr))
	}
	if err != nil {
		return 0, errors.Join(err, syscall.Close(fd))
	}
	return fd, nil
}

// everywhere reports whether at means every address of the machine.
func everywhere(at netip.AddrPort) bool {
	return !at.Addr().IsValid() || at.Addr().IsUnspecified()
}

// as4 and as6 give the bytes of an address; of none, or one of the other family,
// those of no address in particular.
func as4(a netip.Addr) [4]byte {
	if a = a.Unmap(); a.Is4() {
		return a.As4()
	}
	return [4]byte{}
}

func as6(a netip.Addr) [16]byte {
	if !a.IsValid() || a.IsUnspecified() {
		return [16]byte{}
	}
	return a.As16()
}

// start begins to call handle with what comes in, and with what has come already,
// one datagram after the other.
func (s *socket) start(handle func(*datagram)) error {
	s.handle = handle
	return s.poller.add(s)
}

// close ends it; handle is not called any more when it returns. It must not be
// called by handle.
func (s *socket) close() {
	if s.closed.Swap(true) {
		return
	}
	s.poller.remove(s)
	s.reading.Lock()   // waits for handle
	s.reading.Unlock() //nolint:staticcheck // nothing to do inside
	s.release()
}

// acquire keeps fd from being closed; false if it is. Without it the number could
// be another socket's by the time of the system call.
func (s *socket) acquire() bool {
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

func (s *socket) release() {
	if s.users.Add(-1) == 0 {
		_ = syscall.Close(s.fd) // UDP: nothing to lose
	}
}

// writeTo sends one datagram. It never waits.
func (s *socket) writeTo(b []byte, to netip.AddrPort) error {
	if !s.v6 && !to.Addr().Is4() {
		return syscall.EAFNOSUPPORT // as4 would make it an address of this machine
	}
	if !s.acquire() {
		return os.ErrClosed
	}
	defer s.release()
	var errno syscall.Errno
	if s.v6 {
		addr := syscall.RawSockaddrInet6{Family: syscall.AF_INET6, Port: networkOrder(to.Port()), Addr: to.Addr().As16()}
		errno = sendTo(s.fd, b, unsafe.Pointer(&addr), unsafe.Sizeof(addr))
	} else {
		addr := syscall.RawSockaddrInet4{Family: syscall.AF_INET, Port: networkOrder(to.Port()), Addr: as4(to.Addr())}
		errno = sendTo(s.fd, b, unsafe.Pointer(&addr), unsafe.Sizeof(addr))
	}
	if errno != 0 {
		return errno
	}
	return nil
}

// sendTo does not tell the scheduler: a socket that does not block takes less time
// than that would.
func sendTo(fd int, b []byte, addr unsafe.Pointer, size uintptr) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(len(b)), syscall.MSG_NOSIGNAL, uintptr(addr), size)
	return errno
}

// networkOrder returns what the kernel takes for port.
func networkOrder(port uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], port)
	return binary.NativeEndian.Uint16(b[:])
}

// drain delivers what has come in, unless another worker is about it: that one
// then takes the news along.
func (s *socket) drain(w *worker) {
	s.news.Store(true)
	for s.news.Load() {
		if !s.reading.TryLock() {
			return
		}
		s.news.Store(false)
		began := time.Now()
		for more := true; more && !s.closed.Load(); {
			more = s.deliver(w)
		}
		s.busy.Store(time.Since(began) > long)
		s.reading.Unlock()
	}
}

// deliver reads once and reports whether more may be waiting.
func (s *socket) deliver(w *worker) bool {
	if !s.acquire() {
		return false
	}
	n := w.receive(s.fd)
	s.release()
	for i := range n {
		s.handle(w.arrived(i))
	}
	return n == len(w.headers)
}
