//go:build e2e

package e2e

import "testing"

// dialer is a party that can call.
type dialer interface {
	party
	Dial(to string)
}

// TestPhonesCallEachOther calls from a browser and a desk phone; each side in
// turn hangs up.
func TestPhonesCallEachOther(t *testing.T) {
	o := newOffice(t)
	sales := o.logIn("sales", "correct horse", salesHz)
	support := o.logIn("support", "battery staple", supportHz)
	udp := o.deskPhone(t, "desk", "purple-monkey", "udp", "PCMU", deskHz)
	o.AwaitMetric("offhook_contacts", 3, soon)

	for _, c := range []struct {
		name   string
		caller dialer
		to     string
		callee callee
		shows  string // what the callee sees of the caller
	}{
		{"browser calls a mobile over the trunk", sales, "+1 299 555 0199", o.mobile, salesNumber},
		{"browser calls a browser", sales, "support", support, "sales"},
		{"desk phone calls a browser", udp, "sales", sales, "desk"},
	} {
		for _, byCallee := range []bool{false, true} {
			name, ends, other := c.name+", caller hangs up", party(c.caller), party(c.callee)
			if byCallee {
				name, ends, other = c.name+", callee hangs up", other, ends
			}
			t.Run(name, func(t *testing.T) {
				c.caller.Dial(c.to)
				c.callee.AwaitRing(t, c.shows)
				c.callee.Answer()
				talk(t, c.caller, c.callee)
				ends.HangUp()
				other.AwaitEnd(t)
				ends.AwaitEnd(t)
				o.wantIdle(t, 3)
			})
		}
	}
	if got := o.mobile.to; got != mobileNumber {
		t.Errorf("the trunk was asked for %q, want %q", got, mobileNumber)
	}
}

// TestSoftphoneInACall uses what the page offers in a call.
func TestSoftphoneInACall(t *testing.T) {
	o := newOffice(t)
	page := o.logIn("sales", "correct horse", salesHz)
	caller := o.line(t, "caller").Dial(t, salesNumber)

	page.AwaitRing(t, caller.number)
	page.Screenshot("incoming")
	page.Answer()
	talk(t, caller, page)
	page.awaitTimer(t)
	page.Screenshot("call")

	page.Click("[data-testid=mute]")
	page.WaitVisible("[data-testid=mute][aria-pressed=true]")
	caller.AwaitSilence(t, salesHz)
	page.AwaitTone(t, callerHz)     // who is mute hears on
	caller.AwaitSilence(t, salesHz) // and is not heard again
	page.Click("[data-testid=mute]")
	page.WaitVisible("[data-testid=mute][aria-pressed=false]")
	caller.AwaitTone(t, salesHz)

	page.Click("[data-testid=keypad-toggle]")
	for _, key := range []struct{ id, digit string }{{"5", "5"}, {"9", "9"}, {"hash", "#"}} {
		page.Click("[data-testid=keypad-" + key.id + "]")
		caller.AwaitDigit(t, key.digit) // a key that came twice shows as the wrong next one
	}

	page.HangUp()
	caller.AwaitEnd(t)
	page.AwaitEnd(t)
	o.wantIdle(t, 1)
}
