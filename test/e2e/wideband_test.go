//go:build e2e

package e2e

import (
	"testing"
)

// TestG722 lets phones with G.722 talk to each other and to one without.
func TestG722(t *testing.T) {
	for _, c := range []struct {
		codec, settled string // of desk2, and the line of the answer to desk
	}{
		{"G722", "a=rtpmap:9 G722/8000"},
		{"PCMA", "a=rtpmap:9 G722/8000"},
		{"opus", "a=rtpmap:9 G722/8000"},
	} {
		t.Run("with "+c.codec, func(t *testing.T) {
			o, _ := newExchange(t)
			a := o.deskPhone(t, "desk", "purple-monkey", "udp", "G722", deskHz)
			b := o.deskPhone(t, "desk2", "dishwasher-two", "udp", c.codec, desk2Hz)
			o.AwaitMetric("offhook_contacts", 2, soon)
			a.Dial("desk2")
			b.AwaitRing(t, "desk")
			b.Answer()
			talk(t, a, b)
			if len(a.Find("SIP/2.0 200", "INVITE", c.settled)) == 0 {
				t.Errorf("no answer with %s", c.settled)
			}
			if want := "audio 0"; len(a.Find("SIP/2.0 200", "INVITE", want)) != 0 {
				t.Error("refused")
			}
			a.HangUp()
			b.AwaitEnd(t)
		})
	}
}
