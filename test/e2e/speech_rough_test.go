//go:build e2e

package e2e

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// roughNetwork is a queue in front of a far end: packets get lost or late, in order.
type roughNetwork struct {
	loss   float64
	jitter time.Duration
}

// TestSpeechThroughARoughNetwork lets a carrier's speech come through loss and jitter,
// over real sockets: the phone that hears it, after a change of codec, hears it whole
// (rows A6 and A10; internal/media shows all of them in virtual time, where the bars
// are those of the rows). Nothing done about it would lose 6 and 9 %.
func TestSpeechThroughARoughNetwork(t *testing.T) {
	h := newHouse(t, "", usualTrunk, []string{"ben"}, `ring_timeout: 30s, endpoints: [{user: ben}]`)
	ben := h.user(t, "ben", phone.Config{Codecs: []media.Codec{media.PCMU}, AutoAnswer: true})
	said := announcements(t, "busy", "closed", "failed")
	for _, c := range []struct {
		name       string
		through    roughNetwork
		corr, lost float64
	}{
		{"clean", roughNetwork{}, 0.97, 0.01},
		{"5 % lost", roughNetwork{loss: 0.05}, 0.92, 0.03},
		{"60 ms of jitter", roughNetwork{jitter: 60 * time.Millisecond}, 0.92, 0.03},
	} {
		t.Run(c.name, func(t *testing.T) {
			far := newRoughCarrier(t, h.SIP, sdp.ProtectNever)
			far.through = c.through
			ears := ring(ben)
			testkit.Receive(t, far.answered, soon, "the answer")
			harness.AwaitPieces(t, said, harness.Bar{Corr: c.corr, Lost: c.lost}, 2*time.Minute, func() []int16 {
				begin := time.Now()
				far.say(t, said)
				took := time.Since(begin)
				time.Sleep(time.Second) // on its way; nothing is sent meanwhile, and nothing heard
				return ears.Heard(took + time.Second/2)
			})
			far.dialog.Bye()
			ben.Await(phone.Ended, soon)
		})
	}
}

// roughCarrier is a far end of the trunk whose audio goes through a roughNetwork.
type roughCarrier struct {
	through  roughNetwork
	rtp      *net.UDPConn
	to       netip.AddrPort // of the exchange
	dialog   *sip.Dialog
	answered chan struct{}
	sent     int // packets so far, lost ones, too
	luck     *rand.Rand
}

// newRoughCarrier calls the first group; protection is what it says of SRTP.
func newRoughCarrier(t *testing.T, exchange string, protection sdp.Protection) *roughCarrier {
	t.Helper()
	const ip = "127.0.0.40"                                                                 // of usualTrunk
	c := &roughCarrier{answered: make(chan struct{}, 1), luck: rand.New(rand.NewPCG(7, 7))} //nolint:gosec // the same losses each time
	var err error
	if c.rtp, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.rtp.Close() })
	stack := sip.NewStack(sip.Config{})
	t.Cleanup(stack.Close)
	at, err := stack.ListenUDP(t.Context(), sip.Listen{Addr: ip + ":0"})
	if err != nil {
		t.Fatal(err)
	}
	local := sdp.Local{
		Addr: netip.MustParseAddrPort(c.rtp.LocalAddr().String()), Session: 1, Version: 1,
		Protection: protection, Secrets: sdp.NewSecrets(),
	}
	offer := sdp.NewOffer(local, []media.Codec{media.PCMA})
	uri := func(user, host string) sip.Uri {
		u, err := sip.ParseURI("sip:+" + user + "@" + host)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	stack.Invite(sip.InviteRequest{
		RequestURI: uri(number(0), exchange), From: sip.Address{URI: uri("12025550199", at.String())}, To: sip.Address{URI: uri(number(0), exchange)},
		ContactUser: "carrier", Body: offer,
	}, sip.OutgoingEvents{
		Answered: func(d *sip.Dialog, res *sip.Response) {
			r, err := sdp.ParseAnswer(offer, res.Body())
			if err != nil {
				t.Errorf("answer: %v", err)
			}
			c.to, c.dialog = r.Remote, d
			c.answered <- struct{}{}
		},
	})
	return c
}

// say sends speech in packets of 20 ms through the network, at the right times.
func (c *roughCarrier) say(t *testing.T, pcm []int16) {
	t.Helper()
	type arrival struct {
		at   time.Duration
		data []byte
	}
	enc, err := codec.NewEncoder(media.PCMA, phone.Rate)
	if err != nil {
		t.Fatal(err)
	}
	var list []arrival
	before := time.Duration(0)
	for n := range len(pcm) / phone.Frame {
		packet := rtpPacket(c.sent+n, 8)
		if _, err := enc.Encode(packet[12:], pcm[n*phone.Frame:(n+1)*phone.Frame]); err != nil {
			t.Fatal(err)
		}
		at := time.Duration(n)*20*time.Millisecond + time.Duration(c.luck.Float64()*float64(c.through.jitter))
		before = max(at, before) // what was held holds what follows
		if c.luck.Float64() >= c.through.loss {
			list = append(list, arrival{before, packet})
		}
	}
	c.sent += len(pcm) / phone.Frame
	begin := time.Now()
	for _, a := range list {
		time.Sleep(time.Until(begin.Add(a.at)))
		if _, err := c.rtp.WriteToUDPAddrPort(a.data, c.to); err != nil {
			t.Fatal(err)
		}
	}
}

// rtpPacket is the n-th packet of 20 ms of a stream, with room for its audio.
func rtpPacket(n int, payloadType byte) []byte {
	packet := make([]byte, 12+phone.Frame)
	packet[0], packet[1] = 0x80, payloadType
	binary.BigEndian.PutUint16(packet[2:], uint16(n))
	binary.BigEndian.PutUint32(packet[4:], uint32(n*phone.Frame))
	binary.BigEndian.PutUint32(packet[8:], 4711)
	return packet
}
