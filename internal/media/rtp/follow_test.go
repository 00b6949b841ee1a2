package rtp

import (
	"net"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/testkit"
)

// A phone whose NAT gives it another host in its call is a stranger until it signals
// from there; then it is heard, and sent to, as soon as nothing came from the old one
// for relearn.
func TestPhoneIsFollowedToAnotherHost(t *testing.T) {
	p, far, to := open(t, Config{Peer: localhost()})
	send(t, far, to, []byte{0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 'x'})
	testkit.Eventually(t, 10*time.Second, "it is heard", func() bool { return p.Stats().PacketsReceived == 1 })
	moved, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = moved.Close() }()
	talk := func() {
		for n := range byte(probation) {
			send(t, moved, to, []byte{0x80, 0, 0, 2 + n, 0, 0, 0, 0, 0, 0, 0, 1, 'y'})
		}
	}
	talk()
	testkit.Eventually(t, 10*time.Second, "the stranger is blocked", func() bool { return p.Stats().Blocked == probation })
	p.Follow(moved.LocalAddr().(*net.UDPAddr).AddrPort().Addr())
	testkit.Eventually(t, 20*time.Second, "it is heard again", func() bool {
		talk()
		return p.Stats().PacketsReceived > 1
	})
	p.Send(&media.Packet{Buf: make([]byte, media.HeaderRoom+10+media.TailRoom), Len: 10})
	if err := moved.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, _, err := moved.ReadFromUDPAddrPort(make([]byte, 100)); n != 22 || err != nil {
		t.Errorf("%d bytes came, %v", n, err)
	}
}
