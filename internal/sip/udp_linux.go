package sip

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"unsafe"
)

// quietConn is a UDP socket whose system calls the scheduler is not told of. They
// do not block, and telling it wakes up the runtime's monitor thread each time the
// process was idle, which costs as much as parsing the message.
type quietConn struct {
	*net.UDPConn
	raw  syscall.RawConn
	v6   bool // of family AF_INET6, which carries IPv4 too
	in   receiving
	read func(fd uintptr) bool // in.receive; a method value made at each call would be garbage
}

// quiet returns conn, or something cheaper that does the same.
func quiet(conn *net.UDPConn) packetConn {
	raw, err := conn.SyscallConn()
	if err != nil {
		return conn
	}
	c := &quietConn{UDPConn: conn, raw: raw}
	c.read = c.in.receive
	known := false
	if err := raw.Control(func(fd uintptr) {
		name, err := syscall.Getsockname(int(fd))
		_, c.v6 = name.(*syscall.SockaddrInet6)
		known = err == nil
	}); err != nil || !known {
		return conn
	}
	return c
}

// receiving is a read under way. There is one reader.
type receiving struct {
	buf   []byte
	n     int
	from  syscall.RawSockaddrAny
	size  uint32 // of from
	errno syscall.Errno
}

// ReadFromUDPAddrPort is that of net.UDPConn, for one goroutine.
func (c *quietConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	c.in.buf = b
	if err := c.raw.Read(c.read); err != nil {
		return 0, netip.AddrPort{}, err
	}
	if c.in.errno != 0 {
		return 0, netip.AddrPort{}, c.in.errno
	}
	return c.in.n, fromRaw(&c.in.from), nil
}

// receive reports whether something was read or went wrong; else it waits.
func (r *receiving) receive(fd uintptr) bool {
	for {
		r.size = uint32(unsafe.Sizeof(r.from))
		n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(r.buf))), uintptr(len(r.buf)), 0,
			uintptr(unsafe.Pointer(&r.from)), uintptr(unsafe.Pointer(&r.size)))
		if errno == syscall.EINTR {
			continue
		}
		r.n, r.errno = int(n), errno //nolint:gosec // not above len(buf)
		return errno != syscall.EAGAIN
	}
}

// fromRaw reads an address of the kernel.
func fromRaw(raw *syscall.RawSockaddrAny) netip.AddrPort {
	if raw.Addr.Family == syscall.AF_INET {
		a := (*syscall.RawSockaddrInet4)(unsafe.Pointer(raw))
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), networkOrder(a.Port))
	}
	a := (*syscall.RawSockaddrInet6)(unsafe.Pointer(raw))
	addr := netip.AddrFrom16(a.Addr)
	if a.Scope_id != 0 {
		addr = addr.WithZone(strconv.FormatUint(uint64(a.Scope_id), 10))
	}
	return netip.AddrPortFrom(addr, networkOrder(a.Port))
}

// networkOrder turns a port from the order of the network or into it.
func networkOrder(port uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], port)
	return binary.BigEndian.Uint16(b[:])
}

// sending is a write under way.
type sending struct {
	data  []byte
	to    syscall.RawSockaddrInet6 // or the shorter one for IPv4 in its place
	size  uintptr                  // of to
	errno syscall.Errno
	write func(fd uintptr) bool // send, as in quietConn
}

var sendings = sync.Pool{New: func() any {
	s := new(sending)
	s.write = s.send
	return s
}}

// WriteToUDPAddrPort is that of net.UDPConn.
func (c *quietConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	addr := to.Addr()
	if addr.Zone() != "" || !c.v6 && !addr.Unmap().Is4() {
		return c.UDPConn.WriteToUDPAddrPort(b, to)
	}
	s := sendings.Get().(*sending) //nolint:forcetypeassert // New makes nothing else
	defer sendings.Put(s)
	s.data = b
	defer func() { s.data = nil }()
	if c.v6 {
		s.to = syscall.RawSockaddrInet6{Family: syscall.AF_INET6, Port: networkOrder(to.Port()), Addr: addr.As16()}
		s.size = unsafe.Sizeof(s.to)
	} else {
		v4 := (*syscall.RawSockaddrInet4)(unsafe.Pointer(&s.to))
		*v4 = syscall.RawSockaddrInet4{Family: syscall.AF_INET, Port: networkOrder(to.Port()), Addr: addr.Unmap().As4()}
		s.size = unsafe.Sizeof(*v4)
	}
	if err := c.raw.Write(s.write); err != nil {
		return 0, err
	}
	if s.errno != 0 {
		return 0, s.errno
	}
	return len(b), nil
}

// send reports whether data was sent or something went wrong; else it waits.
func (s *sending) send(fd uintptr) bool {
	for {
		_, _, s.errno = syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(s.data))), uintptr(len(s.data)),
			syscall.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&s.to)), s.size)
		if s.errno != syscall.EINTR {
			return s.errno != syscall.EAGAIN
		}
	}
}
