//go:build e2e

package e2e

import (
	"testing"

	"github.com/offhook/offhook/internal/media"
)

// TestFirstToAnswerGetsTheCall is the main job: a call from the phone network
// rings a browser, two SIP phones and a mobile; each of them in turn answers.
func TestFirstToAnswerGetsTheCall(t *testing.T) {
	o := newOffice(t)
	page := o.logIn("sales", "correct horse", salesHz)
	udp := o.deskPhone(t, "desk", "purple-monkey", "udp", "PCMU", deskHz)
	tls := o.deskPhone(t, "desk2", "dishwasher-two", "tls", "opus", desk2Hz)
	everybody := []callee{page, udp, tls, o.mobile}
	o.AwaitMetric("offhook_contacts", 3, soon)

	g711 := o.line(t, "caller-g711", media.PCMU, media.PCMA)
	opus := o.line(t, "caller-opus", media.Opus, media.PCMU)
	for _, c := range []struct {
		name   string
		from   *line
		codec  media.Codec // of the caller
		winner callee
		byPeer bool // the callee hangs up
	}{
		{"browser, G.711 to Opus", g711, media.PCMU, page, false},
		{"desk phone over UDP, G.711 to G.711", g711, media.PCMU, udp, true},
		{"desk phone over TLS, G.711 to Opus", g711, media.PCMU, tls, false},
		{"mobile, G.711 to G.711", g711, media.PCMU, o.mobile, true},
		{"browser, Opus to Opus", opus, media.Opus, page, true},
		{"desk phone over TLS, Opus to Opus", opus, media.Opus, tls, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			caller := c.from.Dial(t, officeNumber)
			for _, p := range everybody {
				p.AwaitRing(t, caller.number)
			}
			caller.AwaitRingback(t)

			c.winner.Answer()
			talk(t, caller, c.winner)
			if got := caller.call.Format().Codec; got != c.codec {
				t.Errorf("the caller talks %v, want %v", got, c.codec)
			}
			if c.winner == callee(page) && page.Codec() != "audio/opus" {
				t.Errorf("the browser talks %s, want Opus", page.Codec())
			}
			for _, p := range everybody {
				if p == c.winner {
					p.WantNoCancel(t, caller.number)
				} else {
					p.AwaitElsewhere(t, caller.number)
				}
			}
			caller.WantAnswers(t)

			ends, other := party(caller), party(c.winner)
			if c.byPeer {
				ends, other = other, ends
			}
			ends.HangUp()
			other.AwaitEnd(t)
			ends.AwaitEnd(t)
			o.wantIdle(t, 3)
		})
	}
}
