package rtc

import (
	"context"
	"io"
	"math"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/offhook/offhook/internal/media"
)

// browser is a pion PeerConnection that plays the browser's side of a path.
type browser struct {
	t     *testing.T
	pc    *webrtc.PeerConnection
	mic   *microphone
	heard chan *rtp.Packet
	state chan webrtc.PeerConnectionState
	seq   uint16
	stamp uint32
}

// newBrowser makes a peer that offers one codec, or all of ours if mime is "",
// over IPv4 and UDP unless networks are given.
func newBrowser(t *testing.T, mime string, networks ...webrtc.NetworkType) *browser {
	t.Helper()
	var m webrtc.MediaEngine
	codecs := []webrtc.RTPCodecParameters{
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, PayloadType: 96},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMU, ClockRate: 8000}, PayloadType: 0},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "audio/telephone-event", ClockRate: 8000}, PayloadType: 126},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "audio/telephone-event", ClockRate: 48000}, PayloadType: 127},
	}
	if mime != "" {
		codecs = keepMime(codecs, mime)
	}
	for _, c := range codecs {
		must(t, m.RegisterCodec(c, webrtc.RTPCodecTypeAudio))
	}
	var se webrtc.SettingEngine
	se.SetIncludeLoopbackCandidate(true)
	se.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() && ip.To4() != nil })
	must(t, se.SetAnsweringDTLSRole(webrtc.DTLSRoleClient)) // as browsers do; pion waits for a lite agent's ClientHello
	if networks == nil {
		networks = []webrtc.NetworkType{webrtc.NetworkTypeUDP4}
	}
	se.SetNetworkTypes(networks)
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(&m), webrtc.WithSettingEngine(se)).
		NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	b := &browser{
		t: t, pc: pc, heard: make(chan *rtp.Packet, 1000), state: make(chan webrtc.PeerConnectionState, 20),
		seq: 65500, stamp: 1000,
	}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	b.mic = &microphone{}
	sender, err := pc.AddTrack(b.mic)
	must(t, err)
	go func() { // pion delivers reports only to who reads them
		for {
			if _, _, err := sender.ReadRTCP(); err != nil {
				return
			}
		}
	}()
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { b.state <- s })
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			b.heard <- p
		}
	})
	return b
}

func keepMime(codecs []webrtc.RTPCodecParameters, mime string) []webrtc.RTPCodecParameters {
	var kept []webrtc.RTPCodecParameters
	for _, c := range codecs {
		if c.MimeType == mime || c.MimeType == "audio/telephone-event" {
			kept = append(kept, c)
		}
	}
	return kept
}

// offer makes an offer with all candidates.
func (b *browser) offer(opts *webrtc.OfferOptions) string {
	b.t.Helper()
	offer, err := b.pc.CreateOffer(opts)
	must(b.t, err)
	gathered := webrtc.GatheringCompletePromise(b.pc)
	must(b.t, b.pc.SetLocalDescription(offer))
	<-gathered
	return b.pc.LocalDescription().SDP
}

func (b *browser) accept(answer string) {
	b.t.Helper()
	must(b.t, b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
}

// connect negotiates with p and returns the answer.
func (b *browser) connect(p *Path) string {
	b.t.Helper()
	answer, err := p.Answer(context.Background(), b.offer(nil))
	must(b.t, err)
	b.accept(answer)
	return answer
}

func (b *browser) until(want webrtc.PeerConnectionState) {
	b.t.Helper()
	for deadline := time.After(time.Minute); ; {
		select {
		case s := <-b.state:
			if s == want {
				return
			}
		case <-deadline:
			b.t.Fatalf("browser never became %s", want)
		}
	}
}

// say sends one packet of 20 ms at a clock rate.
func (b *browser) say(payload []byte, clock uint32) {
	b.seq++
	b.stamp += clock / 50
	b.mic.write(b.t, rtp.Header{Version: 2, SequenceNumber: b.seq, Timestamp: b.stamp}, payload)
}

// press sends the packets of one telephone-event, three times the last.
func (b *browser) press(typ, event byte) {
	b.stamp += 8000
	for i := range 6 {
		b.seq++
		end := byte(10)
		if i >= 3 {
			end |= 0x80
		}
		b.mic.write(b.t, rtp.Header{
			Version: 2, PayloadType: typ, SequenceNumber: b.seq, Timestamp: b.stamp, Marker: i == 0,
		}, []byte{event, end, 0, byte(i * 160 >> 2)})
	}
}

// microphone is a track that can also send telephone-events: pion's own tracks
// write one payload type only.
type microphone struct {
	mu      sync.Mutex
	context webrtc.TrackLocalContext
	audio   webrtc.RTPCodecParameters
}

func (m *microphone) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.context = ctx
	for _, c := range ctx.CodecParameters() {
		if c.MimeType != "audio/telephone-event" {
			m.audio = c
			return c, nil
		}
	}
	return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
}

func (m *microphone) write(t *testing.T, h rtp.Header, payload []byte) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.context == nil {
		t.Fatal("the microphone is not connected")
	}
	h.SSRC = uint32(m.context.SSRC())
	if h.PayloadType == 0 {
		h.PayloadType = uint8(m.audio.PayloadType)
	}
	_, err := m.context.WriteStream().WriteRTP(&h, payload)
	must(t, err)
}

func (m *microphone) Unbind(webrtc.TrackLocalContext) error { return nil }
func (m *microphone) ID() string                            { return "audio" }
func (m *microphone) RID() string                           { return "" }
func (m *microphone) StreamID() string                      { return "mic" }
func (m *microphone) Kind() webrtc.RTPCodecType             { return webrtc.RTPCodecTypeAudio }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

func newServer(t *testing.T, cfg Config) *Server {
	t.Helper()
	if !cfg.Listen.IsValid() {
		cfg.Listen = loopback
	}
	s, err := NewServer(cfg)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// ear collects what a path receives and reports.
type ear struct {
	path    *Path
	packets chan media.Packet
	up      chan struct{}
	down    chan error
	digits  chan byte
}

func newPath(t *testing.T, s *Server, codecs ...media.Codec) *ear {
	t.Helper()
	e := &ear{
		packets: make(chan media.Packet, 1000), up: make(chan struct{}, 10), down: make(chan error, 10), digits: make(chan byte, 10),
	}
	p, err := s.NewPath(PathConfig{
		Codecs: codecs, OnUp: func() { e.up <- struct{}{} },
		OnDown: func(err error) { e.down <- err }, OnDigit: func(d byte) { e.digits <- d },
	})
	must(t, err)
	e.path = p
	t.Cleanup(p.Close)
	p.Receive(func(packet *media.Packet) {
		kept := *packet
		kept.Buf = make([]byte, len(packet.Buf))
		copy(kept.Buf, packet.Buf)
		e.packets <- kept
	})
	return e
}

func next[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatalf("%s: nothing within a minute", what)
	}
	panic("unreachable")
}

func none[T any](t *testing.T, what string, c <-chan T, within time.Duration) {
	t.Helper()
	select {
	case v := <-c:
		t.Errorf("%s: unexpected %v", what, v)
	case <-time.After(within):
	}
}

// outgoing makes a packet as package media would hand it to Send.
func outgoing(f media.Format, seq uint16, stamp uint32, payload []byte) *media.Packet {
	buf := make([]byte, media.HeaderRoom+len(payload)+media.TailRoom)
	copy(buf[media.HeaderRoom:], payload)
	return &media.Packet{Buf: buf, Len: len(payload), Type: f.SendType, Seq: seq, Timestamp: stamp}
}

// tone is frame n of 20 ms of a sine, coded as 8-bit linear: enough to prove that
// bytes arrive whole and in order.
func tone(n int, hz float64) []byte {
	frame := make([]byte, 160)
	for i := range frame {
		frame[i] = byte(128 + 100*math.Sin(2*math.Pi*hz*float64(n*160+i)/8000))
	}
	return frame
}

// purity is the share of a signal's energy at hz by the Goertzel algorithm: 1 is
// a pure tone.
func purity(samples []byte, hz float64) float64 {
	var s1, s2, energy float64
	w := 2 * math.Pi * hz / 8000
	for _, b := range samples {
		x := float64(b) - 128
		energy += x * x
		s1, s2 = x+2*math.Cos(w)*s1-s2, s1
	}
	power := s1*s1 + s2*s2 - 2*math.Cos(w)*s1*s2
	return 2 * power / (float64(len(samples)) * energy)
}

var _ io.Closer = (*Server)(nil)
