//go:build e2e

package e2e

import (
	"net/netip"
	"strconv"
	"testing"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestSippIsTheCarrier puts SIPp behind the trunk, a stack that shares no code
// with ours: as the mobile that loses, as the caller, as the mobile that answers.
// It cannot judge sound but sends back what it hears, so who talks to it hears
// itself exactly if audio flows both ways.
func TestSippIsTheCarrier(t *testing.T) {
	o, trunk := newExchange(t)
	udp := o.deskPhone(t, "desk", "purple-monkey", "udp", "PCMU", deskHz)
	o.AwaitMetric("offhook_contacts", 1, soon)

	t.Run("caller and losing mobile", func(t *testing.T) {
		loser := o.sipp(t, "sipp-mobile", harness.Scenario(rings, cancelledElsewhere), trunk)
		const number = "12995550300"
		caller := o.sipp(t, "sipp-caller", harness.Scenario(
			harness.CallerInvite(number, officeNumber), connected, hungUp,
		), netip.MustParseAddrPort("127.0.0.2:0"), o.SIP)
		udp.AwaitRing(t, number)
		udp.Answer()
		udp.AwaitTone(t, deskHz)
		harness.WantSuccess(t, loser, soon)
		udp.HangUp()
		harness.WantSuccess(t, caller, soon)
		udp.AwaitEnd(t)
		o.wantIdle(t, 1)
	})
	t.Run("mobile that answers", func(t *testing.T) {
		winner := o.sipp(t, "sipp-mobile", harness.Scenario(
			rings, harness.CalleeReply(200, "OK"), `<recv request="ACK"/>`, hungUp,
		), trunk)
		caller := o.line(t, "caller", media.PCMU).Dial(t, officeNumber)
		udp.AwaitRing(t, caller.number)
		caller.AwaitTone(t, callerHz)
		udp.AwaitElsewhere(t, caller.number)
		caller.WantAnswers(t)
		caller.HangUp()
		caller.AwaitEnd(t)
		harness.WantSuccess(t, winner, soon)
		o.wantIdle(t, 1)
	})
}

// sipp runs a scenario once. It sends back what it hears.
func (o *office) sipp(t *testing.T, name, scenario string, at netip.AddrPort, args ...string) *harness.Process {
	t.Helper()
	ip := at.Addr().String()
	media := strconv.Itoa(int(testkit.FreePort(t, ip)))
	args = append([]string{"-m", "1", "-rtp_echo", "-mp", media}, args...)
	return harness.NewSipp(t, name, scenario, ip, int(at.Port()), args...)
}

// rings takes an INVITE, keeps what its final response needs and sends 180.
const rings = `<recv request="INVITE"><action>
<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>
</action></recv>
<Reference variables="via,cseq"/>
<send><![CDATA[

SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=[pid]S[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:callee@[local_ip]:[local_port]>
Content-Length: 0

]]></send>`

// cancelledElsewhere takes the CANCEL of a leg that lost, whose Reason must say
// so, and ends the INVITE.
const cancelledElsewhere = `<recv request="CANCEL"><action>
<ereg regexp="SIP;cause=200;text=.Call completed elsewhere." search_in="hdr" header="Reason:" check_it="true" assign_to="reason"/>
</action></recv>
<Reference variables="reason"/>
<send><![CDATA[

SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]S[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
<send retrans="500"><![CDATA[

SIP/2.0 487 Request Terminated
Via:[$via]
[last_From:]
[last_To:];tag=[pid]S[call_number]
[last_Call-ID:]
CSeq:[$cseq]
Content-Length: 0

]]></send>
<recv request="ACK"/>`

// connected takes early media and the answer. A second answer or any other
// message fails the scenario.
const connected = `<recv response="100" optional="true"/>
<recv response="183"><action>
<ereg regexp="m=audio [0-9]+ RTP/AVP" search_in="body" check_it="true" assign_to="early"/>
</action></recv>
<Reference variables="early"/>
<recv response="200" rrs="true"/>
<send><![CDATA[

ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
[last_From:]
[last_To:]
[last_Call-ID:]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>`

// hungUp takes the BYE of the other side.
const hungUp = `<recv request="BYE"/>
<send><![CDATA[

SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>`
