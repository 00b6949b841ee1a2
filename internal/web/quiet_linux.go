package web

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// quietListener accepts connections whose system calls the scheduler is not told
// of. They do not block, and telling it wakes up the runtime's monitor thread each
// time the process was idle, which costs as much as a message on a WebSocket.
type quietListener struct{ net.Listener }

// quiet returns l, or something cheaper that does the same.
func quiet(l net.Listener) net.Listener { return quietListener{l} }

// Accept implements net.Listener.
func (l quietListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn, nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn, nil //nolint:nilerr // it is closed, as reading it will show
	}
	return &quietConn{TCPConn: tcp, raw: raw}, nil
}

// quietConn is a TCP connection. Deadlines, and who else reads or writes, are
// looked after by raw.
type quietConn struct {
	*net.TCPConn
	raw syscall.RawConn
}

// Read implements net.Conn.
func (c *quietConn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	var n uintptr
	var errno syscall.Errno
	err := c.raw.Read(func(fd uintptr) bool {
		n, errno = transfer(syscall.SYS_RECVFROM, fd, b)
		return errno != syscall.EAGAIN
	})
	switch {
	case err != nil:
		return 0, err
	case errno != 0:
		return 0, c.failed("read", errno)
	case n == 0:
		return 0, io.EOF
	}
	return int(n), nil //nolint:gosec // not above len(b)
}

// Write implements net.Conn.
func (c *quietConn) Write(b []byte) (int, error) {
	written := 0
	var errno syscall.Errno
	err := c.raw.Write(func(fd uintptr) bool {
		for written < len(b) {
			var n uintptr
			if n, errno = transfer(syscall.SYS_SENDTO, fd, b[written:]); errno != 0 {
				return errno != syscall.EAGAIN
			}
			written += int(n) //nolint:gosec // not above len(b)
		}
		return true
	})
	if err == nil && errno != 0 {
		err = c.failed("write", errno)
	}
	return written, err
}

// transfer receives or sends once.
func transfer(call, fd uintptr, b []byte) (uintptr, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), syscall.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			return n, 0
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

func (c *quietConn) failed(op string, errno syscall.Errno) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError(op, errno)}
}
