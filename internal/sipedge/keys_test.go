package sipedge

import (
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
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
	b.edge.Do(core.Answer{LegRef: core.LegRef{Leg: leg, Edge: core.EdgeSIP}})
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
		b.edge.Do(core.Answer{LegRef: core.LegRef{Leg: leg, Edge: core.EdgeSIP}})
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
