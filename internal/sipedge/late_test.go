package sipedge

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// foreignSDP offers nothing that we speak.
const foreignSDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 127.0.0.3\r\nt=0 0\r\n" +
	"m=video 30002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\nm=audio 30000 RTP/AVP 18\r\n"

// lateCarrier is a bench whose trunk makes the offers.
func lateCarrier(t *testing.T, carrier *peer) *bench {
	t.Helper()
	b := newBench(t, carrier.at)
	b.edge.SetTrunks([]Trunk{{Trunk: route.Trunk{
		Name: "carrier", URI: "sip:" + carrier.at.String(), AcceptFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.3/32")}, LateOffer: true,
	}}})
	return b
}

// The offer of a 2xx to an INVITE without one is answered in the ACK, also when there
// is nothing in it for us: then BYE follows (RFC 6337 section 3.1.1).
func TestLateOfferIsAnsweredInTheACK(t *testing.T) {
	for _, c := range []struct {
		name, offer string
		want        []string // lines of the answer, none if there is none
		up          bool
	}{
		{"audio", offerSDP, []string{"m=audio", "a=sendrecv"}, true},
		{"nothing for us", foreignSDP, []string{"m=video 0 RTP/AVP 96", "m=audio 0 RTP/AVP 18"}, false},
		{"no description", "", nil, false},
		{"noise", "hello", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			carrier := newPeer(t, "127.0.0.3", func(in *call) {
				if n := len(in.in.Request().Body()); n > 0 {
					t.Errorf("the INVITE has a body of %d bytes", n)
				}
				var body []byte
				if c.offer != "" {
					body = []byte(c.offer)
				}
				in.in.Answer(body)
			})
			b := lateCarrier(t, carrier)
			ref := ring(b, "l1")
			in := next(t, "INVITE", carrier.calls)
			answer := string(next(t, "ACK", in.acked).Body())
			for _, line := range c.want {
				if !strings.Contains(answer, line) {
					t.Errorf("answered without %q:\n%s", line, answer)
				}
			}
			if c.want == nil && answer != "" {
				t.Errorf("answered %q", answer)
			}
			if !c.up {
				if r := next(t, "BYE", in.bye); len(r) != 1 || r[0].Cause != int(core.CauseIncompatible) {
					t.Errorf("BYE with reasons %v", r)
				}
				wait(b, func(e core.LegGone) bool { return e.Cause == core.CauseIncompatible })
				return
			}
			wait(b, anyOf[core.LegUp])
			b.do(core.End{LegRef: ref, Cause: core.CauseNormal})
			next(t, "BYE", in.bye)
		})
	}
}

// What the callee says in an unreliable 183 is no offer yet; in a reliable one it is,
// and one that we cannot use ends the call.
func TestLateOfferInAReliable183(t *testing.T) {
	call := func(offer string) (*call, *bench) {
		t.Helper()
		carrier := newPeer(t, "127.0.0.3", func(in *call) { in.in.Ring(183, []byte(offer)) })
		b := lateCarrier(t, carrier)
		ring(b, "l1")
		return next(t, "INVITE", carrier.calls), b
	}
	t.Run("early media", func(t *testing.T) {
		in, b := call(offerSDP)
		if body := string(next(t, "PRACK", in.pracked).Body()); !containsLine(body, "a=sendrecv") {
			t.Errorf("answered\n%s", body)
		}
		wait(b, anyOf[core.LegEarly])
		in.in.Answer(nil)
		wait(b, anyOf[core.LegUp])
	})
	t.Run("nothing for us", func(t *testing.T) {
		in, b := call(foreignSDP)
		if r := next(t, "CANCEL", in.cancelled); len(r) != 1 || r[0].Cause != int(core.CauseIncompatible) {
			t.Errorf("CANCEL with reasons %v", r)
		}
		wait(b, func(e core.LegGone) bool { return e.Cause == core.CauseIncompatible })
	})
}
