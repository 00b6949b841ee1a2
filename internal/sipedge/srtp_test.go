package sipedge

import (
	"testing"

	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/sip"
)

func TestSRTPPolicy(t *testing.T) {
	const none = route.SRTPAuto
	for _, c := range []struct {
		name       string
		encrypted  bool
		trunk, all route.SRTP
		want       sdp.Protection
	}{
		{"UDP", false, none, none, sdp.ProtectAnswers},
		{"TLS", true, none, none, sdp.ProtectOptional},
		{"required of all", false, none, route.SRTPRequired, sdp.ProtectRequired},
		{"off over TLS", true, none, route.SRTPOff, sdp.ProtectNever},
		{"the trunk's word counts", true, route.SRTPOff, route.SRTPRequired, sdp.ProtectNever},
		{"optional over UDP", false, route.SRTPOptional, none, sdp.ProtectOptional},
	} {
		if got := srtp(c.encrypted, c.trunk, c.all); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestEncryptedTo(t *testing.T) {
	for text, want := range map[string]bool{
		"sip:carrier.example": false, "sip:carrier.example;transport=TLS": true, "sips:carrier.example": true, "sip:carrier.example;transport=tcp": false,
	} {
		uri, err := sip.ParseURI(text)
		if err != nil || encryptedTo(uri) != want {
			t.Errorf("%s: %v, want %v, %v", text, encryptedTo(uri), want, err)
		}
	}
}
