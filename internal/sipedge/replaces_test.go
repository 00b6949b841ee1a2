package sipedge

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/testkit"
)

// TestReplacesOnTheWire: what becomes of an INVITE with Replaces (RFC 3891 section 3).
func TestReplacesOnTheWire(t *testing.T) {
	b := newBench(t, netip.MustParseAddrPort("127.0.0.3:9"))
	phone := newPeer(t, "127.0.0.1", nil)
	alice := &sip.Credentials{Username: "alice", Password: "secret"}
	named := func(d *sip.Dialog) string {
		return d.CallID() + ";to-tag=" + d.RemoteTag() + ";from-tag=" + d.LocalTag()
	}
	confirmed, ref := userCall(t, b, phone, nil)
	over, ended := userCall(t, b, phone, nil)
	b.do(core.End{LegRef: ended, Cause: core.CauseNormal})
	testkit.Eventually(t, 10*time.Second, "the call is over", func() bool { return b.edge.Legs() == 1 })
	o, ev := newOutcome()
	ringing := phone.invite(b, "bob", alice, ev)
	testkit.Eventually(t, 10*time.Second, "the third call is offered", func() bool { return count[core.Offered](b) == 3 })
	b.do(core.Progress{LegRef: last(b)})
	next(t, "180", o.provisional)
	theirs := ringing.CallID()
	var early string
	b.edge.mu.Lock()
	for key := range b.edge.dialogs {
		if key.callID == theirs {
			early = key.callID + ";to-tag=" + key.local + ";from-tag=" + key.remote
		}
	}
	b.edge.mu.Unlock()
	for _, tt := range []struct {
		name     string
		replaces []string
		code     int
	}{
		{"confirmed, but only an early one is meant", []string{named(confirmed) + ";early-only"}, 486},
		{"the same with blanks and capitals", []string{strings.ReplaceAll(named(confirmed), ";", " ; ") + " ;Early-Only"}, 486},
		{"early, begun by the far end", []string{early}, 481},
		{"over", []string{named(over)}, 603},
		{"another tag of theirs", []string{named(confirmed) + "x"}, 481},
		{"unknown", []string{"nobody;to-tag=a;from-tag=b"}, 481},
		{"two", []string{named(confirmed), named(confirmed)}, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var headers []sip.Header
			for _, v := range tt.replaces {
				headers = append(headers, sip.NewHeader("Replaces", v))
			}
			o, ev := newOutcome()
			phone.invite(b, "bob", alice, ev, headers...)
			if res := next(t, "refusal", o.failed); res.StatusCode != tt.code {
				t.Errorf("%d, want %d", res.StatusCode, tt.code)
			}
		})
	}
	if n := count[core.Offered](b); n != 3 {
		t.Errorf("%d calls reached the exchange, want 3", n)
	}
	_, ev = newOutcome()
	phone.invite(b, "bob", alice, ev, sip.NewHeader("Replaces", named(confirmed)))
	if got := wait(b, func(ev core.Offered) bool { return ev.Replaces != "" }); got.Replaces != ref.Leg {
		t.Errorf("replaces %q, want %q", got.Replaces, ref.Leg)
	}
}

// last is the leg that was offered last.
func last(b *bench) core.LegRef {
	var leg core.LegID
	for _, e := range b.all() {
		if offered, ok := e.(core.Offered); ok {
			leg = offered.Leg
		}
	}
	return core.LegRef{Leg: leg, Edge: core.EdgeSIP}
}
