//go:build e2e

package e2e

import (
	"net/netip"
	"testing"

	"github.com/offhook/offhook/test/e2e/harness"
)

// TestKeysByInfoReachAPhone lets a carrier send keys by SIP INFO; a desk phone gets
// them as telephone-events, each once and in order, and hears on.
func TestKeysByInfoReachAPhone(t *testing.T) {
	o, _ := newExchange(t)
	udp := o.deskPhone(t, "desk", "purple-monkey", "udp", "PCMU", deskHz)
	o.AwaitMetric("offhook_contacts", 1, soon)
	const number, keys = "12995550300", "5#*0"
	steps := []string{harness.CallerInvite(number, officeNumber), connected}
	for i, key := range []byte(keys) {
		steps = append(steps, harness.CallerInfo(2+i, key))
	}
	caller := o.sipp(t, "sipp-caller", harness.Scenario(append(steps, hungUp)...), netip.MustParseAddrPort("127.0.0.2:0"), o.SIP)
	udp.AwaitRing(t, number)
	udp.Answer()
	for _, key := range keys {
		if ev := udp.Await("CALL_DTMF_START", soon); ev.Param != string(key) {
			t.Errorf("the desk phone received %q, want %q", ev.Param, key)
		}
	}
	udp.AwaitTone(t, deskHz) // sipp sends back what it hears
	udp.HangUp()
	harness.WantSuccess(t, caller, soon)
	udp.AwaitEnd(t)
}

// TestKeysOfAPhoneReachAnother lets a desk phone press keys: another one gets them.
func TestKeysOfAPhoneReachAnother(t *testing.T) {
	for _, codec := range []string{"PCMU", "opus"} {
		o, _ := newExchange(t)
		a := o.deskPhone(t, "desk", "purple-monkey", "udp", "PCMU", deskHz)
		b := o.deskPhone(t, "desk2", "dishwasher-two", "udp", codec, desk2Hz)
		o.AwaitMetric("offhook_contacts", 2, soon)
		a.Dial("desk2")
		b.AwaitRing(t, "desk")
		b.Answer()
		talk(t, a, b)
		a.Digits("7")
		if ev := b.Await("CALL_DTMF_START", soon); ev.Param != "7" {
			t.Errorf("%s: received %q", codec, ev.Param)
		}
		a.HangUp()
		b.AwaitEnd(t)
	}
}
