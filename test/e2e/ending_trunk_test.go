//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// beyondTrunk is reached over the trunk only.
const beyondTrunk = "12995550111"

// TestTrunkIsDead calls groups with a mobile behind a trunk that does not work:
// the call goes on with the others, and ends with the proper code.
func TestTrunkIsDead(t *testing.T) {
	for _, c := range []struct {
		name string
		uri  func(*testing.T) string
		// What a call over the trunk alone ends with, once the ring time-out of
		// 30 s is over where nothing at all comes back.
		code  int
		cause core.Cause
	}{
		{"NobodyAnswers", blackHole, 408, core.CauseNoResponse},
		{"NobodyListensUDP", closedUDP, 408, core.CauseNoResponse},
		{"NobodyListensTCP", func(t *testing.T) string { return closedUDP(t) + ";transport=tcp" }, 503, core.CauseTempFailure},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			trunk := fmt.Sprintf("  trunks: [{name: dead, uri: %q, accept_from: [127.0.0.32/27]}]\n", c.uri(t))
			group := fmt.Sprintf(`ring_timeout: 3s, endpoints: [{phone: "%s"}, {user: ann}]`, beyondTrunk)
			h := newHouse(t, "", trunk, []string{"ann", "bob"}, group)
			sockets := h.UDPSockets()
			alone := dial(t, h.user(t, "bob", phone.Config{}), beyondTrunk, phone.DialOptions{})
			h.deskAnswers(t)
			h.nobodyAnswers(t)
			alone.Await(phone.Early, 40*time.Second) // the announcement begins
			alone.wantRefused(c.code, c.cause, core.PromptUnreachable)
			// A leg whose INVITE met nothing at all ends 32 s after it was given up.
			h.AwaitMetric("offhook_legs", 0, 60*time.Second)
			h.AwaitLegs(t, 10*time.Second)
			testkit.Eventually(t, 10*time.Second, "all media ports are closed", func() bool { return h.UDPSockets() <= sockets })
		})
	}
}

// deskAnswers is a call that the desk phone takes while the trunk is silent.
func (h *house) deskAnswers(t *testing.T) {
	t.Helper()
	ann := h.user(t, "ann", phone.Config{Say: says(600)})
	call := h.dialIn(t, number(0))
	ring(ann).Answer()
	call.Await(phone.Answered, 10*time.Second)
	testkit.Eventually(t, 10*time.Second, "the caller hears ann", func() bool {
		return harness.HasTone(call.call.Heard(2*time.Second), phone.Rate, 600, time.Second)
	})
	call.call.HangUp()
	ann.Await(phone.Ended, 10*time.Second)
	ann.Close()
}

// nobodyAnswers is a call that the desk phone declines and the mobile cannot
// take. The caller is told at the ring time-out, or as soon as both are gone.
func (h *house) nobodyAnswers(t *testing.T) {
	t.Helper()
	ann := h.user(t, "ann", phone.Config{})
	call := h.dialIn(t, number(0))
	ring(ann).Decline(603)
	call.wantRefused(480, core.CauseNoAnswer, core.PromptNoAnswer)
	ann.Close()
}

// blackHole takes everything and answers nothing.
func blackHole(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.3:0")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return "sip:" + conn.LocalAddr().String()
}

// closedUDP is where nobody listens: the kernel refuses what is sent there.
func closedUDP(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("sip:127.0.0.3:%d", testkit.FreePort(t, "127.0.0.3"))
}
