package sip

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a stack on loopback with what its handler and callbacks saw.
type node struct {
	*Stack
	addr string
}

const patience = 5 * time.Second

// newNode starts a stack with a UDP and a TCP listener on one port of 127.0.0.1.
func newNode(t *testing.T, c Config) *node {
	t.Helper()
	for range 20 { // the TCP port of the same number may be taken
		s := NewStack(c)
		udp, err := s.ListenUDP(t.Context(), Listen{Addr: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.ListenTCP(t.Context(), Listen{Addr: udp.String()}); err != nil {
			s.Close()
			continue
		}
		t.Cleanup(s.Close)
		return &node{Stack: s, addr: udp.String()}
	}
	t.Fatal("no free port")
	return nil
}

func mustURI(t testing.TB, s string) Uri {
	t.Helper()
	u, err := ParseURI(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// wait receives from c or fails.
func wait[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s after %v", what, patience)
	}
	panic("unreachable")
}

// eventually polls until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not after %v: %s", patience, what)
		}
	}
}
