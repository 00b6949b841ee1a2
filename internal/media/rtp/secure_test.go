package rtp

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/feedback"
	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/media/udp"
	"github.com/offhook/offhook/internal/testkit"
)

// cryptoPair returns the keys of two sides that agreed.
func cryptoPair(suite sdp.Suite) (a, b *sdp.Crypto) {
	ours, theirs := sdp.NewSecrets()[suite], sdp.NewSecrets()[suite]
	return &sdp.Crypto{Suite: suite, Local: ours, Remote: theirs}, &sdp.Crypto{Suite: suite, Local: theirs, Remote: ours}
}

// protectedPair returns two paths that talk to each other.
func protectedPair(t *testing.T, a, b *sdp.Crypto, mux bool, c Config) (p, q *Path) {
	t.Helper()
	testkit.CheckLeaks(t)
	ports := NewAllocator(45000, 45999)
	c.LocalIP = localhost()
	var err error
	if p, err = ports.New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	if q, err = ports.New(Config{LocalIP: localhost()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	for _, side := range []struct {
		from, to *Path
		crypto   *sdp.Crypto
	}{{p, q, a}, {q, p, b}} {
		if err := side.from.Protect(side.crypto); err != nil {
			t.Fatal(err)
		}
		side.from.Control(sdp.Control{Mux: mux})
		side.from.Start(media.Format{Codec: media.PCMU}, netip.AddrPortFrom(localhost(), side.to.LocalPort()))
	}
	return p, q
}

func voicePacket(seq uint16, payload string) *media.Packet {
	p := &media.Packet{Buf: make([]byte, media.HeaderRoom+media.MaxPayload+media.TailRoom), Seq: seq, Timestamp: uint32(seq) * 160}
	p.Len = copy(p.Buf[media.HeaderRoom:], payload)
	return p
}

func TestProtectedPathsUnderstandEachOther(t *testing.T) {
	for _, suite := range []sdp.Suite{sdp.AESGCM128, sdp.AESCM80, sdp.AESCM32} {
		t.Run(suite.String(), func(t *testing.T) {
			a, b := cryptoPair(suite)
			p, q := protectedPair(t, a, b, false, Config{})
			heard := make(chan string, 10)
			q.Receive(func(p *media.Packet) { heard <- string(p.Payload()) })
			for seq := uint16(65534); seq != 2; seq++ { // the number wraps
				p.Send(voicePacket(seq, "voice"))
				if got := testkit.Receive(t, heard, time.Second, "packet"); got != "voice" {
					t.Errorf("heard %q", got)
				}
			}
			p.Send(voicePacket(1, "again"))
			if s := p.Stats(); s.Dropped != 1 || s.PacketsSent != 4 {
				t.Errorf("a number was sent twice: %+v", s)
			}
		})
	}
}

// What is sent cannot be read on the way, and a packet cannot be played again.
func TestProtectedPacketOnTheWire(t *testing.T) {
	a, b := cryptoPair(sdp.AESCM80)
	p, q := protectedPair(t, a, b, false, Config{})
	tap, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tap.Close() }()
	to := tap.LocalAddr().(*net.UDPAddr).AddrPort()
	p.remote.Store(&to)
	p.Send(voicePacket(1, "secret secret secret"))
	buf := make([]byte, 200)
	n, _, err := tap.ReadFromUDPAddrPort(buf)
	if err != nil || n != headerSize+20+10 || bytes.Contains(buf[:n], []byte("secret")) {
		t.Fatalf("%d bytes, %v: %q", n, err, buf[:n])
	}
	q.news.Store(&to) // q believes that address
	for range 3 {
		send(t, tap, netip.AddrPortFrom(localhost(), q.LocalPort()), buf[:n])
	}
	testkit.Eventually(t, time.Second, "the replays are counted", func() bool { return q.Stats().Unauthentic == 2 })
	if s := q.Stats(); s.PacketsReceived != 1 {
		t.Errorf("%+v", s)
	}
}

func TestWrongKeyIsCountedAndSaidOnce(t *testing.T) {
	var log bytes.Buffer
	a, _ := cryptoPair(sdp.AESCM80)
	_, other := cryptoPair(sdp.AESCM80)
	p, q := protectedPair(t, a, other, false, Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for seq := range uint16(60) {
		q.Send(voicePacket(seq, "voice"))
	}
	testkit.Eventually(t, time.Second, "all are counted", func() bool { return p.Stats().Unauthentic == 60 })
	p.Close()
	if s := p.Stats(); s.PacketsReceived != 0 || bytes.Count(log.Bytes(), []byte("cannot be decrypted")) != 1 {
		t.Errorf("%+v\n%s", s, log.String())
	}
}

// The same keys in a re-INVITE go on with the stream, others begin anew, and none
// is plain.
func TestKeysMayChange(t *testing.T) {
	a, b := cryptoPair(sdp.AESGCM128)
	p, q := protectedPair(t, a, b, false, Config{})
	heard := make(chan string, 10)
	q.Receive(func(p *media.Packet) { heard <- string(p.Payload()) })
	seq := uint16(0)
	expect := func(step string) {
		t.Helper()
		seq++
		p.Send(voicePacket(seq, step))
		if got := testkit.Receive(t, heard, time.Second, step); got != step {
			t.Errorf("heard %q, want %q", got, step)
		}
	}
	protect := func(a, b *sdp.Crypto) {
		t.Helper()
		if p.Protect(a) != nil || q.Protect(b) != nil {
			t.Fatal("refused")
		}
	}
	expect("first")
	shield := p.shield.Load()
	same := *a
	protect(&same, b)
	if p.shield.Load() != shield {
		t.Error("the same keys began anew")
	}
	expect("same")
	protect(cryptoPair(sdp.AESCM80))
	expect("others")
	protect(nil, nil)
	expect("plain")
}

// A phone that changes its key alone, as some do with each re-INVITE, reads on where
// it was: beyond a rollover of the sequence numbers, too. No number is sent twice.
func TestOurKeyGoesOnWhenTheirsChanges(t *testing.T) {
	a, b := cryptoPair(sdp.AESGCM128)
	far, err := newShield(*b, nil)
	if err != nil {
		t.Fatal(err)
	}
	var ours *shield
	seq := uint16(65530)
	send := func(step string, c *sdp.Crypto) {
		t.Helper()
		if ours, err = newShield(*c, ours); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			sealed, ok := ours.seal(voicePacket(seq, step), 7)
			if !ok {
				t.Fatalf("%s: packet %d is not sent", step, seq)
			}
			if _, ok, _ := far.open(bytes.Clone(sealed)); !ok {
				t.Errorf("%s: packet %d cannot be read", step, seq)
			}
			seq++
		}
	}
	send("before", a)
	others, _ := cryptoPair(sdp.AESGCM128)
	send("after", &sdp.Crypto{Suite: a.Suite, Local: a.Local, Remote: others.Remote})
	if _, ok := ours.seal(voicePacket(seq-1, "again"), 7); ok {
		t.Error("a number is sent twice")
	}
}

// Whoever finds our port cannot fill the log.
func TestWrongKeyIsToldOnce(t *testing.T) {
	a, b := cryptoPair(sdp.AESCM80)
	sender, err := newShield(*a, nil)
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := newShield(*b, nil)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for seq := range uint16(3) {
		for range 2 * wrongKey {
			if _, _, bad := receiver.open(make([]byte, 100)); bad {
				told++
			}
		}
		sealed, _ := sender.seal(voicePacket(seq, "voice"), 7)
		if _, ok, _ := receiver.open(bytes.Clone(sealed)); !ok {
			t.Fatal("who has the key is not heard")
		}
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

// The far end's report about our stream, and how long it took, both ways: on the
// port above and on the same one, plain and protected.
func TestReportsGoBothWays(t *testing.T) {
	for _, mux := range []bool{false, true} {
		for _, protected := range []bool{false, true} {
			a, b := cryptoPair(sdp.AESGCM128)
			if !protected {
				a, b = nil, nil
			}
			p, q := protectedPair(t, a, b, mux, Config{})
			for seq := range uint16(20) {
				p.Send(voicePacket(seq, "voice"))
			}
			testkit.Eventually(t, time.Second, "the voice is there", func() bool { return q.Stats().PacketsReceived == 20 })
			p.report(nil, time.Now().Add(-300*time.Millisecond)) // as if it had taken so long
			testkit.Eventually(t, time.Second, "q has p's report", func() bool { last, _ := q.far.Echo(time.Now()); return last != 0 })
			about := q.reports.reception(&q.far, time.Now())
			about.FractionLost, about.Jitter, about.SSRC = 64, 80, p.ssrc
			data, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: q.ssrc, Reports: []rtcp.ReceptionReport{about}}})
			if err != nil {
				t.Fatal(err)
			}
			q.sendControl(data, *q.remote.Load())
			testkit.Eventually(t, time.Second, "p has q's report", func() bool { return p.Stats().RoundTrip != 0 })
			s := p.Stats()
			if s.FarLost != 25 || s.FarJitter != 10*time.Millisecond || s.RoundTrip < 290*time.Millisecond || s.RoundTrip > 800*time.Millisecond {
				t.Errorf("mux %v, protected %v: %+v", mux, protected, s)
			}
			if strangers := p.Stats().Unauthentic + q.Stats().Unauthentic; strangers != 0 {
				t.Errorf("mux %v, protected %v: %d reports not understood", mux, protected, strangers)
			}
		}
	}
}

// AES-CM takes its buffers from a pool, which the race detector empties at random.
func TestNothingIsAllocatedForProtection(t *testing.T) {
	a, b := cryptoPair(sdp.AESGCM128)
	sender, err := newShield(*a, nil)
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := newShield(*b, nil)
	if err != nil {
		t.Fatal(err)
	}
	packet := voicePacket(0, string(make([]byte, 160)))
	buf := make([]byte, udp.MaxDatagram)
	seal := func() {
		packet.Seq++
		sealed, ok := sender.seal(packet, 7)
		if !ok {
			t.Fatal("not sealed")
		}
		if _, ok, _ = receiver.open(buf[:copy(buf, sealed)]); !ok {
			t.Fatal("not opened")
		}
	}
	seal()
	if n := testing.AllocsPerRun(1000, seal); n > 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

// Reports of hosts that we do not talk to say nothing.
func TestReportOfStrangerIsIgnored(t *testing.T) {
	p, far, _ := open(t, Config{})
	stranger, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Close() }()
	report := func(r rtcp.ReceptionReport) []byte {
		r.SSRC = p.ssrc
		data, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{r}}})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	to := netip.AddrPortFrom(localhost(), p.LocalPort()+1)
	send(t, stranger, to, report(rtcp.ReceptionReport{LastSenderReport: uint32(feedback.NTP(time.Now().Add(-time.Second)) >> 16)}))
	send(t, far, to, report(rtcp.ReceptionReport{FractionLost: 64}))
	testkit.Eventually(t, time.Second, "the far end is heard", func() bool { return p.Stats().FarLost == 25 })
	if s := p.Stats(); s.RoundTrip != 0 {
		t.Errorf("a stranger says that the round trip takes %v", s.RoundTrip)
	}
}
