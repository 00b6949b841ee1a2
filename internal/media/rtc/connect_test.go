package rtc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTonesBothWays(t *testing.T) {
	for _, c := range []struct {
		mime  string
		codec media.Codec
	}{{webrtc.MimeTypePCMU, media.PCMU}, {webrtc.MimeTypeOpus, media.Opus}} {
		t.Run(c.codec.String(), func(t *testing.T) {
			e := newPath(t, newServer(t, Config{}))
			b := newBrowser(t, c.mime)
			b.connect(e.path)
			next(t, "up", e.up)
			b.until(webrtc.PeerConnectionStateConnected)
			f := e.path.Format()
			if f.Codec != c.codec || f.RecvDTMF == 0 || f.DTMFClock != c.codec.ClockRate() {
				t.Fatalf("format %+v", f)
			}

			talk(t, e, b)
		})
	}
}

// talk sends a second of tones both ways.
func talk(t *testing.T, e *ear, b *browser) {
	t.Helper()
	f := e.path.Format()
	clock := f.Codec.ClockRate()
	var in, out []byte
	for n := range 50 {
		b.say(tone(n, 440), clock)
		e.path.Send(outgoing(f, uint16(65530+n), uint32(n)*clock/50, tone(n, 1000)))
		p := next(t, "packet from the browser", e.packets)
		in = append(in, p.Payload()...)
		if p.Type != f.RecvType || len(p.Buf) < media.HeaderRoom+p.Len+media.TailRoom {
			t.Fatalf("packet %+v", p)
		}
		r := next(t, "packet at the browser", b.heard)
		if r.SequenceNumber != uint16(65530+n) || r.Timestamp != uint32(n)*clock/50 || r.PayloadType != f.SendType {
			t.Fatalf("packet at the browser: %v", r)
		}
		out = append(out, r.Payload...)
	}
	if p := purity(in, 440); p < 0.99 {
		t.Errorf("from the browser: purity at 440 Hz is %.3f", p)
	}
	if p := purity(out, 1000); p < 0.99 {
		t.Errorf("at the browser: purity at 1000 Hz is %.3f", p)
	}
	if s := e.path.Stats(); s.PacketsReceived != 50 || s.PacketsSent != 50 || s.BytesSent != 8000 {
		t.Errorf("stats %+v", s)
	}
}

func TestSendLeavesThePayloadAlone(t *testing.T) {
	e := newPath(t, newServer(t, Config{}))
	b := newBrowser(t, webrtc.MimeTypePCMU)
	b.connect(e.path)
	next(t, "up", e.up)
	p := outgoing(e.path.Format(), 1, 160, tone(0, 440))
	e.path.Send(p)
	if string(p.Payload()) != string(tone(0, 440)) {
		t.Error("Send changed the payload, which other listeners still need")
	}
	e.path.Send(p)
	if s := e.path.Stats(); s.PacketsSent != 1 || s.Dropped != 1 {
		t.Errorf("a sequence number went out twice under one key: %+v", s)
	}
}

func TestDigitOncePerPress(t *testing.T) {
	for _, mime := range []string{webrtc.MimeTypePCMU, webrtc.MimeTypeOpus} {
		e := newPath(t, newServer(t, Config{}))
		b := newBrowser(t, mime)
		b.connect(e.path)
		next(t, "up", e.up)
		b.until(webrtc.PeerConnectionStateConnected)
		for event, want := range map[byte]byte{5: '5', 10: '*', 11: '#'} {
			b.press(e.path.Format().RecvDTMF, event)
			if got := next(t, "digit", e.digits); got != want {
				t.Errorf("%s: digit %q, want %q", mime, got, want)
			}
		}
		none(t, "digit", e.digits, 100*time.Millisecond)
	}
}

func TestICERestartKeepsAudio(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	b := newBrowser(t, webrtc.MimeTypePCMU)
	first := b.connect(e.path)
	next(t, "up", e.up)
	b.until(webrtc.PeerConnectionStateConnected)

	second, err := e.path.Answer(context.Background(), b.offer(&webrtc.OfferOptions{ICERestart: true}))
	must(t, err)
	if line(first, "a=ice-ufrag") == line(second, "a=ice-ufrag") {
		t.Error("a restart was answered with the old credentials")
	}
	b.accept(second)
	next(t, "up after the restart", e.up)
	none(t, "down", e.down, 0)
	for n := range 5 {
		b.say(tone(n, 440), 8000)
		next(t, "packet after the restart", e.packets)
	}
	e.path.Send(outgoing(e.path.Format(), 7, 0, tone(0, 440)))
	next(t, "packet at the browser", b.heard)
	if s := s.Stats(); s.Agents != 1 {
		t.Errorf("credentials of the first round are still good: %+v", s)
	}
}

func TestRenegotiationKeepsCredentials(t *testing.T) {
	e := newPath(t, newServer(t, Config{}))
	b := newBrowser(t, webrtc.MimeTypePCMU)
	first := b.connect(e.path)
	next(t, "up", e.up)
	second, err := e.path.Answer(context.Background(), b.offer(nil))
	must(t, err)
	b.accept(second)
	if line(first, "a=ice-ufrag") != line(second, "a=ice-ufrag") {
		t.Error("an offer with the same credentials got new ones of ours")
	}
	if line(first, "o=") == line(second, "o=") {
		t.Errorf("the version did not change: %s", line(second, "o="))
	}
	none(t, "second handshake", e.up, 200*time.Millisecond)
}

// TestBrowserDoesNotListen is a browser that put us on hold.
func TestBrowserDoesNotListen(t *testing.T) {
	e := newPath(t, newServer(t, Config{}))
	b := newBrowser(t, webrtc.MimeTypePCMU)
	b.connect(e.path)
	next(t, "up", e.up)
	b.until(webrtc.PeerConnectionStateConnected)
	for i, c := range []struct {
		direction webrtc.RTPTransceiverDirection
		hears     bool
	}{{webrtc.RTPTransceiverDirectionSendonly, false}, {webrtc.RTPTransceiverDirectionSendrecv, true}} {
		offer := b.offer(nil)
		answer, err := e.path.Answer(context.Background(), strings.Replace(offer, "a=sendrecv", "a="+c.direction.String(), 1))
		must(t, err)
		if want := "a=" + c.direction.Revers().String(); !strings.Contains(answer, want+"\r\n") {
			t.Errorf("%s is not answered by %s", c.direction, want)
		}
		e.path.Send(outgoing(e.path.Format(), uint16(i), 0, tone(0, 440)))
		if got := e.path.Stats().PacketsSent == 1; got != c.hears {
			t.Errorf("%s: sent is %v", c.direction, got)
		}
		b.accept(answer)
	}
}

// TestNewPeerConnectionOnOnePath is a page that was reloaded during the call.
func TestNewPeerConnectionOnOnePath(t *testing.T) {
	e := newPath(t, newServer(t, Config{}))
	old := newBrowser(t, webrtc.MimeTypePCMU)
	old.connect(e.path)
	next(t, "up", e.up)
	old.until(webrtc.PeerConnectionStateConnected)
	old.stamp = 1 << 30
	old.press(e.path.Format().RecvDTMF, 1)
	next(t, "digit", e.digits)
	for range 6 { // what is still under way when the connection changes is lost
		next(t, "events are handed on", e.packets)
	}
	b := newBrowser(t, webrtc.MimeTypeOpus)
	b.connect(e.path)
	next(t, "up with the new connection", e.up)
	b.until(webrtc.PeerConnectionStateConnected)
	b.press(e.path.Format().RecvDTMF, 2)
	next(t, "digit with an earlier timestamp", e.digits)
	for range 6 {
		next(t, "events are handed on too", e.packets)
	}
	b.say(tone(0, 440), 48000)
	if p := next(t, "packet of the new connection", e.packets); p.Type != e.path.Format().RecvType {
		t.Errorf("packet %+v", p)
	}
	none(t, "down", e.down, 0)
	if c := e.path.Format().Codec; c != media.Opus {
		t.Errorf("codec %s", c)
	}
}

func TestCloseByBrowserIsReported(t *testing.T) {
	e := newPath(t, newServer(t, Config{}))
	b := newBrowser(t, "")
	b.connect(e.path)
	next(t, "up", e.up)
	b.until(webrtc.PeerConnectionStateConnected)
	must(t, b.pc.GracefulClose())
	if err := next(t, "down", e.down); !errors.Is(err, ErrClosed) {
		t.Errorf("down because of %v", err)
	}
	// The path is good for the next connection of the device.
	again := newBrowser(t, "")
	again.connect(e.path)
	next(t, "up again", e.up)
}

func TestConsentExpires(t *testing.T) {
	e := newPath(t, newServer(t, Config{ConsentTimeout: 2 * time.Second}))
	b := newBrowser(t, "")
	b.connect(e.path)
	next(t, "up", e.up)
	// Let go of the browser's credentials: its checks are no longer answered.
	e.path.srv.removeAgent(e.path.current)
	if err := next(t, "down", e.down); !errors.Is(err, ErrConsent) {
		t.Errorf("down because of %v", err)
	}
	e.path.Send(outgoing(e.path.Format(), 1, 0, tone(0, 440)))
	if st := e.path.Stats(); st.PacketsSent != 0 || st.Dropped != 1 {
		t.Errorf("sent without consent: %+v", st)
	}
	e.path.srv.addAgent(e.path.current)
	next(t, "up when checks are heard again", e.up)
}

func TestWrongFingerprintIsRefused(t *testing.T) {
	e := newPath(t, newServer(t, Config{}))
	b := newBrowser(t, "")
	offer := b.offer(nil)
	vouched := line(offer, "a=fingerprint")
	forged := vouched[:len(vouched)-2] + "00"
	if forged == vouched {
		forged = vouched[:len(vouched)-2] + "01"
	}
	answer, err := e.path.Answer(context.Background(), strings.ReplaceAll(offer, vouched, forged))
	must(t, err)
	b.accept(answer)
	if err := next(t, "down", e.down); !errors.Is(err, errFingerprint) {
		t.Errorf("down because of %v", err)
	}
	none(t, "up", e.up, 0)
}

func TestWrongUfragIsIgnored(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	b := newBrowser(t, "")
	answer, err := e.path.Answer(context.Background(), b.offer(nil))
	must(t, err)
	b.accept(strings.Replace(answer, line(answer, "a=ice-ufrag"), "a=ice-ufrag:nobodyhere", 1))
	none(t, "up", e.up, time.Second)
	if st := s.Stats(); st.Routes != 0 || st.Blocked == 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestWrongPasswordIsIgnored(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	b := newBrowser(t, "")
	answer, err := e.path.Answer(context.Background(), b.offer(nil))
	must(t, err)
	b.accept(strings.Replace(answer, line(answer, "a=ice-pwd"), "a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaaaa", 1))
	none(t, "up", e.up, time.Second)
	if st := s.Stats(); st.Routes != 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestBadOfferLeavesThePathAsItWas(t *testing.T) {
	e := newPath(t, newServer(t, Config{}))
	b := newBrowser(t, webrtc.MimeTypePCMU)
	b.connect(e.path)
	next(t, "up", e.up)
	b.until(webrtc.PeerConnectionStateConnected)
	before := e.path.Format()
	for _, bad := range []string{"", "v=0\r\n", "hello", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"} {
		_, err := e.path.Answer(context.Background(), bad)
		if k := core.KindOf(err); k != core.Invalid && k != core.Conflict {
			t.Errorf("offer %q: %v", bad, err)
		}
	}
	if e.path.Format() != before {
		t.Errorf("format %+v", e.path.Format())
	}
	b.say(tone(0, 440), 8000)
	next(t, "packet", e.packets)
}

// TestFiftyPathsOnOnePort connects fifty browsers to one socket and checks that
// each path hears its own and nothing is left after closing.
func TestFiftyPathsOnOnePort(t *testing.T) {
	s := newServer(t, Config{})
	const n = 50
	var ears [n]*ear
	var browsers [n]*browser
	for i := range n {
		ears[i] = newPath(t, s)
		browsers[i] = newBrowser(t, webrtc.MimeTypePCMU)
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { browsers[i].connect(ears[i].path) })
	}
	wg.Wait()
	for i := range n {
		next(t, fmt.Sprint("up ", i), ears[i].up)
		browsers[i].until(webrtc.PeerConnectionStateConnected)
	}
	for i := range n {
		browsers[i].say([]byte{byte(i)}, 8000)
	}
	for i := range n {
		if p := next(t, "packet", ears[i].packets); p.Payload()[0] != byte(i) {
			t.Errorf("path %d hears browser %d", i, p.Payload()[0])
		}
	}
	for i := range n {
		ears[i].path.Close()
		none(t, "packet", ears[i].packets, 0)
	}
	if st := s.Stats(); st.Paths != 0 || st.Routes != 0 || st.Agents != 0 || st.Handshakes != 0 {
		t.Errorf("left after closing: %+v", st)
	}
	browsers[0].until(webrtc.PeerConnectionStateClosed) // our close_notify
}

func TestClosedPathAndServer(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	e.path.Close()
	e.path.Close()
	_, err := e.path.Answer(context.Background(), newBrowser(t, "").offer(nil))
	if core.KindOf(err) != core.NotFound {
		t.Errorf("Answer on a closed path: %v", err)
	}
	must(t, s.Close())
	if _, err := s.NewPath(PathConfig{}); core.KindOf(err) != core.Unavailable || !errors.Is(err, net.ErrClosed) {
		t.Errorf("NewPath on a closed server: %v", err)
	}
}

func line(sdp, prefix string) string {
	for l := range strings.Lines(sdp) {
		if strings.HasPrefix(l, prefix) {
			return strings.TrimSpace(l)
		}
	}
	return ""
}
