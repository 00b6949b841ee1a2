package sdp

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
)

var (
	// unsaid are the wishes of who says nothing of Opus.
	unsaid = codec.Wishes{NoCopies: true}
	local  = Local{Addr: netip.MustParseAddrPort("198.51.100.1:30000"), Session: 77, Version: 3, Noise: true}
	prefer = []media.Codec{media.Opus, media.PCMU, media.PCMA}
)

// wire joins lines as they stand in a message.
func wire(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n") }

// head is what most phones begin with.
func head(lines ...string) []byte {
	return wire(append([]string{"v=0", "o=alice 2890844526 2890844526 IN IP4 192.0.2.10", "s=-", "c=IN IP4 192.0.2.10", "t=0 0"}, lines...)...)
}

func TestAnswer(t *testing.T) {
	remote := netip.MustParseAddrPort("192.0.2.10:4000")
	pcmu := media.Format{Codec: media.PCMU, SendType: 0, RecvType: 0, PTime: 20}
	for _, c := range []struct {
		name   string
		offer  []byte
		prefer []media.Codec
		want   Result
		answer []string // lines from m= on
	}{
		{
			"static types without rtpmap", head("m=audio 4000 RTP/AVP 8 0"), prefer,
			Result{Format: pcmu, Remote: remote, Direction: SendRecv},
			[]string{"m=audio 30000 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=ptime:20", "a=sendrecv"},
		},
		{
			"our order wins", head("m=audio 4000 RTP/AVP 0 8"),
			[]media.Codec{media.PCMA, media.PCMU},
			Result{Format: media.Format{Codec: media.PCMA, SendType: 8, RecvType: 8, PTime: 20}, Remote: remote, Direction: SendRecv},
			[]string{"m=audio 30000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=ptime:20", "a=sendrecv"},
		},
		{
			"dynamic types of the offerer, events of both clocks, 30 ms",
			head("m=audio 4000 RTP/AVP 9 96 0 101 97", "a=rtpmap:96 OPUS/48000/2", "a=fmtp:96 useinbandfec=1",
				"a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=rtpmap:97 telephone-event/48000", "a=ptime:30"),
			prefer,
			Result{Format: media.Format{
				Codec: media.Opus, SendType: 96, RecvType: 96, SendDTMF: 97, RecvDTMF: 97, DTMFClock: 48000, PTime: 30,
			}, Remote: remote, Direction: SendRecv},
			[]string{
				"m=audio 30000 RTP/AVP 96 97", "a=rtpmap:96 opus/48000/2", "a=fmtp:96 minptime=10;useinbandfec=1",
				"a=rtpmap:97 telephone-event/48000", "a=fmtp:97 0-16", "a=ptime:20", "a=sendrecv",
			},
		},
		{
			"Opus with events at 8000 only, as some phones offer",
			head("m=audio 4000 RTP/AVP 107 101", "a=rtpmap:107 opus/48000", "a=rtpmap:101 telephone-event/8000"), prefer,
			Result{Format: media.Format{
				Codec: media.Opus, SendType: 107, RecvType: 107, SendDTMF: 101, RecvDTMF: 101, DTMFClock: 8000, Wishes: unsaid, PTime: 20,
			}, Remote: remote, Direction: SendRecv},
			[]string{
				"m=audio 30000 RTP/AVP 107 101", "a=rtpmap:107 opus/48000/2", "a=fmtp:107 minptime=10;useinbandfec=1",
				"a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", "a=ptime:20", "a=sendrecv",
			},
		},
		{
			"hold (RFC 3264 8.4)", head("m=audio 4000 RTP/AVP 0", "a=sendonly"), prefer,
			Result{Format: pcmu, Remote: remote, Direction: RecvOnly},
			[]string{"m=audio 30000 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=ptime:20", "a=recvonly"},
		},
		{
			"hold at session level", wire("v=0", "o=- 1 1 IN IP4 192.0.2.10", "s=-", "c=IN IP4 192.0.2.10", "t=0 0", "a=inactive", "m=audio 4000 RTP/AVP 0"), prefer,
			Result{Format: pcmu, Remote: remote, Direction: Inactive},
			[]string{"m=audio 30000 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=ptime:20", "a=inactive"},
		},
		{
			"listen only", head("m=audio 4000 RTP/AVP 0", "a=recvonly"), prefer,
			Result{Format: pcmu, Remote: remote, Direction: SendOnly},
			[]string{"m=audio 30000 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=ptime:20", "a=sendonly"},
		},
		{
			"hold as in RFC 2543", head("m=audio 4000 RTP/AVP 0", "c=IN IP4 0.0.0.0"), prefer,
			Result{Format: pcmu, Remote: netip.AddrPort{}, Direction: RecvOnly},
			[]string{"m=audio 30000 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=ptime:20", "a=recvonly"},
		},
		{
			"removed stream", head("m=audio 0 RTP/AVP 0"), prefer,
			Result{Format: pcmu, Remote: netip.AddrPort{}, Direction: Inactive},
			[]string{"m=audio 0 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=ptime:20", "a=inactive"},
		},
		{
			"IPv6 on media level, bare LF, two ports",
			[]byte("v=0\no=- 1 1 IN IP6 2001:db8::1\ns=-\nt=0 0\nm=audio 4000/2 RTP/AVP 0\nc=IN IP6 2001:db8::10\n"), prefer,
			Result{Format: pcmu, Remote: netip.MustParseAddrPort("[2001:db8::10]:4000"), Direction: SendRecv},
			[]string{"m=audio 30000 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=ptime:20", "a=sendrecv"},
		},
		{
			"video and T.38 are refused in their places",
			head("m=video 4002 RTP/AVP 31 34", "m=audio 4000 RTP/AVP 0", "m=image 4004 udptl t38"), prefer,
			Result{Format: pcmu, Remote: remote, Direction: SendRecv},
			[]string{
				"m=video 0 RTP/AVP 31 34",
				"m=audio 30000 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=ptime:20", "a=sendrecv",
				"m=image 0 udptl t38",
			},
		},
		{
			"SRTP if possible, else plain",
			head("m=audio 4010 RTP/SAVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x", "m=audio 4000 RTP/AVP 0"), prefer,
			Result{Format: pcmu, Remote: remote, Direction: SendRecv},
			[]string{"m=audio 0 RTP/SAVP 0", "m=audio 30000 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=ptime:20", "a=sendrecv"},
		},
		{
			"comfort noise at the clock of the codec", head("m=audio 4000 RTP/AVP 8 13 118 101", "a=rtpmap:118 CN/16000", "a=rtpmap:101 telephone-event/8000"), prefer,
			Result{Format: media.Format{
				Codec: media.PCMA, SendType: 8, RecvType: 8, SendNoise: 13, RecvNoise: 13, SendDTMF: 101, RecvDTMF: 101, DTMFClock: 8000, PTime: 20,
			}, Remote: remote, Direction: SendRecv},
			[]string{
				"m=audio 30000 RTP/AVP 8 13 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:13 CN/8000",
				"a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", "a=ptime:20", "a=sendrecv",
			},
		},
		{
			"no comfort noise with Opus", head("m=audio 4000 RTP/AVP 96 13", "a=rtpmap:96 opus/48000/2"), prefer,
			Result{Format: media.Format{Codec: media.Opus, SendType: 96, RecvType: 96, Wishes: unsaid, PTime: 20}, Remote: remote, Direction: SendRecv},
			[]string{"m=audio 30000 RTP/AVP 96", "a=rtpmap:96 opus/48000/2", "a=fmtp:96 minptime=10;useinbandfec=1", "a=ptime:20", "a=sendrecv"},
		},
		{
			"a static number with another meaning", head("m=audio 4000 RTP/AVP 0 8", "a=rtpmap:0 speex/8000"), prefer,
			Result{Format: media.Format{Codec: media.PCMA, SendType: 8, RecvType: 8, PTime: 20}, Remote: remote, Direction: SendRecv},
			[]string{"m=audio 30000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=ptime:20", "a=sendrecv"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := ParseOffer(c.offer)
			if err != nil {
				t.Fatal(err)
			}
			answer, r, err := o.Answer(local, c.prefer)
			if err != nil {
				t.Fatal(err)
			}
			if r != c.want {
				t.Errorf("result\n %+v, want\n %+v", r, c.want)
			}
			want := append([]string{
				"v=0", "o=- 77 3 IN IP4 198.51.100.1", "s=-", "c=IN IP4 198.51.100.1", "t=0 0",
			}, c.answer...)
			if got := string(answer); got != string(wire(want...)) {
				t.Errorf("answer\n%s\nwant\n%s", got, wire(want...))
			}
		})
	}
}

func TestAnswerRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		offer []byte
		kind  core.Kind
		is    error
	}{
		{"no codec of ours", head("m=audio 4000 RTP/AVP 18 3", "a=rtpmap:18 G729/8000"), core.Conflict, ErrNoCommonCodec},
		{"G.722 while nothing codes it", head("m=audio 4000 RTP/AVP 9", "a=rtpmap:9 G722/8000"), core.Conflict, ErrNoCommonCodec},
		{"stereo PCMU", head("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 PCMU/8000/2"), core.Conflict, ErrNoCommonCodec},
		{"video only", head("m=video 4000 RTP/AVP 31"), core.Conflict, ErrNoAudio},
		{"nothing", head(), core.Conflict, ErrNoAudio},
		{"SRTP only", head("m=audio 4000 RTP/SAVP 0"), core.Conflict, ErrNoAudio},
		{"WebRTC to a plain port", head("m=audio 4000 UDP/TLS/RTP/SAVPF 0"), core.Conflict, ErrNoAudio},
		{"multicast", head("m=audio 4000 RTP/AVP 0", "c=IN IP4 224.2.36.42/127"), core.Invalid, nil},
		{"a name as address", head("m=audio 4000 RTP/AVP 0", "c=IN IP4 pc.example.com"), core.Invalid, nil},
		{"an address with a zone", head("m=audio 4000 RTP/AVP 0", "c=IN IP6 fe80::1%eth0"), core.Invalid, nil},
		{"no address", wire("v=0", "m=audio 4000 RTP/AVP 0"), core.Invalid, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := ParseOffer(c.offer)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = o.Answer(local, prefer)
			if core.KindOf(err) != c.kind || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v of kind %s", err, core.KindOf(err))
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, body := range []string{
		"", "\r\n", "hello", "o=- 1 1 IN IP4 192.0.2.1\r\n", "v=1\r\n", "v=0\r\nm=audio\r\n", "v=0\r\nm=audio x RTP/AVP 0\r\n",
		"v=0\r\nm=audio 70000 RTP/AVP 0\r\n", "v=0\r\nc=IN IP4\r\n", "v=0\r\nc=IN IP4 /\r\n", "v=0\r\n\x00\x01\r\n",
		"v=0\r\n" + strings.Repeat("m=audio 1 RTP/AVP 0\r\n", maxSections+1), "v=0\r\na=" + strings.Repeat("x", maxBody),
	} {
		if _, err := ParseOffer([]byte(body)); core.KindOf(err) != core.Invalid || err == nil {
			t.Errorf("%.40q: %v", body, err)
		}
	}
}

func TestOfferAndItsAnswer(t *testing.T) {
	offer := NewOffer(local, []media.Codec{media.PCMA, media.Opus})
	want := string(wire(
		"v=0", "o=- 77 3 IN IP4 198.51.100.1", "s=-", "c=IN IP4 198.51.100.1", "t=0 0",
		"m=audio 30000 RTP/AVP 8 111 13 101 110", "a=rtpmap:8 PCMA/8000", "a=rtpmap:111 opus/48000/2",
		"a=fmtp:111 minptime=10;useinbandfec=1", "a=rtpmap:13 CN/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16",
		"a=rtpmap:110 telephone-event/48000", "a=fmtp:110 0-16", "a=ptime:20", "a=sendrecv", "a=rtcp-mux",
	))
	if string(offer) != want {
		t.Fatalf("offer\n%s\nwant\n%s", offer, want)
	}
	remote := netip.MustParseAddrPort("192.0.2.10:4000")
	for _, c := range []struct {
		name   string
		answer []byte
		want   Result
	}{
		{
			"the first codec of the answer is in use", head("m=audio 4000 RTP/AVP 111 8 110", "a=rtpmap:111 opus/48000/2", "a=rtpmap:110 telephone-event/48000"),
			Result{Format: media.Format{
				Codec: media.Opus, SendType: 111, RecvType: 111, SendDTMF: 110, RecvDTMF: 110, DTMFClock: 48000, Wishes: unsaid, PTime: 20,
			}, Remote: remote, Direction: SendRecv},
		},
		{
			"other numbers than we offered", head("m=audio 4000 RTP/AVP 96 97", "a=rtpmap:96 opus/48000/2", "a=rtpmap:97 telephone-event/8000", "a=ptime:10"),
			Result{Format: media.Format{
				Codec: media.Opus, SendType: 96, RecvType: 111, SendDTMF: 97, RecvDTMF: 101, DTMFClock: 8000, Wishes: unsaid, PTime: 10,
			}, Remote: remote, Direction: SendRecv},
		},
		{
			"rtpmap left out", head("m=audio 4000 RTP/AVP 8 101"),
			Result{Format: media.Format{
				Codec: media.PCMA, SendType: 8, RecvType: 8, SendDTMF: 101, RecvDTMF: 101, DTMFClock: 8000, PTime: 20,
			}, Remote: remote, Direction: SendRecv},
		},
		{
			"with comfort noise, which Opus has not", head("m=audio 4000 RTP/AVP 8 13"),
			Result{Format: media.Format{Codec: media.PCMA, SendType: 8, RecvType: 8, SendNoise: 13, RecvNoise: 13, PTime: 20}, Remote: remote, Direction: SendRecv},
		},
		{
			"Opus with a needless number", head("m=audio 4000 RTP/AVP 111 13", "a=rtpmap:111 opus/48000/2"),
			Result{Format: media.Format{Codec: media.Opus, SendType: 111, RecvType: 111, Wishes: unsaid, PTime: 20}, Remote: remote, Direction: SendRecv},
		},
		{
			"no events", head("m=audio 4000 RTP/AVP 8", "a=maxptime:40", "a=ptime:60"),
			Result{Format: media.Format{Codec: media.PCMA, SendType: 8, RecvType: 8, PTime: 40}, Remote: remote, Direction: SendRecv},
		},
		{
			"the far end only listens", head("m=audio 4000 RTP/AVP 8", "a=recvonly"),
			Result{Format: media.Format{Codec: media.PCMA, SendType: 8, RecvType: 8, PTime: 20}, Remote: remote, Direction: SendOnly},
		},
		{
			"answered on hold", head("m=audio 4000 RTP/AVP 8", "a=inactive"),
			Result{Format: media.Format{Codec: media.PCMA, SendType: 8, RecvType: 8, PTime: 20}, Remote: remote, Direction: Inactive},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := ParseAnswer(offer, c.answer)
			if err != nil {
				t.Fatal(err)
			}
			if r != c.want {
				t.Errorf("result\n %+v, want\n %+v", r, c.want)
			}
		})
	}
	for _, c := range []struct {
		name   string
		answer []byte
		is     error
	}{
		{"refused", head("m=audio 0 RTP/AVP 8"), ErrNoAudio},
		{"not audio", head("m=video 4000 RTP/AVP 31"), ErrNoAudio},
		{"empty", head(), ErrNoAudio},
		{"a codec that we did not offer", head("m=audio 4000 RTP/AVP 0"), ErrNoCommonCodec},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := ParseAnswer(offer, c.answer); !errors.Is(err, c.is) || core.KindOf(err) != core.Conflict {
				t.Error(err)
			}
		})
	}
}

// TestHoldAndResume walks a phone through hold and back in one dialog.
func TestHoldAndResume(t *testing.T) {
	l := local
	for _, step := range []struct {
		attr string
		held bool
		our  Direction
	}{{"a=sendrecv", false, SendRecv}, {"a=sendonly", true, RecvOnly}, {"a=inactive", true, Inactive}, {"a=sendrecv", false, SendRecv}} {
		o, err := ParseOffer(head("m=audio 4000 RTP/AVP 0", step.attr))
		if err != nil {
			t.Fatal(err)
		}
		answer, r, err := o.Answer(l, prefer)
		if err != nil || r.Held() != step.held || r.Direction != step.our {
			t.Errorf("%s: %+v %v", step.attr, r, err)
		}
		d, err := Parse(answer)
		if err != nil || d.Session != local.Session || d.Version != l.Version {
			t.Errorf("%s: o= of the answer %+v %v", step.attr, d, err)
		}
		l.Version++
	}
}

// TestLocalDirection is our own side on hold.
func TestLocalDirection(t *testing.T) {
	l := local
	l.Direction = SendOnly
	for attr, want := range map[string]Direction{"a=sendrecv": SendOnly, "a=recvonly": SendOnly, "a=sendonly": Inactive} {
		o, err := ParseOffer(head("m=audio 4000 RTP/AVP 0", attr))
		if err != nil {
			t.Fatal(err)
		}
		answer, r, err := o.Answer(l, prefer)
		if err != nil || r.Direction != want || !strings.Contains(string(answer), "a="+want.String()+"\r\n") {
			t.Errorf("%s: %+v %v\n%s", attr, r, err, answer)
		}
	}
	r, err := ParseAnswer(NewOffer(l, prefer), head("m=audio 4000 RTP/AVP 0"))
	if err != nil || r.Direction != SendOnly {
		t.Errorf("answer without direction to sendonly: %+v %v", r, err)
	}
}

func TestOfferCodecs(t *testing.T) {
	o, err := ParseOffer(head("m=audio 4000 RTP/AVP 9 8 18 96 0", "a=rtpmap:96 opus/48000/2"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := o.Codecs(), []media.Codec{media.G722, media.PCMA, media.Opus, media.PCMU}; !slices.Equal(got, want) {
		t.Errorf("codecs %v", got)
	}
}

func FuzzParseOffer(f *testing.F) {
	f.Add(head("m=audio 4000/2 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000", "a=ptime:x", "m=video 0 RTP/AVP 31"))
	f.Add([]byte(chromium))
	f.Add(NewOffer(local, prefer))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := ParseOffer(body)
		if err != nil {
			return
		}
		again, err := Parse(o.desc.Marshal())
		if err != nil {
			t.Fatalf("what we wrote does not parse: %v", err)
		}
		if len(again.Sections) != len(o.desc.Sections) {
			t.Fatalf("%d sections became %d", len(o.desc.Sections), len(again.Sections))
		}
		if answer, r, err := o.Answer(local, prefer); err == nil {
			checkAnswer(t, o, answer)
			if r.Format.Codec == media.CodecNone || r.Format.PTime < 10 || r.Format.PTime > 60 {
				t.Fatalf("result %+v", r)
			}
		}
		if answer, _, err := o.AnswerWeb(webLocal, prefer); err == nil {
			checkAnswer(t, o, answer)
		}
		_, _ = ParseAnswer(NewOffer(local, prefer), body)
		_, _ = ParseWebAnswer(NewWebOffer(webLocal, prefer), body)
	})
}

// checkAnswer checks what holds for every answer (RFC 3264 section 6).
func checkAnswer(t *testing.T, o *Offer, answer []byte) {
	t.Helper()
	d, err := Parse(answer)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Sections) != len(o.desc.Sections) {
		t.Fatalf("%d sections answer %d", len(d.Sections), len(o.desc.Sections))
	}
	live := 0
	for i, s := range d.Sections {
		if s.Kind != o.desc.Sections[i].Kind || s.Proto != o.desc.Sections[i].Proto {
			t.Fatalf("section %d answers %s by %s", i, o.desc.Sections[i].Kind, s.Kind)
		}
		if s.Port != 0 {
			live++
		}
	}
	if live > 1 {
		t.Fatalf("%d live sections", live)
	}
}
