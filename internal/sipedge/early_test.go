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
	b.do(core.Progress{LegRef: ref, Early: true})
	if res := next(t, "183", o.provisional); res.StatusCode != 183 || !containsLine(string(res.Body()), "a=sendrecv") {
		t.Fatalf("progress is %d:\n%s", res.StatusCode, res.Body())
	}
	b.do(core.Answer{LegRef: ref})
	next(t, "200", o.answered)
	wait(b, anyOf[core.LegUp])
	if path, ok := b.path(ref.Leg); !ok || path.Format().Codec == 0 {
		t.Error("no media after the PRACK")
	}
}

// A far end without UPDATE is asked for a sign of life by re-INVITE, and its
// answer is read: it may have moved meanwhile.
func TestRefreshByReinviteIsAnOfferOfWhatIsInUse(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	offers := make(chan *sip.Offer, 1)
	o, ev := newOutcome()
	ev.Dialog.Reinvite = func(_ *sip.Dialog, o *sip.Offer) { offers <- o }
	carrier.invite(b, "12995558888", nil, ev)
	leg := wait(b, anyOf[core.Offered]).Leg
	b.do(core.Answer{LegRef: core.LegRef{Leg: leg, Edge: core.EdgeSIP}})
	next(t, "200", o.answered)
	l := b.edge.leg(leg)
	l.strand.post(l.refresh)
	offer := next(t, "re-INVITE", offers)
	if body := string(offer.Request().Body()); !containsLine(body, "a=rtpmap:0 PCMU/8000") || !containsLine(body, "a=sendrecv") {
		t.Errorf("offered\n%s", body)
	}
	offer.Accept([]byte(replaceLine(offerSDP, "a=sendrecv", "a=inactive")), nil)
	wait(b, func(e core.LegHeld) bool { return e.Held })
}
