package rtc

import (
	"net/netip"
	"testing"

	"github.com/pion/dtls/v3"
)

// TestNear takes the same good check from a stranger, who is not answered, and from
// this machine.
func TestNear(t *testing.T) {
	s := newServer(t, Config{Listen: netip.MustParseAddrPort("0.0.0.0:0"), Near: true})
	e := newPath(t, s)
	l := newLight(t, s)
	l.to.IP = netip.MustParseAddr("127.0.0.1").AsSlice()
	l.move()
	l.negotiate(e.path)
	var r reader
	stranger := remote{addr: netip.MustParseAddrPort("203.0.113.9:40000")}
	s.deliver(&r, l.request(nominate).Raw, stranger)
	if got := s.Stats(); s.routes.find(stranger) != nil || got.Routes != 0 || got.Blocked != 1 {
		t.Errorf("a stranger's check: %+v", got)
	}
	l.connect(e.path, dtls.SRTP_AEAD_AES_128_GCM)
	next(t, "up", e.up)
}

func TestServes(t *testing.T) {
	lan, other := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("192.0.2.8")
	near := &Server{cfg: Config{Near: true}, own: map[netip.Addr]bool{lan: true}}
	for _, c := range []struct {
		name string
		s    *Server
		at   netip.Addr
		want bool
	}{
		{"near, loopback", near, netip.MustParseAddr("127.0.0.9"), true},
		{"near, this machine's address", near, lan, true},
		{"near, its neighbour", near, other, false},
		{"everybody", &Server{}, other, true},
	} {
		if got := c.s.serves(c.at); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
