package sipedge

import (
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// passedOn is the INVITE that carrier gets for one of its own with these headers.
func goesOnAs(t *testing.T, hops uint32, headers ...sip.Header) (*bench, *peer) {
	t.Helper()
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	_, ev := newOutcome()
	carrier.stack.Invite(sip.InviteRequest{
		RequestURI: uri("12995558888", b.at), From: sip.Address{URI: uri("+12995550100", carrier.at)},
		To: sip.Address{URI: uri("12995558888", b.at)}, ContactUser: "caller", Body: []byte(offerSDP),
		Headers: headers, MaxForwards: hops,
	}, ev)
	caller := core.LegRef{Leg: wait(b, anyOf[core.Offered]).Leg, Edge: core.EdgeSIP}
	b.do(core.Ring{
		LegRef: core.LegRef{Leg: "out", Edge: core.EdgeSIP}, Call: "c", Caller: caller,
		Target: core.Target{Trunk: "carrier", Number: "12995551111"},
	})
	return b, carrier
}

func TestPrivateHeadersGoOnWithTheirSpelling(t *testing.T) {
	_, carrier := goesOnAs(t, 0,
		sip.NewHeader("X-ACCOUNT-iD", "42; a=\"b\""), sip.NewHeader("User-to-user", "56a390;encoding=hex"),
		sip.NewHeader("x-account-id", "43"), sip.NewHeader("P-Charge-Info", "<sip:pay@example.com>"),
		sip.NewHeader("X-Long", strings.Repeat("x", maxCarriedBytes)),
	)
	var got []string
	for _, h := range next(t, "INVITE", carrier.calls).in.Request().Headers() {
		if goesOn(h.Name()) || strings.HasPrefix(h.Name(), "P-Charge") {
			got = append(got, h.Name()+": "+h.Value())
		}
	}
	want := []string{`X-ACCOUNT-iD: 42; a="b"`, "User-to-user: 56a390;encoding=hex", "x-account-id: 43"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("carried %q, want %q", got, want)
	}
}

func TestHopsAreCountedDown(t *testing.T) {
	_, carrier := goesOnAs(t, 12)
	if mf := next(t, "INVITE", carrier.calls).in.Request().MaxForwards(); mf == nil || mf.Val() != 11 {
		t.Errorf("Max-Forwards %v, want 11", mf)
	}
}

func TestLastHopCallsNobody(t *testing.T) {
	b, carrier := goesOnAs(t, 1)
	if gone := wait(b, anyOf[core.LegGone]); gone.Leg != "out" || gone.Code != 483 {
		t.Errorf("gone with %+v", gone)
	}
	if len(carrier.calls) != 0 {
		t.Error("an INVITE left us")
	}
}
