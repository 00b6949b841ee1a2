package rtp

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/testkit"
)

// TestReportsGoWhereTheFarEndSays: "a=rtcp" names a port, which may be of another host
// (RFC 3605); what comes from there is believed.
func TestReportsGoWhereTheFarEndSays(t *testing.T) {
	p, far, to := open(t, Config{})
	control, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 3)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = control.Close() }()
	at := netip.MustParseAddrPort(control.LocalAddr().String())
	p.Control(sdp.Control{At: at})
	p.Start(media.Format{Codec: media.PCMU}, netip.MustParseAddrPort(far.LocalAddr().String()))
	p.report(nil, time.Now())
	if err := control.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var buf [1500]byte
	n, from, err := control.ReadFromUDPAddrPort(buf[:])
	if err != nil || n < 8 || buf[1] != 200 || from.Port() != to.Port()+1 {
		t.Fatalf("report of %d bytes from %v: %v", n, from, err)
	}
	data, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 7, Reports: []rtcp.ReceptionReport{{SSRC: p.ssrc, FractionLost: 128}}}})
	if err != nil {
		t.Fatal(err)
	}
	send(t, control, from, data)
	testkit.Eventually(t, 10*time.Second, "the report is believed", func() bool { return p.Stats().FarLost == 50 })
}

// TestReportsFollowAPhoneBehindNAT: where media comes from another host than was said,
// RTCP goes there too, to the port above.
func TestReportsFollowAPhoneBehindNAT(t *testing.T) {
	p := newPath(NewAllocator(4000, 4001), 4000, Config{}, nil, nil)
	said, other := netip.MustParseAddrPort("192.0.2.1:4000"), netip.MustParseAddrPort("192.0.2.1:4002")
	rtcpAt := sdp.Control{At: netip.MustParseAddrPort("192.0.2.1:9")}
	p.remote.Store(&said)
	p.Control(rtcpAt)
	p.moved(other)
	if got := *p.control.Load(); got != rtcpAt {
		t.Errorf("another port of the same host: %+v", got)
	}
	p.moved(netip.MustParseAddrPort("198.51.100.1:4000"))
	if got := *p.control.Load(); got.At.IsValid() {
		t.Errorf("another host: %+v", got)
	}
}
