package rtp

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/testkit"
)

func TestDiagnose(t *testing.T) {
	for name, c := range map[string]struct {
		peer    string
		said    string // the address of the far end's description; "" is where it is
		packets []string
		mum     bool
		want    core.Silence
		text    string
	}{
		"nothing came":                   {want: core.SilenceNoRTP, text: "firewall"},
		"private address, public signal": {peer: "203.0.113.9", said: "10.0.0.5:4000", want: core.SilenceNoRTP, text: "private address 10.0.0.5:4000"},
		"wrong payload type":             {packets: []string{"\x80\x08\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01x"}, want: core.SilenceWrongType, text: "type 8 comes, agreed was 0"},
		"another host":                   {said: "192.0.2.1:4000", packets: []string{"\x80\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01x"}, want: core.SilenceBlocked, text: "announced 192.0.2.1:4000"},
		"no RTP":                         {packets: []string{"hello"}, want: core.SilenceMalformed, text: "is no RTP"},
		"stopped":                        {packets: []string{"\x80\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01x"}, want: core.SilenceStopped, text: "(1 packets)"},
		"comfort noise, agreed or not":   {packets: []string{"\x80\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01x", "\x80\x0d\x00\x02\x00\x00\x00\xa0\x00\x00\x00\x01\x32"}, want: core.SilenceNone},
		"announced":                      {mum: true, want: core.SilenceNone},
	} {
		t.Run(name, func(t *testing.T) {
			testkit.CheckLeaks(t)
			peer, _ := netip.ParseAddr(c.peer)
			p, err := NewAllocator(47000, 47999).New(Config{LocalIP: localhost(), Peer: peer})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			far, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = far.Close() }()
			said, err := netip.ParseAddrPort(c.said)
			if err != nil {
				said = netip.MustParseAddrPort(far.LocalAddr().String())
			}
			p.Expect(!c.mum)
			p.Start(media.Format{Codec: media.PCMU}, said)
			before := p.Stats()
			for _, packet := range c.packets {
				send(t, far, netip.AddrPortFrom(localhost(), p.LocalPort()), []byte(packet))
			}
			testkit.Eventually(t, 5*time.Second, "what was sent has come", func() bool {
				s := p.Stats()
				return int(s.PacketsReceived+s.Blocked+s.WrongType+s.Malformed) == len(c.packets)
			})
			d := p.Diagnose(before)
			if d.Silence != c.want || !strings.Contains(d.Text, c.text) || len(d.Text) > 255 || strings.Contains(d.Text, "\n") {
				t.Errorf("%q: %s", d.Silence, d.Text)
			}
		})
	}
}
