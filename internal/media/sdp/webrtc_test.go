package sdp

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
)

var webLocal = WebLocal{
	Session: 5, Version: 1, Credentials: Credentials{"abcdefgh", "abcdefghijklmnopqrstuvwx"}, SSRC: 42,
	Fingerprint: Fingerprint{"sha-256", []byte{0xab, 0x01}},
	Candidates: []Candidate{
		{Addr: netip.MustParseAddrPort("203.0.113.5:8189")}, {Addr: netip.MustParseAddrPort("203.0.113.5:8189"), TCP: true},
	},
}

// chromium is an offer of Chromium 156 with a microphone, a camera and a data
// channel, shortened.
const chromium = `v=0
o=- 4215775240449105457 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1 2
a=extmap-allow-mixed
a=msid-semantic: WMS 0b2e
m=audio 50112 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 192.168.1.20
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2122260223 192.168.1.20 50112 typ host generation 0 network-id 1
a=candidate:2 1 udp 2122194687 6b8f0a2d-8d1c.local 50113 typ host generation 0
a=candidate:3 1 tcp 1518280447 192.168.1.20 9 typ host tcptype active generation 0
a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
a=ice-options:trickle
a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendrecv
a=msid:0b2e 1f6a
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:1
a=rtcp-mux
a=rtpmap:96 VP8/90000
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:2
a=sctp-port:5000
`

func TestAnswerWeb(t *testing.T) {
	o, err := ParseOffer([]byte(chromium))
	if err != nil {
		t.Fatal(err)
	}
	if !o.WebRTC() {
		t.Error("not taken for WebRTC")
	}
	answer, r, err := o.AnswerWeb(webLocal, []media.Codec{media.PCMA, media.Opus})
	if err != nil {
		t.Fatal(err)
	}
	want := string(wire(
		"v=0", "o=- 5 1 IN IP4 203.0.113.5", "s=-", "t=0 0", "a=ice-lite", "a=group:BUNDLE 0",
		"m=audio 8189 UDP/TLS/RTP/SAVPF 8 126", "c=IN IP4 203.0.113.5", "a=mid:0",
		"a=rtpmap:8 PCMA/8000", "a=rtpmap:126 telephone-event/8000", "a=fmtp:126 0-16", "a=sendrecv", "a=rtcp-mux",
		"a=ice-ufrag:abcdefgh", "a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=fingerprint:sha-256 AB:01", "a=setup:passive",
		"a=msid:offhook audio", "a=ssrc:42 cname:offhook",
		"a=candidate:1 1 udp 2130706431 203.0.113.5 8189 typ host",
		"a=candidate:2 1 tcp 2128609023 203.0.113.5 8189 typ host tcptype passive", "a=end-of-candidates",
		"m=video 0 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:1",
		"m=application 0 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", "a=mid:2",
	))
	if string(answer) != want {
		t.Errorf("answer\n%s\nwant\n%s", answer, want)
	}
	if f := (media.Format{
		Codec: media.PCMA, SendType: 8, RecvType: 8, SendDTMF: 126, RecvDTMF: 126, DTMFClock: 8000, PTime: 20,
	}); r.Format != f {
		t.Errorf("format %+v", r.Format)
	}
	if c := (Credentials{"EsAw", "P2uYro0UCOQ4zxjKXaWCBui1"}); r.Credentials != c || r.Setup != Passive || r.Direction != SendRecv || r.Session != 4215775240449105457 {
		t.Errorf("result %+v", r)
	}
	if len(r.Fingerprints) != 1 || !strings.HasPrefix(r.Fingerprints[0].String(), "sha-256 D2:FA:0E") {
		t.Errorf("fingerprints %v", r.Fingerprints)
	}
	if want := []Candidate{{Addr: netip.MustParseAddrPort("192.168.1.20:50112")}, {}, {Addr: netip.MustParseAddrPort("192.168.1.20:9"), TCP: true}}; !slices.Equal(r.Candidates, want) {
		t.Errorf("candidates %v", r.Candidates)
	}
}

// firefox is an offer of Firefox 140 before it gathered candidates, shortened.
const firefox = `v=0
o=mozilla...THIS_IS_SDPARTA-99.0 7239847109233421123 0 IN IP4 0.0.0.0
s=-
t=0 0
a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F
a=group:BUNDLE 0
a=ice-options:trickle
a=msid-semantic:WMS *
m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101
c=IN IP4 0.0.0.0
a=sendrecv
a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
a=fmtp:101 0-15
a=ice-pwd:ed1b9fb1a7e6a2fc8e2d9ae1e4d2a8ac
a=ice-ufrag:d1b9fb1a
a=mid:0
a=msid:- {4f7a}
a=rtcp-mux
a=rtpmap:109 opus/48000/2
a=rtpmap:9 G722/8000/1
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000/1
a=setup:actpass
`

func TestAnswerWebToFirefox(t *testing.T) {
	o, err := ParseOffer([]byte(firefox))
	if err != nil {
		t.Fatal(err)
	}
	l := webLocal
	l.Direction = RecvOnly
	answer, r, err := o.AnswerWeb(l, prefer)
	if err != nil {
		t.Fatal(err)
	}
	if f := (media.Format{
		Codec: media.Opus, SendType: 109, RecvType: 109, SendDTMF: 101, RecvDTMF: 101, DTMFClock: 8000, PTime: 20,
	}); r.Format != f || len(r.Fingerprints) != 1 || r.Session != 7239847109233421123 {
		t.Errorf("result %+v", r)
	}
	if r.Direction != RecvOnly || !strings.Contains(string(answer), "a=recvonly\r\n") {
		t.Errorf("direction %s\n%s", r.Direction, answer)
	}
}

// TestAnswerWebBundleOnly has the transport in a section that is refused: the
// microphone was added second, under the policy max-bundle.
func TestAnswerWebBundleOnly(t *testing.T) {
	o, err := ParseOffer(head(
		"a=group:BUNDLE v a", "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:v", "a=ice-ufrag:EsAw", "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
		"a=setup:actpass", "a=fingerprint:sha-256 "+strings.Repeat("AB:", 31)+"AB", "a=rtcp-mux",
		"m=audio 0 UDP/TLS/RTP/SAVPF 0", "a=bundle-only", "a=mid:a", "a=rtcp-mux", "a=sendonly",
	))
	if err != nil {
		t.Fatal(err)
	}
	answer, r, err := o.AnswerWeb(webLocal, prefer)
	if err != nil {
		t.Fatal(err)
	}
	if r.Credentials.Ufrag != "EsAw" || r.Direction != RecvOnly || !strings.Contains(string(answer), "m=audio 8189 ") {
		t.Errorf("%+v\n%s", r, answer)
	}
}

func TestAnswerWebRefuses(t *testing.T) {
	without := func(prefix string) string {
		var kept []string
		for l := range strings.Lines(chromium) {
			if !strings.HasPrefix(l, prefix) {
				kept = append(kept, l)
			}
		}
		return strings.Join(kept, "")
	}
	for _, c := range []struct {
		name, offer string
		kind        core.Kind
		is          error
	}{
		{"no ufrag", without("a=ice-ufrag"), core.Invalid, nil},
		{"short password", strings.Replace(chromium, "P2uYro0UCOQ4zxjKXaWCBui1", "short", 1), core.Invalid, nil},
		{"no fingerprint", without("a=fingerprint"), core.Invalid, nil},
		{"no rtcp-mux", without("a=rtcp-mux"), core.Invalid, nil},
		{"no setup", without("a=setup"), core.Invalid, nil},
		{"the browser wants to be DTLS server", strings.Replace(chromium, "actpass", "passive", 1), core.Conflict, ErrNoAudio},
		{"a phone", string(head("m=audio 4000 RTP/AVP 0")), core.Conflict, ErrNoAudio},
		{"no codec", strings.ReplaceAll(chromium, "SAVPF 111 63 9 0 8 13 110 126", "SAVPF 63 13"), core.Conflict, ErrNoCommonCodec},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := ParseOffer([]byte(c.offer))
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = o.AnswerWeb(webLocal, prefer)
			if core.KindOf(err) != c.kind || err == nil || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v of kind %s", err, core.KindOf(err))
			}
		})
	}
}

// TestWebOfferAndItsAnswer offers to a SIP-over-WebSocket client.
func TestWebOfferAndItsAnswer(t *testing.T) {
	offer := NewWebOffer(webLocal, []media.Codec{media.Opus, media.PCMU})
	if !strings.Contains(string(offer), "a=setup:actpass\r\n") {
		t.Errorf("offer\n%s", offer)
	}
	answerer := webLocal
	answerer.Credentials.Ufrag = "theirs"
	o, err := ParseOffer(offer)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = o.AnswerWeb(answerer, []media.Codec{media.PCMU}); err == nil {
		t.Fatal("two bytes were taken for a SHA-256 fingerprint")
	}
	full := webLocal
	full.Fingerprint.Value = make([]byte, 32)
	answerer.Fingerprint.Value = full.Fingerprint.Value
	offer = NewWebOffer(full, []media.Codec{media.Opus, media.PCMU})
	if o, err = ParseOffer(offer); err != nil {
		t.Fatal(err)
	}
	passive, _, err := o.AnswerWeb(answerer, []media.Codec{media.PCMU})
	if err != nil {
		t.Fatal(err)
	}
	for setup, ours := range map[string]Setup{"passive": Active, "active": Passive} {
		r, err := ParseWebAnswer(offer, []byte(strings.Replace(string(passive), "setup:passive", "setup:"+setup, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if r.Setup != ours || r.Format.Codec != media.PCMU || r.Format.RecvType != typePCMU || r.Credentials.Ufrag != "theirs" {
			t.Errorf("%s: %+v", setup, r)
		}
	}
	if _, err := ParseWebAnswer(offer, []byte(strings.Replace(string(passive), "setup:passive", "setup:actpass", 1))); core.KindOf(err) != core.Invalid || err == nil {
		t.Errorf("actpass in an answer: %v", err)
	}
}
