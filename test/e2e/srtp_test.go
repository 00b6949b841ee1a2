//go:build e2e

package e2e

import (
	"testing"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestSRTP lets a desk phone with SRTP and one without call each other. Each hears
// the other's tone, and what was offered and answered is what was wanted.
func TestSRTP(t *testing.T) {
	const savp, crypto = "RTP/SAVP", "a=crypto:"
	for _, c := range []struct {
		name             string
		transport, srtp  string // of the phone desk; desk2 is plain, over UDP
		codec            string
		deskCalls        bool
		offered, settled []string // in the SDP of desk's leg: the offer, and the answer
	}{
		{"insists, over TLS, and calls", "tls", "srtp-mand", "PCMU", true, []string{savp, crypto}, []string{savp, crypto}},
		{"insists, over TLS, and is called", "tls", "srtp-mand", "PCMA", false, []string{savp, crypto}, []string{savp, crypto}}, // after it refused RTP/AVP
		{"offers it over UDP", "udp", "srtp", "opus", true, []string{crypto}, []string{crypto}},
		{"would take it, over TLS", "tls", "srtp", "PCMU", false, []string{"RTP/AVP", crypto}, []string{crypto}},
		{"knows none, over TLS", "tls", "", "PCMU", false, []string{"RTP/AVP", crypto}, []string{"RTP/AVP"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, _ := newExchange(t)
			newPhone := func(user, password, transport, codec, srtp string, hz float64) *desk {
				server := o.SIP
				if transport == "tls" {
					server = o.TLS
				}
				return &desk{Baresip: harness.NewBaresip(t, harness.BaresipConfig{
					User: user, Password: password, Server: server, Transport: transport, Codec: codec, SRTP: srtp, Tone: hz,
				}), hz: hz}
			}
			protected := newPhone("desk", "purple-monkey", c.transport, c.codec, c.srtp, deskHz)
			plain := newPhone("desk2", "dishwasher-two", "udp", "PCMU", "", desk2Hz)
			o.AwaitMetric("offhook_contacts", 2, soon)

			from, to, shows, name := protected, plain, "desk", "desk2"
			if !c.deskCalls {
				from, to, shows, name = plain, protected, "desk2", "desk"
			}
			from.Dial(name)
			to.AwaitRing(t, shows)
			to.Answer()
			talk(t, from, to)
			if n := len(protected.Find("INVITE ", c.offered...)); n == 0 {
				t.Errorf("no INVITE with %v", c.offered)
			}
			if n := len(protected.Find("SIP/2.0 200", append(c.settled, "INVITE")...)); n == 0 {
				t.Errorf("no 200 with %v", c.settled)
			}
			if n := len(plain.Find("SIP/2.0 200", crypto)); n != 0 {
				t.Error("keys for a phone over UDP that offered none")
			}
			from.HangUp()
			to.AwaitEnd(t)
		})
	}
}

// TestSRTPOfAUser lets users say themselves what becomes of SRTP: a phone without it
// can neither call nor be called where it is required, and is not offered keys.
func TestSRTPOfAUser(t *testing.T) {
	h := &house{Offhook: harness.NewOffhook(t, "resources:\n  users:\n"+
		"    - {name: ann, srtp: required, password: "+password("ann")+"}\n    - {name: ben, password: "+password("ben")+"}\n    - {name: cid, password: "+password("cid")+"}\n")}
	ann, ben := h.user(t, "ann", phone.Config{AutoAnswer: true}), h.user(t, "ben", phone.Config{})
	h.user(t, "cid", phone.Config{AutoAnswer: true})
	for _, c := range []struct {
		from *harness.Phone
		to   string
	}{{ann, "cid"}, {ben, "ann"}} {
		dial(t, c.from, c.to, phone.DialOptions{})
		if ev := c.from.Await(phone.Ended, soon); ev.Code != 488 {
			t.Errorf("the call to %s ended with %d, want 488", c.to, ev.Code)
		}
	}
	if len(ann.Wire().Find("< INVITE ", "RTP/SAVP ", "a=crypto:")) == 0 {
		t.Error("no keys were offered to who requires them")
	}
}
