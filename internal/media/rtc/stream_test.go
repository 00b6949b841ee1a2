package rtc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/offhook/offhook/internal/testkit"
)

// TestTonesOverTCP is a browser whose network lets no UDP through.
func TestTonesOverTCP(t *testing.T) {
	s := newServer(t, Config{ListenTCP: loopback})
	e := newPath(t, s)
	b := newBrowser(t, webrtc.MimeTypePCMU, webrtc.NetworkTypeTCP4)
	answer := b.connect(e.path)
	if !strings.Contains(answer, " tcp ") || strings.Index(answer, " udp ") > strings.Index(answer, " tcp ") {
		t.Errorf("UDP shall be offered before TCP:\n%s", answer)
	}
	next(t, "up", e.up)
	b.until(webrtc.PeerConnectionStateConnected)
	talk(t, e, b)
	if got := s.Stats(); got.Streams != 1 || got.Routes != 1 || len(s.unproved) != 0 {
		t.Errorf("stats %+v, %d unproved", got, len(s.unproved))
	}

	must(t, b.pc.GracefulClose())
	testkit.Eventually(t, 5*time.Second, "the connection is forgotten", func() bool { return s.Stats().Streams == 0 && s.Stats().Routes == 0 })
	e.path.Send(outgoing(e.path.Format(), 9000, 0, tone(0, 440)))
	if got := e.path.Stats().Dropped; got != 1 {
		t.Errorf("%d packets dropped behind the end of the connection, want 1", got)
	}
}

// TestClosedPathEndsItsStream: whoever goes on to send keeps no connection.
func TestClosedPathEndsItsStream(t *testing.T) {
	s := newServer(t, Config{ListenTCP: loopback})
	e := newPath(t, s)
	l := newLight(t, s)
	l.negotiate(e.path)
	conn := dialTCP(t, s)
	check := l.request(nominate).Raw
	frame := append(binary.BigEndian.AppendUint16(nil, uint16(len(check))), check...)
	_, err := conn.Write(frame)
	must(t, err)
	testkit.Eventually(t, 5*time.Second, "the check leads to the path", func() bool { return s.Stats().Routes == 1 })
	e.path.Close()
	testkit.Eventually(t, 5*time.Second, "the connection ends", func() bool {
		_, _ = conn.Write(frame) // fails when it has ended
		return s.Stats().Streams == 0
	})
}

func TestStrangersOverTCPAreClosed(t *testing.T) {
	s := newServer(t, Config{ListenTCP: loopback, HandshakeTimeout: 300 * time.Millisecond})
	for name, sent := range map[string][]byte{
		"random bytes":        {0, 9, 200, 1, 2, 3, 4, 5, 6, 7, 8},
		"empty frame":         {0, 0},
		"no check of ours":    append([]byte{0, 20}, make([]byte, 20)...),
		"longest frame":       append([]byte{0xff, 0xff}, make([]byte, 65535)...),
		"HTTP":                []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"half a frame, quiet": {0, 100, 1},
		"quiet":               nil,
	} {
		t.Run(name, func(t *testing.T) {
			conn := dialTCP(t, s)
			_, err := conn.Write(sent)
			must(t, err)
			must(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
			var timeout net.Error
			if n, err := conn.Read(make([]byte, 1)); n != 0 || errors.As(err, &timeout) && timeout.Timeout() {
				t.Errorf("%d bytes and %v, want nothing and the end", n, err)
			}
		})
	}
	testkit.Eventually(t, 5*time.Second, "all are forgotten", func() bool { return s.Stats().Streams == 0 })
}

// TestQuietStreamsMakeRoom: whoever opens connections and says nothing keeps
// nobody out.
func TestQuietStreamsMakeRoom(t *testing.T) {
	s := newServer(t, Config{ListenTCP: loopback, MaxUnproved: 4})
	first := dialTCP(t, s)
	for range 20 {
		dialTCP(t, s)
	}
	must(t, first.SetReadDeadline(time.Now().Add(5*time.Second)))
	if _, err := first.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the oldest: %v, want EOF", err)
	}
	e := newPath(t, s)
	b := newBrowser(t, webrtc.MimeTypePCMU, webrtc.NetworkTypeTCP4)
	b.connect(e.path)
	next(t, "up", e.up)
	testkit.Eventually(t, 5*time.Second, "four are left beside the browser", func() bool { return s.Stats().Streams <= 5 })
}

// TestFullStreamDropsWholeFrames: a far end that does not read for a while finds
// whole datagrams when it reads again, and nobody waited for it.
func TestFullStreamDropsWholeFrames(t *testing.T) {
	s := newServer(t, Config{ListenTCP: loopback})
	conn := dialTCP(t, s)
	var c *stream
	testkit.Eventually(t, 5*time.Second, "the server has the connection", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for c = range s.streams {
		}
		return c != nil
	})
	frame := bytes.Repeat([]byte("offhook "), 150)
	sent, dropped, began := 0, 0, time.Now()
	for dropped < 10 {
		if c.write(frame) {
			sent++
		} else {
			dropped++
		}
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("writing waited for the reader: %v", took)
	}
	got := 0
	must(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	for got < sent {
		var head [lengthSize]byte
		_, err := io.ReadFull(conn, head[:])
		must(t, err)
		body := make([]byte, binary.BigEndian.Uint16(head[:]))
		if got == sent-1 {
			c.write(frame[:8]) // takes the rest of the last one along
		}
		_, err = io.ReadFull(conn, body)
		must(t, err)
		if !slices.Equal(body, frame) {
			t.Fatalf("frame %d is torn", got)
		}
		got++
	}
	if n := testing.AllocsPerRun(100, func() { c.write(frame[:160]) }); n != 0 {
		t.Errorf("%v allocations a datagram", n)
	}
}

func dialTCP(t *testing.T, s *Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.tcp.Addr().String())
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
