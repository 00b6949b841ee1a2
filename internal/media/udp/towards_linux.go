package udp

import (
	"net/netip"
	"syscall"
	"unsafe"
)

// quickTowards does for Towards what package net does, with four system calls in place
// of ten and without announcing one: each call looks the way up once, and an announced
// system call wakes the runtime's monitor thread. It is false for what is rare: no
// address, one of a named network card, no way.
func quickTowards(remote netip.Addr) (local netip.Addr, ok bool) {
	if !remote.IsValid() || remote.Zone() != "" {
		return netip.Addr{}, false
	}
	remote = remote.Unmap()
	family, v6 := syscall.AF_INET, false
	if !remote.Is4() {
		family, v6 = syscall.AF_INET6, true
	}
	fd, err := syscall.Socket(family, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return netip.Addr{}, false
	}
	defer closeSocket(fd)
	var addr address
	size := encode(&addr, netip.AddrPortFrom(remote, 9), v6)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&addr)), size); errno != 0 {
		return netip.Addr{}, false
	}
	room := uint32(unsafe.Sizeof(addr))
	_, _, errno := syscall.RawSyscall(syscall.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&addr)), uintptr(unsafe.Pointer(&room)))
	return decode(&addr).Addr(), errno == 0
}
