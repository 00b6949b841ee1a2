package sipedge

import (
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/testkit"
)

// answeredCall is a call of the carrier that the edge has answered.
func answeredCall(t *testing.T, ev sip.OutgoingEvents, o *outcome) (b *bench, leg core.LegID, d *sip.Dialog) {
	t.Helper()
	carrier := newPeer(t, "127.0.0.3", nil)
	b = newBench(t, carrier.at)
	carrier.invite(b, "12995558888", nil, ev)
	leg = wait(b, anyOf[core.Offered]).Leg
	b.do(core.Answer{LegRef: core.LegRef{Leg: leg, Edge: core.EdgeSIP}})
	return b, leg, next(t, "200", o.answered)
}

// A key by INFO reaches the exchange, and media for who hears the leg.
func TestKeysByInfo(t *testing.T) {
	o, ev := newOutcome()
	b, leg, d := answeredCall(t, ev, o)
	for _, c := range []struct {
		kind, body string
		code       int
	}{
		{"application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", 200},
		{"application/dtmf-relay", "signal = *\nduration=100", 200},
		{"application/dtmf", "11", 200}, // the event code of #
		{"application/dtmf", "a", 200},
		{"application/dtmf", "flash", 400},
		{"text/plain", "5", 415},
	} {
		got := make(chan int, 1)
		d.Request(sip.INFO, c.kind, []byte(c.body), func(res *sip.Response, err error) {
			if err == nil {
				got <- res.StatusCode
			}
		})
		if code := next(t, "answer to INFO", got); code != c.code {
			t.Errorf("%q: %d, want %d", c.body, code, c.code)
		}
	}
	testkit.Eventually(t, time.Second, "four keys", func() bool { return count[core.LegDigit](b) == 4 })
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pressed != "5*#A" {
		t.Errorf("media was told of %q", b.pressed)
	}
	for _, ev := range b.events {
		if digit, ok := ev.(core.LegDigit); ok && digit.Leg != leg {
			t.Errorf("a key of %s", digit.Leg)
		}
	}
}

// A far end that takes no telephone-events but INFO gets keys that way.
func TestKeysToWhoWantsInfo(t *testing.T) {
	for _, events := range []bool{false, true} {
		o, ev := newOutcome()
		info := make(chan string, 4)
		ev.Dialog.Info = func(_ *sip.Dialog, req *sip.Request) int {
			info <- sip.HeaderValue(req, "Content-Type") + " " + string(req.Body())
			return 200
		}
		carrier := newPeer(t, "127.0.0.3", nil)
		b := newBench(t, carrier.at)
		offer := offerSDP
		if !events {
			offer = strings.Replace(strings.Replace(offer, " 101\r\n", "\r\n", 1), "a=rtpmap:101 telephone-event/8000\r\n", "", 1)
		}
		carrier.stack.Invite(sip.InviteRequest{
			RequestURI: uri("12995558888", b.at), From: sip.Address{URI: uri("+12995550100", carrier.at)}, To: sip.Address{URI: uri("12995558888", b.at)},
			ContactUser: "caller", Target: sip.Target{Addr: b.at.String()}, Body: []byte(offer),
		}, ev)
		leg := wait(b, anyOf[core.Offered]).Leg
		b.do(core.Answer{LegRef: core.LegRef{Leg: leg, Edge: core.EdgeSIP}})
		next(t, "200", o.answered)
		wait(b, anyOf[core.LegUp])
		p, _ := b.path(leg)
		taker, ok := p.(interface{ SendKey(byte) bool })
		if !ok {
			t.Fatal("the path takes no keys")
		}
		if sent := taker.SendKey('7'); sent == events {
			t.Errorf("telephone-events %v: sent by INFO %v", events, sent)
		}
		if !events {
			if got := next(t, "INFO", info); !strings.HasPrefix(got, "application/dtmf-relay Signal=7\r\n") {
				t.Errorf("INFO %q", got)
			}
		}
	}
}

// A trunk's dtmf says what is agreed on, what is listened for and how keys go out.
func TestKeysAsTheTrunkSays(t *testing.T) {
	for _, c := range []struct {
		dtmf            route.DTMF
		events          bool // telephone-events are agreed on
		heard, toneless bool // INFO counts; tones in the voice do not
		info            bool // keys go out by INFO
	}{
		{route.DTMFAuto, true, true, false, false},
		{route.DTMFEvents, true, false, true, false},
		{route.DTMFInfo, false, true, true, true},
		{route.DTMFInVoice, false, false, false, false},
	} {
		t.Run("dtmf "+string(c.dtmf), func(t *testing.T) {
			o, ev := newOutcome()
			info := make(chan string, 4)
			ev.Dialog.Info = func(_ *sip.Dialog, req *sip.Request) int { info <- string(req.Body()); return 200 }
			carrier := newPeer(t, "127.0.0.3", nil)
			b := newBench(t, carrier.at)
			b.edge.SetTrunks([]Trunk{{Trunk: route.Trunk{Name: "carrier", URI: "sip:" + carrier.at.String(), DTMF: c.dtmf}}})
			carrier.invite(b, "12995558888", nil, ev)
			leg := wait(b, anyOf[core.Offered]).Leg
			b.do(core.Answer{LegRef: core.LegRef{Leg: leg, Edge: core.EdgeSIP}})
			d := next(t, "200", o.answered)
			wait(b, anyOf[core.LegUp])
			path, _ := b.path(leg)
			if f := path.Format(); (f.SendDTMF != 0) != c.events || f.NoTones != c.toneless {
				t.Errorf("agreed on %+v", f)
			}
			taker, ok := path.(interface{ SendKey(byte) bool })
			if !ok || taker.SendKey('7') != c.info {
				t.Errorf("keys go out by INFO: %v, want %v", !c.info, c.info)
			}
			if c.info {
				if got := next(t, "INFO", info); !strings.HasPrefix(got, "Signal=7") {
					t.Errorf("INFO %q", got)
				}
			}
			answered := make(chan int, 1)
			d.Request(sip.INFO, "application/dtmf-relay", []byte("Signal=5\r\n"), func(res *sip.Response, _ error) { answered <- res.StatusCode })
			if code := next(t, "answer to INFO", answered); code != 200 {
				t.Errorf("INFO: %d", code)
			}
			if n := count[core.LegDigit](b); (n == 1) != c.heard {
				t.Errorf("%d keys heard, want them: %v", n, c.heard)
			}
		})
	}
}
