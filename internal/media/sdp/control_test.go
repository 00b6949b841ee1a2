package sdp

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/media"
)

func TestControl(t *testing.T) {
	const description = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
	at := func(s string) Control { return Control{At: netip.MustParseAddrPort(s)} }
	tests := []struct {
		attrs string
		want  Control
	}{
		{"", Control{}},
		{"a=rtcp:53020\r\n", at("192.0.2.1:53020")},
		{"a=rtcp:53020 IN IP4 126.16.64.4\r\n", at("126.16.64.4:53020")},
		{"a=rtcp:53020 IN IP6 2001:db8::1\r\n", at("[2001:db8::1]:53020")},
		{"a=rtcp:4000\r\n", at("192.0.2.1:4000")},
		{"a=rtcp:9 IN IP4 0.0.0.0\r\n", at("192.0.2.1:9")},
		{"a=rtcp:9 IN IP4 rtcp.example.com\r\n", at("192.0.2.1:9")},
		{"a=rtcp:4001\r\na=rtcp-mux\r\n", Control{Mux: true, At: netip.MustParseAddrPort("192.0.2.1:4001")}},
		{"a=rtcp:0\r\n", Control{}},
		{"a=rtcp:65536\r\n", Control{}},
		{"a=rtcp:\r\n", Control{}},
		{"a=rtcp:x IN IP4 1.2.3.4\r\n", Control{}},
		{"c=IN IP4 0.0.0.0\r\na=rtcp:9\r\n", Control{}}, // a hold names no host
	}
	ours := NewOffer(local, []media.Codec{media.PCMU})
	for _, tt := range tests {
		t.Run(strings.TrimSpace(tt.attrs), func(t *testing.T) {
			o, err := ParseOffer([]byte(description + tt.attrs))
			if err != nil {
				t.Fatal(err)
			}
			if _, r, err := o.Answer(local, []media.Codec{media.PCMU}); err != nil || r.Control != tt.want {
				t.Errorf("offered: %+v, %v; want %+v", r.Control, err, tt.want)
			}
			if r, err := ParseAnswer(ours, []byte(description+tt.attrs)); err != nil || r.Control != tt.want {
				t.Errorf("answered: %+v, %v; want %+v", r.Control, err, tt.want)
			}
		})
	}
}
