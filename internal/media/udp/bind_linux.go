package udp

import (
	"errors"
	"net/netip"
	"os"
	"syscall"
	"unsafe"
)

// listen binds a socket.
func (p *poller) listen(at netip.AddrPort) (*Socket, error) {
	families := []bool{!at.Addr().Unmap().Is4()}
	if everywhere(at) {
		families = []bool{true, false} // not every system has IPv6
	}
	var err error
	for _, v6 := range families {
		var fd int
		if fd, err = bind(at, v6); err == nil {
			s := &Socket{fd: fd, v6: v6, poller: p}
			s.users.Store(1)
			return s, nil
		}
		if !errors.Is(err, syscall.EAFNOSUPPORT) && !errors.Is(err, syscall.EADDRNOTAVAIL) {
			break
		}
	}
	return nil, err
}

func bind(at netip.AddrPort, v6 bool) (int, error) {
	family := syscall.AF_INET
	if v6 {
		family = syscall.AF_INET6
	}
	fd, err := syscall.Socket(family, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	if v6 && everywhere(at) {
		err = setInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 0)
	}
	if err == nil {
		var addr address
		size := encode(&addr, at, v6)
		if _, _, errno := syscall.RawSyscall(syscall.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&addr)), size); errno != 0 {
			err = os.NewSyscallError("bind", errno)
		}
	}
	if err != nil {
		closeSocket(fd)
		return 0, err
	}
	return fd, nil
}

// setInt sets an option. Package syscall would announce the call.
func setInt(fd, level, option int, value int32) error {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(option),
		uintptr(unsafe.Pointer(&value)), unsafe.Sizeof(value), 0)
	if errno != 0 {
		return os.NewSyscallError("setsockopt", errno)
	}
	return nil
}

// closeSocket cannot fail in a way that matters: with UDP there is nothing to lose.
func closeSocket(fd int) { _, _, _ = syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0) }
