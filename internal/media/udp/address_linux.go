package udp

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"
)

// address is a socket address of either family as the kernel has it.
type address = syscall.RawSockaddrInet6

// encode writes a for a socket of family AF_INET6 or AF_INET and returns its size.
// Of no address, or one of the other family, it makes no address in particular.
func encode(to *address, a netip.AddrPort, v6 bool) uintptr {
	ip := a.Addr().Unmap()
	if !v6 {
		v4 := (*syscall.RawSockaddrInet4)(unsafe.Pointer(to))
		*v4 = syscall.RawSockaddrInet4{Family: syscall.AF_INET, Port: networkOrder(a.Port())}
		if ip.Is4() {
			v4.Addr = ip.As4()
		}
		return unsafe.Sizeof(*v4)
	}
	*to = address{Family: syscall.AF_INET6, Port: networkOrder(a.Port())}
	if !everywhere(a) {
		to.Addr = ip.As16()
	}
	if zone := ip.Zone(); zone != "" { // as decode gives it
		scope, _ := strconv.ParseUint(zone, 10, 32)
		to.Scope_id = uint32(scope)
	}
	return unsafe.Sizeof(*to)
}

// decode reads an address of the kernel.
func decode(raw *address) netip.AddrPort {
	port := networkOrder(raw.Port)
	if raw.Family == syscall.AF_INET {
		v4 := (*syscall.RawSockaddrInet4)(unsafe.Pointer(raw))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), port)
	}
	ip := netip.AddrFrom16(raw.Addr).Unmap()
	if raw.Scope_id != 0 { // link-local
		ip = ip.WithZone(strconv.FormatUint(uint64(raw.Scope_id), 10))
	}
	return netip.AddrPortFrom(ip, port)
}

// networkOrder turns a port from the order of the network or into it.
func networkOrder(port uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], port)
	return binary.NativeEndian.Uint16(b[:])
}

// everywhere reports whether a means every address of the machine.
func everywhere(a netip.AddrPort) bool {
	return !a.Addr().IsValid() || a.Addr().IsUnspecified()
}
