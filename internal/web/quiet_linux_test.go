package web

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/testkit"
)

// connected returns both ends of a connection; ours is a quiet one.
func connected(t *testing.T) (ours net.Conn, far *net.TCPConn) {
	t.Helper()
	testkit.CheckLeaks(t)
	tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	l := quiet(tcp)
	defer func() { _ = l.Close() }()
	addr, ok := tcp.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal(tcp.Addr())
	}
	if far, err = net.DialTCP("tcp", nil, addr); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	if ours, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ours.Close() })
	if _, ok := ours.(*quietConn); !ok {
		t.Errorf("accepted a %T", ours)
	}
	return ours, far
}

// TestQuietConnCarriesAll writes far more than the kernel takes at once, while the
// far end sends it back.
func TestQuietConnCarriesAll(t *testing.T) {
	ours, far := connected(t)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<19) // 8 MB
	echoed := make(chan error, 1)
	go func() {
		_, err := io.Copy(far, far)
		echoed <- errors.Join(err, far.CloseWrite())
	}()
	written := make(chan error, 1)
	go func() {
		n, err := ours.Write(sent)
		if err == nil && n != len(sent) {
			err = io.ErrShortWrite
		}
		if tcp, ok := ours.(interface{ CloseWrite() error }); ok {
			err = errors.Join(err, tcp.CloseWrite())
		}
		written <- err
	}()
	got, err := io.ReadAll(ours) // ends with the far end's FIN
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes came back: %v", len(got), len(sent), err)
	}
	if err := errors.Join(<-written, <-echoed); err != nil {
		t.Error(err)
	}
}

func TestQuietConnKeepsDeadlines(t *testing.T) {
	ours, _ := connected(t)
	if err := ours.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if n, err := ours.Read(make([]byte, 1)); n != 0 || !errors.As(err, &timeout) || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if err := ours.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := ours.Write(make([]byte, 64<<20)); n == 64<<20 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes written to who does not read, %v", n, err)
	}
}

// TestQuietConnEnds: reading ends by our own Close, and by a reset of the far end.
func TestQuietConnEnds(t *testing.T) {
	t.Run("closed here", func(t *testing.T) {
		ours, _ := connected(t)
		read := make(chan error, 1)
		go func() {
			_, err := ours.Read(make([]byte, 1))
			read <- err
		}()
		if err := ours.Close(); err != nil {
			t.Fatal(err)
		}
		if err := testkit.Receive(t, read, 10*time.Second, "the end of Read"); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if _, err := ours.Write([]byte("late")); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	t.Run("reset by the far end", func(t *testing.T) {
		ours, far := connected(t)
		if err := errors.Join(far.SetLinger(0), far.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := ours.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
		if _, err := ours.Write([]byte("late")); !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
	})
}
