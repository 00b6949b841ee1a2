//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestSilentLegs connects parties that send no RTP: whoever is not heard is named
// with the reason, and a conversation in which nobody is heard ends.
func TestSilentLegs(t *testing.T) {
	t.Parallel()
	const ip = "127.0.0.1"
	trunk := netip.AddrPortFrom(netip.MustParseAddr(ip), testkit.FreePort(t, ip))
	h := newHouse(t, "", fmt.Sprintf("  limits: {silence: 10s}\n  trunks: [{name: carrier, uri: \"sip:%v\", accept_from: [127.0.0.32/27]}]\n", trunk), nil,
		fmt.Sprintf(`endpoints: [{phone: "%s"}]`, beyondTrunk))
	scenario := harness.Scenario(rings, harness.CalleeReply(200, "OK"), `<recv request="ACK"/>`, hungUp)

	t.Run("one side", func(t *testing.T) {
		mute := harness.NewSipp(t, "sipp-mute", scenario, ip, int(trunk.Port()), "-m", "1")
		call := h.dialIn(t, number(0))
		call.Await(phone.Answered, 10*time.Second)
		testkit.Eventually(t, 20*time.Second, "the callee's silence is in its record", func() bool { return h.silent("no_rtp") == 1 })
		time.Sleep(6 * time.Second) // longer than both may be silent: one speaks
		call.call.HangUp()
		harness.WantSuccess(t, mute, 30*time.Second)
		for _, l := range h.AwaitLegs(t, soon) {
			if l.Cause != int(core.CauseNormal) || l.Direction == "inbound" && l.Silence != "" {
				t.Errorf("%+v", l)
			}
		}
	})
	t.Run("both sides", func(t *testing.T) {
		callee := harness.NewSipp(t, "sipp-callee", scenario, ip, int(trunk.Port()), "-m", "1")
		caller := harness.NewSipp(t, "sipp-caller", harness.Scenario(harness.CallerInvite("12025550100", number(0)), connected, hungUp),
			"127.0.0.33", 0, "-m", "1", h.SIP)
		harness.WantSuccess(t, caller, 40*time.Second)
		harness.WantSuccess(t, callee, 30*time.Second)
		ended := 0
		for _, l := range h.AwaitLegs(t, soon) {
			if l.Cause == int(core.CauseRecoveryOnTimer) && l.Reason == "no_media" && l.Silence == "no_rtp" {
				ended++
			}
		}
		if ended != 2 {
			t.Errorf("%d legs ended for their silence, want 2: %+v", ended, h.Legs())
		}
	})
}

// silent returns how many legs have a silence in their record.
func (h *house) silent(why string) (n int) {
	for _, l := range h.Legs() {
		if l.Silence == why {
			n++
		}
	}
	return n
}
