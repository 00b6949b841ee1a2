package rtc

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
)

// offered makes an offer of p.
func offered(t *testing.T, p *Path, prefer ...media.Codec) string {
	t.Helper()
	offer, err := p.Offer(context.Background(), prefer)
	must(t, err)
	return offer
}

// answer answers an offer with all candidates.
func (b *browser) answer(offer string) string {
	b.t.Helper()
	must(b.t, b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}))
	answer, err := b.pc.CreateAnswer(nil)
	must(b.t, err)
	gathered := webrtc.GatheringCompletePromise(b.pc)
	must(b.t, b.pc.SetLocalDescription(answer))
	<-gathered
	return b.pc.LocalDescription().SDP
}

// called makes b answer an offer of e, and waits for both to be connected.
func (b *browser) called(e *ear) {
	b.t.Helper()
	must(b.t, e.path.Accept(context.Background(), b.answer(offered(b.t, e.path, media.Opus, media.PCMU, media.PCMA))))
	next(b.t, "up", e.up)
	b.until(webrtc.PeerConnectionStateConnected)
}

func TestOfferIsComplete(t *testing.T) {
	e := newPath(t, newServer(t, Config{}))
	offer := offered(t, e.path, media.PCMA, media.Opus)
	for _, want := range []string{
		"a=setup:actpass", "a=ice-lite", "a=end-of-candidates", "a=rtcp-mux", "a=sendrecv", "a=fingerprint:sha-256 ",
		"a=rtpmap:8 PCMA/8000", "a=rtpmap:111 opus/48000/2", " telephone-event/8000", " telephone-event/48000",
	} {
		if !strings.Contains(offer, want) {
			t.Errorf("no %s in\n%s", want, offer)
		}
	}
	if m := line(offer, "m=audio"); !strings.HasSuffix(strings.Join(strings.Fields(m)[:4], " "), "UDP/TLS/RTP/SAVPF 8") {
		t.Errorf("the preferred codec is not first: %s", m)
	}
}

func TestTonesBothWaysWhenWeCall(t *testing.T) {
	e := newPath(t, newServer(t, Config{}))
	b := newBrowser(t, webrtc.MimeTypePCMU)
	b.called(e)
	if f := e.path.Format(); f.Codec != media.PCMU || f.RecvDTMF == 0 || f.SendDTMF == 0 {
		t.Errorf("format %+v", f)
	}
	const frames = 20
	var there, here []byte
	for n := range frames {
		b.say(tone(n, 440), 8000)
		p := next(t, "packet at the path", e.packets)
		there = append(there, p.Payload()...)
		e.path.Send(outgoing(e.path.Format(), uint16(n), uint32(n*160), tone(n, 900)))
		here = append(here, next(t, "packet at the browser", b.heard).Payload...)
	}
	if got := purity(there, 440); got < 0.99 {
		t.Errorf("purity of the browser's tone %.3f", got)
	}
	if got := purity(here, 900); got < 0.99 {
		t.Errorf("purity of our tone %.3f", got)
	}
	b.press(e.path.Format().RecvDTMF, 5)
	if d := next(t, "digit", e.digits); d != '5' {
		t.Errorf("digit %c", d)
	}
}

func TestAnswerPrefersTheGivenCodec(t *testing.T) {
	e := newPath(t, newServer(t, Config{}))
	b := newBrowser(t, "")
	answer, err := e.path.AnswerPrefer(context.Background(), b.offer(nil), []media.Codec{media.PCMU, media.Opus})
	must(t, err)
	b.accept(answer)
	next(t, "up", e.up)
	if c := e.path.Format().Codec; c != media.PCMU {
		t.Errorf("codec %s", c)
	}
}

func TestSameAnswerTwiceChangesNothing(t *testing.T) {
	e := newPath(t, newServer(t, Config{}))
	b := newBrowser(t, webrtc.MimeTypePCMU)
	answer := b.answer(offered(t, e.path, media.PCMU))
	for range 2 { // 183, then 200
		must(t, e.path.Accept(context.Background(), answer))
	}
	next(t, "up", e.up)
	must(t, e.path.Accept(context.Background(), answer))
	none(t, "another handshake", e.up, 200*time.Millisecond)
	none(t, "down", e.down, 0)
}

// TestForkReplacesTheFormerAnswer is a proxy that let two clients answer one offer.
func TestForkReplacesTheFormerAnswer(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	offer := offered(t, e.path, media.PCMU)
	first, second := newBrowser(t, webrtc.MimeTypePCMU), newBrowser(t, webrtc.MimeTypePCMU)
	must(t, e.path.Accept(context.Background(), first.answer(offer)))
	next(t, "up with the first", e.up)
	must(t, e.path.Accept(context.Background(), second.answer(offer)))
	next(t, "up with the second", e.up)
	second.until(webrtc.PeerConnectionStateConnected)
	second.say(tone(0, 440), 8000)
	next(t, "packet of the second", e.packets)
	if s := s.Stats(); s.Agents != 1 {
		t.Errorf("the second's checks would be refused from now on: %+v", s)
	}
}

// TestReofferKeepsTheConnection is a re-INVITE of ours during the call.
func TestReofferKeepsTheConnection(t *testing.T) {
	e := newPath(t, newServer(t, Config{}))
	b := newBrowser(t, webrtc.MimeTypePCMU)
	b.called(e)
	before := string(e.path.offered)
	again := offered(t, e.path, media.PCMU)
	if line(before, "a=ice-ufrag") != line(again, "a=ice-ufrag") || line(before, "a=ssrc") != line(again, "a=ssrc") {
		t.Error("the offer restarts the connection")
	}
	if line(before, "o=") == line(again, "o=") {
		t.Errorf("the version did not change: %s", line(again, "o="))
	}
	held := strings.Replace(b.answer(again), "a=sendrecv", "a=sendonly", 1)
	must(t, e.path.Accept(context.Background(), held))
	if !e.path.Held() {
		t.Error("the browser holds, and the path does not know")
	}
	must(t, e.path.Accept(context.Background(), b.answer(offered(t, e.path, media.PCMU))))
	if e.path.Held() {
		t.Error("the hold did not end")
	}
	b.say(tone(0, 440), 8000)
	next(t, "packet after the re-offers", e.packets)
	none(t, "another handshake", e.up, 0)
}

// TestBrowserCallsBackOnACalledPath is a re-INVITE of a client that we called.
func TestBrowserCallsBackOnACalledPath(t *testing.T) {
	e := newPath(t, newServer(t, Config{}))
	b := newBrowser(t, webrtc.MimeTypePCMU)
	b.called(e)
	first := string(e.path.offered)
	answer := b.connect(e.path)
	if line(first, "a=ice-ufrag") != line(answer, "a=ice-ufrag") {
		t.Error("the same connection got new credentials of ours")
	}
	b.say(tone(0, 440), 8000)
	next(t, "packet after the re-INVITE", e.packets)
	none(t, "another handshake", e.up, 0)
}

func TestBadAnswerLeavesThePathAsItWas(t *testing.T) {
	e := newPath(t, newServer(t, Config{}))
	good := newBrowser(t, webrtc.MimeTypePCMU).answer(offered(t, e.path, media.PCMU))
	for _, c := range []struct {
		what, answer string
		want         core.Kind
	}{
		{"no SDP", "BYE", core.Invalid},
		{"both wait for a ClientHello", strings.Replace(good, "a=setup:active", "a=setup:passive", 1), core.Invalid},
		{"no role", strings.Replace(good, "a=setup:active", "a=setup:actpass", 1), core.Invalid},
		{"no fingerprint", strings.ReplaceAll(good, "a=fingerprint", "a=print"), core.Invalid},
		{"refused", strings.Replace(good, "m=audio 9", "m=audio 0", 1), core.Conflict},
		{"plain RTP", strings.Replace(good, "UDP/TLS/RTP/SAVPF", "RTP/AVP", 1), core.Conflict},
	} {
		if c.answer == good {
			t.Fatalf("%s: the answer is good:\n%s", c.what, good)
		}
		if err := e.path.Accept(context.Background(), c.answer); core.KindOf(err) != c.want {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	if f := e.path.Format(); f != (media.Format{}) {
		t.Errorf("a bad answer was taken into use: %+v", f)
	}
	must(t, e.path.Accept(context.Background(), good))
	next(t, "up after all", e.up)
}

func TestAnswerWithoutOfferIsRefused(t *testing.T) {
	s := newServer(t, Config{})
	e, other := newPath(t, s), newPath(t, s)
	b := newBrowser(t, "")
	answer := b.answer(offered(t, other.path, media.PCMU))
	if err := e.path.Accept(context.Background(), answer); core.KindOf(err) != core.Conflict {
		t.Errorf("never offered: %v", err)
	}
	offered(t, e.path, media.PCMU)
	newBrowser(t, "").connect(e.path) // an offer that crosses ours takes its place
	if err := e.path.Accept(context.Background(), answer); core.KindOf(err) != core.Conflict {
		t.Errorf("after an Answer: %v", err)
	}
	e.path.Close()
	if _, err := e.path.Offer(context.Background(), []media.Codec{media.PCMU}); core.KindOf(err) != core.NotFound {
		t.Errorf("closed: %v", err)
	}
}
