package udp

import (
	"syscall"
	"unsafe"
)

// atOnce is how many datagrams of one socket are read by one system call. Phones
// send one at a time, browsers share a socket; fewer than asked for says that no
// more has come.
const atOnce = 8

// worker is what one goroutine of the poller works with.
type worker struct {
	events [batch]syscall.EpollEvent
	turn   func(epoll uintptr) bool // made once, so that waiting allocates nothing
	ready  []*Socket                // of events
	busy   []*Socket                // those of them that take long

	datagrams [atOnce]Datagram
	headers   [atOnce]messageHeader
	vectors   [atOnce]syscall.Iovec
	names     [atOnce]syscall.RawSockaddrInet6 // large enough for both families
}

// messageHeader is struct mmsghdr of recvmmsg(2).
type messageHeader struct {
	syscall.Msghdr
	length uint32
	_      [4]byte
}

func newWorker() *worker {
	w := &worker{ready: make([]*Socket, 0, batch), busy: make([]*Socket, 0, batch)}
	for i := range w.headers {
		room := w.datagrams[i].Room()
		w.vectors[i].Base = unsafe.SliceData(room)
		w.vectors[i].SetLen(len(room))
		h := &w.headers[i]
		h.Iov, h.Iovlen = &w.vectors[i], 1
		h.Name = (*byte)(unsafe.Pointer(&w.names[i]))
	}
	return w
}

// fetch returns how many events the epoll descriptor has, without waiting.
func (w *worker) fetch(epoll int) int {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&w.events[0])), batch, 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// receive reads what has come in on fd and returns how many datagrams.
func (w *worker) receive(fd int) int {
	for i := range w.headers {
		w.headers[i].Namelen = uint32(unsafe.Sizeof(w.names[i]))
	}
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&w.headers[0])), atOnce, syscall.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(n)
		case syscall.EINTR:
		default:
			return 0 // EAGAIN, or an error of an earlier send
		}
	}
}

// arrived returns datagram i of the last receive, valid until the next.
func (w *worker) arrived(i int) *Datagram {
	d := &w.datagrams[i]
	d.Size = min(int(w.headers[i].length), MaxDatagram)
	d.From = decode(&w.names[i])
	return d
}
