package rtc

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
	"github.com/pion/srtp/v3"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/feedback"
	"github.com/offhook/offhook/internal/media/udp"
)

// A fault in what is done with a packet of a browser costs that packet: the one
// goroutine that reads for all reads on, and the path is not left locked.
func TestPanicCostsOnePacket(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	l := newLight(t, s)
	l.connect(e.path, dtls.SRTP_AEAD_AES_128_GCM)
	next(t, "up", e.up)
	e.path.Receive(func(p *media.Packet) {
		if p.Seq == 1 {
			panic("a fault of ours")
		}
		e.packets <- *p
	})
	for seq := range uint16(3) {
		l.send(l.seal(seq, 7, []byte("voice")))
	}
	for _, want := range []uint16{0, 2} {
		if p := next(t, "packet", e.packets); p.Seq != want {
			t.Errorf("packet %d, want %d", p.Seq, want)
		}
	}
	if n := s.Stats().Panics; n != 1 {
		t.Errorf("%d panics are counted", n)
	}
}

// farEnd is a far end that has the keys of a path without any handshake, and can
// seal what no browser sends.
type farEnd struct {
	path   *Path
	out    *srtp.Context
	reader reader
	seq    uint16
	heard  int // packets
}

func newFarEnd(f *testing.F) *farEnd {
	f.Helper()
	s, err := NewServer(Config{Listen: loopback})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	e := &farEnd{reader: reader{Datagram: new(udp.Datagram)}}
	if e.path, err = s.NewPath(PathConfig{}); err != nil {
		f.Fatal(err)
	}
	context := func(opts ...srtp.ContextOption) *srtp.Context {
		c, err := srtp.CreateContext(make([]byte, 16), make([]byte, 12), srtp.ProtectionProfileAeadAes128Gcm, opts...)
		if err != nil {
			f.Fatal(err)
		}
		return c
	}
	e.out = context()
	e.path.keys.Store(&keys{in: context(srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow)), out: context()})
	e.path.format.Store(&media.Format{Codec: media.PCMU, RecvDTMF: 101, DTMFClock: 8000})
	e.path.Receive(func(p *media.Packet) {
		e.heard++
		if len(p.Payload()) != p.Len || p.Len == 0 || p.Len > media.MaxPayload || cap(p.Buf) < media.HeaderRoom+p.Len+media.TailRoom {
			f.Errorf("packet %+v", p)
		}
	})
	return e
}

// say seals plain, RTP or RTCP, with a number and a source of e's and gives it to
// the path. It is false if SRTP cannot carry it.
func (e *farEnd) say(plain []byte) bool {
	if len(plain) < rtpHeader || len(plain) > 1400 {
		return false
	}
	var sealed []byte
	var err error
	if typ := plain[1]; typ >= 192 && typ < 224 {
		binary.BigEndian.PutUint32(plain[4:], 7)
		sealed, err = e.out.EncryptRTCP(nil, plain, nil)
	} else {
		e.seq++
		binary.BigEndian.PutUint16(plain[2:], e.seq)
		binary.BigEndian.PutUint32(plain[8:], 7)
		sealed, err = e.out.EncryptRTP(nil, plain, nil)
	}
	if err != nil {
		return false
	}
	b := e.reader.Room()
	e.path.reading.Lock()
	defer e.path.reading.Unlock()
	e.path.encrypted(&e.reader, b[:copy(b, sealed)])
	return true
}

// FuzzEncrypted gives a path any RTP and RTCP of a far end that has the keys: it
// never makes a figure that cannot be, and what comes next is understood.
func FuzzEncrypted(f *testing.F) {
	e := newFarEnd(f)
	about := rtcp.ReceptionReport{SSRC: e.path.ssrc, FractionLost: 64, Jitter: 80}
	truth, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 7, Reports: []rtcp.ReceptionReport{about}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(truth)
	for _, packets := range [][]rtcp.Packet{
		{&rtcp.SenderReport{SSRC: 7, NTPTime: feedback.NTP(time.Now()), Reports: []rtcp.ReceptionReport{{SSRC: 9}, about}}, &rtcp.SourceDescription{}},
		{&rtcp.ReceiverReport{SSRC: 7}, &rtcp.Goodbye{Sources: []uint32{7}, Reason: "bye"}},
		{&rtcp.PictureLossIndication{SenderSSRC: 7, MediaSSRC: e.path.ssrc}, &rtcp.ExtendedReport{SenderSSRC: 7}},
	} {
		data, err := rtcp.Marshal(packets)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)-1])
	}
	voice := []byte{0x80, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 7, 'v', 'o', 'i', 'c', 'e', 0, 3}
	for _, flags := range []byte{0x80, 0x82, 0x90, 0xa0, 0xb1} { // contributing sources, extension, padding
		f.Add(append([]byte{flags}, voice[1:]...))
	}
	f.Add([]byte{0x80, 0x80 | 101, 0, 1, 0, 0, 0, 9, 0, 0, 0, 7, 5, 0x8a, 3, 32})
	f.Fuzz(func(t *testing.T, plain []byte) {
		e.path.reports.far = feedback.Feedback{}
		if !e.say(plain) {
			return
		}
		if s := e.path.Stats(); s.Unauthentic != 0 || s.FarLost < 0 || s.FarLost > 100 || s.RoundTrip < 0 || s.RoundTrip > 10*time.Second || s.FarJitter < 0 || s.Jitter < 0 {
			t.Errorf("%x: %+v", plain, s)
		}
		before := e.heard
		if !e.say(truth) || !e.say(voice) {
			t.Fatal("a true packet cannot be sent")
		}
		if s := e.path.Stats(); s.FarLost != 25 || s.FarJitter != 10*time.Millisecond || e.heard != before+1 {
			t.Errorf("after %x %d packets are heard, and a report is understood as %+v", plain, e.heard-before, s)
		}
	})
}
