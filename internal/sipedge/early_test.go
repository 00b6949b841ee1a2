package sipedge

import (
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// An INVITE without offer is heard early if its sender can acknowledge our offer
// in the 183: the answer is in the PRACK.
func TestOfferlessInviteIsHeardBeforeTheAnswer(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	o, ev := newOutcome()
	ev.Provisional = func(d *sip.Dialog, res *sip.Response) {
		d.Prack([]byte(offerSDP))
		o.provisional <- res
	}
	carrier.stack.Invite(sip.InviteRequest{
		RequestURI: uri("12995558888", b.at), From: sip.Address{URI: uri("+12995550100", carrier.at)},
		To: sip.Address{URI: uri("12995558888", b.at)}, ContactUser: "caller",
	}, ev)
	ref := core.LegRef{Leg: wait(b, anyOf[core.Offered]).Leg, Edge: core.EdgeSIP}
	b.edge.Do(core.Progress{LegRef: ref, Early: true})
	if res := next(t, "183", o.provisional); res.StatusCode != 183 || !containsLine(string(res.Body()), "a=sendrecv") {
		t.Fatalf("progress is %d:\n%s", res.StatusCode, res.Body())
	}
	b.edge.Do(core.Answer{LegRef: ref})
	next(t, "200", o.answered)
	wait(b, anyOf[core.LegUp])
	if path, ok := b.path(ref.Leg); !ok || path.Format().Codec == 0 {
		t.Error("no media after the PRACK")
	}
}
