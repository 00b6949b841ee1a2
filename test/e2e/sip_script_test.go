//go:build e2e

package e2e

import (
	"encoding/xml"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// The tests TestWire* show one rule of SIP each, against a SIPp that is the far end
// of a trunk and says word by word what a carrier would. The other party is a phone
// of the test.

// wired is an exchange with a desk phone and a trunk whose far end is scripted.
type wired struct {
	*harness.Offhook
	trunk netip.AddrPort
}

const (
	wiredNumber  = "12995558888" // rings the desk
	wiredOutside = "12125550100" // goes out by the trunk
	wiredCaller  = "12995550199"
)

const wiredResources = `resources:
  users: [{name: desk, password: "purple-monkey", number: "12995550001"}]
  trunks: [{name: carrier, uri: "sip:%[1]s", accept_from: [%[2]s/32]%[3]s}]
  groups: [{name: desks, ring_timeout: 30s, caller_hears: us, endpoints: [{user: desk}]}]
  numbers: [{number: "` + wiredNumber + `", group: desks}]
`

// newWired starts the exchange; rules are further fields of the trunk, as "register: true".
func newWired(t *testing.T, rules string) *wired {
	t.Helper()
	at := sippAt(t)
	if rules != "" {
		rules = ", " + rules
	}
	return &wired{Offhook: harness.NewOffhook(t, fmt.Sprintf(wiredResources, at, at.Addr(), rules)), trunk: at}
}

// desk is the phone that answers and calls.
func (w *wired) desk(t *testing.T) *harness.Phone {
	t.Helper()
	return harness.NewUser(t, w.Offhook, "desk", "purple-monkey", phone.Config{AutoAnswer: true, AnswerAfter: 300 * time.Millisecond})
}

// calls runs a script that calls; receives one that is called.
func (w *wired) calls(t *testing.T, s *script) *harness.Process {
	t.Helper()
	return harness.NewSipp(t, "caller", harness.Scenario(s.steps...), w.trunk.Addr().String(), 0, "-m", "1", "-timeout", "100s", w.SIP)
}

func (w *wired) receives(t *testing.T, s *script) *harness.Process {
	t.Helper()
	return harness.NewSipp(t, "callee", harness.Scenario(s.steps...), w.trunk.Addr().String(), int(w.trunk.Port()), "-m", "1", "-timeout", "100s")
}

// dialOut lets the desk call the outside, and hangs up what was answered.
func (w *wired) dialOut(t *testing.T, desk *harness.Phone, callee *harness.Process) {
	t.Helper()
	call, err := desk.Dial("+"+wiredOutside, phone.DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	desk.Await(phone.Answered, soon)
	time.Sleep(300 * time.Millisecond) // so that nothing crosses the BYE
	call.HangUp()
	harness.WantSuccess(t, callee, soon)
	w.AwaitMetric("offhook_legs", 0, soon)
}

// script is a SIPp scenario in the making.
type script struct {
	steps []string
	vars  int
}

// send adds a message.
func (s *script) send(message string) {
	s.steps = append(s.steps, "<send><![CDATA[\n\n"+message+"\n]]></send>")
}

// pause adds a pause in milliseconds.
func (s *script) pause(ms int) {
	s.steps = append(s.steps, fmt.Sprintf(`<pause milliseconds="%d"/>`, ms))
}

// want adds a message to receive, as `response="200"`, with checks such as
// "Session-Expires: 90;refresher=ua[cs]" or "body: m=audio 0 ", which are regular
// expressions, and "keep Header: name" to have its value as [$name] later.
func (s *script) want(what string, checks ...string) {
	if len(checks) == 0 {
		s.steps = append(s.steps, "<recv "+what+"/>")
		return
	}
	var actions, names []string
	for _, c := range checks {
		keep, isKeep := strings.CutPrefix(c, "keep ")
		header, re, _ := strings.Cut(keep, ": ")
		s.vars++
		name := fmt.Sprintf("v%d", s.vars)
		if isKeep {
			name, re = re, ".*"
		}
		where := `search_in="hdr" header="` + header + `:"`
		if header == "body" {
			where = `search_in="body"`
		}
		actions = append(actions, fmt.Sprintf(`<ereg regexp="%s" %s check_it="true" assign_to="%s"/>`, escaped(re), where, name))
		names = append(names, name)
	}
	s.steps = append(s.steps, "<recv "+what+"><action>\n"+strings.Join(actions, "\n")+"\n</action></recv>\n"+
		`<Reference variables="`+strings.Join(names, ",")+`"/>`)
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}

// scriptedSDP is a description with that connection address, port and direction.
func scriptedSDP(conn, port, direction string) string {
	return fmt.Sprintf(`v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 %s
t=0 0
m=audio %s RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=%s
`, conn, port, direction)
}

// talking is what a party that is not on hold says.
func talking() string { return scriptedSDP("[media_ip]", "[media_port]", "sendrecv") }

// withSDP ends a message that carries body, or none.
func withSDP(body string) string {
	if body == "" {
		return "Content-Length: 0\n"
	}
	return "Content-Type: application/sdp\nContent-Length: [len]\n\n" + body
}

// lines are header lines, each with its end.
func lines(headers ...string) string {
	if len(headers) == 0 {
		return ""
	}
	return strings.Join(headers, "\n") + "\n"
}

// first is the INVITE of a caller.
func first(body string, headers ...string) string {
	return `INVITE sip:+` + wiredNumber + `@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+` + wiredCaller + `@[local_ip]>;tag=[pid]C[call_number]
To: <sip:+` + wiredNumber + `@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:carrier@[local_ip]:[local_port]>
Max-Forwards: 70
` + lines(headers...) + withSDP(body)
}

// then is a request of the caller in the dialog.
func then(method string, cseq int, body string, headers ...string) string {
	return fmt.Sprintf(`%[1]s [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:+%[3]s@[local_ip]>;tag=[pid]C[call_number]
To: <sip:+%[4]s@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: %[2]d %[1]s
Contact: <sip:carrier@[local_ip]:[local_port]>
Max-Forwards: 70
`, method, cseq, wiredCaller, wiredNumber) + lines(headers...) + withSDP(body)
}

// replied is a response to the request that came last; tag ";tag=x" makes the dialog.
func replied(status, tag, body string, headers ...string) string {
	return `SIP/2.0 ` + status + `
[last_Via:]
[last_From:]
[last_To:]` + tag + `
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:callee@[local_ip]:[local_port]>
` + lines(headers...) + withSDP(body)
}

// repliedKept is a response to an INVITE whose Via and CSeq were kept, after another request.
func repliedKept(status, to, body string, headers ...string) string {
	return `SIP/2.0 ` + status + `
Via:[$via]
[last_From:]
` + to + `
[last_Call-ID:]
CSeq:[$cseq]
Contact: <sip:callee@[local_ip]:[local_port]>
` + lines(headers...) + withSDP(body)
}

const toTag = ";tag=[pid]S[call_number]"

// keepInvite are the checks that let repliedKept work.
var keepInvite = []string{"keep Via: via", "keep CSeq: cseq"}

// trying takes the 100 that may come.
func (s *script) trying() { s.want(`response="100" optional="true"`) }

// hangUp ends a caller's script.
func (s *script) hangUp(cseq int) {
	s.pause(200)
	s.send(then("BYE", cseq, ""))
	s.want(`response="200"`)
}

// hungUp ends a script whose other side hangs up.
func (s *script) hungUp() {
	s.want(`request="BYE"`)
	s.send(replied("200 OK", "", ""))
}

// wantCall runs a caller's script to its end, with the desk phone answering.
func wantCall(t *testing.T, w *wired, s *script) *harness.Phone {
	t.Helper()
	desk := w.desk(t)
	harness.WantSuccess(t, w.calls(t, s), 100*time.Second)
	w.AwaitMetric("offhook_legs", 0, soon)
	return desk
}
