//go:build e2e

package e2e

import (
	"testing"

	"github.com/offhook/offhook/test/e2e/harness"
)

// TestFirefox lets people use Firefox: our page, and the SIP clients of other pages.
// It offers names instead of addresses, gathers nothing on loopback, sends
// telephone-events at 8000 Hz beside Opus, and has SDP of its own making.
func TestFirefox(t *testing.T) {
	o := newOffice(t)
	chromium := o.browser
	o.browser = harness.NewFirefox(t)
	sales := o.logIn("sales", "correct horse", salesHz)
	firefox := o.browser
	o.browser = chromium
	support := o.logIn("support", "battery staple", supportHz)
	desk := newExtension(t, o.Offhook, "desk", "purple-monkey", deskHz)

	t.Run("is called by a phone", func(t *testing.T) {
		caller := o.line(t, "caller").Dial(t, salesNumber)
		sales.AwaitRing(t, caller.number)
		sales.Answer()
		talk(t, caller, sales)
		if codec := sales.Codec(); codec != "audio/opus" {
			t.Errorf("the page talks %s, want Opus", codec)
		}
		sales.Click("[data-testid=mute]")
		caller.AwaitSilence(t, salesHz)
		sales.AwaitTone(t, callerHz)
		sales.Click("[data-testid=mute]")
		caller.AwaitTone(t, salesHz)
		sales.Click("[data-testid=keypad-toggle]")
		for _, key := range []struct{ id, digit string }{{"5", "5"}, {"hash", "#"}} {
			sales.Click("[data-testid=keypad-" + key.id + "]")
			caller.AwaitDigit(t, key.digit)
		}
		caller.HangUp()
		sales.AwaitEnd(t)
	})
	t.Run("calls Chromium", func(t *testing.T) {
		sales.Dial("support")
		support.AwaitRing(t, "sales")
		support.Answer()
		talk(t, sales, support)
		sales.HangUp()
		support.AwaitEnd(t)
		sales.AwaitEnd(t)
	})
	for _, library := range []string{"jssip", "sipjs"} {
		t.Run(library, func(t *testing.T) {
			w := &websip{Offhook: o.Offhook, user: "desk2", password: "dishwasher-two", desk: desk}
			w.client = openWebClient(t, firefox, o.Offhook, library, w.user, w.password, "/ws", jssipHz)
			w.isCalled(t)
			w.client.Dial("desk")
			desk.AwaitRing(t, w.user)
			desk.Answer()
			talk(t, w.client, desk)
			w.client.HangUp()
			desk.AwaitEnd(t)
			w.client.AwaitEnd(t)
			w.client.await("stop()")
		})
	}
	o.AwaitMetric("offhook_legs", 0, soon)
}
