//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestTrunksOfSipp has SIPp behind three trunks, and baresip call: the first
// refuses with 503, the second takes the call and sends back what it hears. The
// third answers one OPTIONS and is gone.
func TestTrunksOfSipp(t *testing.T) {
	t.Parallel()
	first, second, third := sippAt(t), sippAt(t), sippAt(t)
	h := newHouse(t, "", fmt.Sprintf(`  trunks:
    - {name: first, uri: "sip:%s", prefixes: ["1212"]}
    - {name: second, uri: "sip:%s", prefixes: ["1212"], priority: 1}
    - {name: third, uri: "sip:%s", prefixes: ["999"], probe: 5s}
`, first, second, third), []string{"desk"})
	began := time.Now()
	asked := harness.NewSipp(t, "third", harness.Scenario(
		`<recv request="OPTIONS"><action>
<ereg regexp="application/sdp" search_in="hdr" header="Accept:" check_it="true" assign_to="accept"/>
</action></recv>
<Reference variables="accept"/>`, reply("200 OK", "[last_CSeq:]", ""),
	), third.Addr().String(), int(third.Port()), "-m", "1")

	refusing := harness.NewSipp(t, "first", harness.Scenario(
		`<recv request="INVITE"/>`, reply("503 Service Unavailable", "[last_CSeq:]", "Retry-After: 10\nContent-Length: 0\n\n"), `<recv request="ACK"/>`,
	), first.Addr().String(), int(first.Port()), "-m", "1")
	media := fmt.Sprint(testkit.FreePort(t, second.Addr().String()))
	taking := harness.NewSipp(t, "second", harness.Scenario(
		rings, harness.CalleeReply(200, "OK"), `<recv request="ACK"/>`, hungUp,
	), second.Addr().String(), int(second.Port()), "-m", "1", "-rtp_echo", "-mp", media)
	desk := harness.NewBaresip(t, harness.BaresipConfig{User: "desk", Password: password("desk"), Server: h.SIP, Tone: deskHz})
	desk.Dial("sip:+12125550100@" + h.SIP)
	desk.Await("CALL_ESTABLISHED", soon)
	desk.AwaitTone(deskHz, soon)
	desk.HangUp()
	harness.WantSuccess(t, refusing, soon)
	harness.WantSuccess(t, taking, soon)

	harness.WantSuccess(t, asked, soon)
	h.AwaitMetric(`offhook_trunk_up{trunk="third"}`, 0, 30*time.Second)
	t.Logf("a trunk that answered OPTIONS once was out %v after the start", time.Since(began).Round(time.Second))
	h.AwaitMetric("offhook_legs", 0, soon)
	h.AwaitLegs(t, soon)
}

// sippAt returns a free address for a trunk's far end.
func sippAt(t *testing.T) netip.AddrPort {
	t.Helper()
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.4"), testkit.FreePort(t, "127.0.0.4"))
}
