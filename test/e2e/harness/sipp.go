//go:build e2e

package harness

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/testkit"
)

// NewSipp starts sipp with a scenario, the content of its XML file, on ip:port
// (port 0 picks one), and waits until it listens there. It is given extra arguments
// such as "-m", "1" and, for a caller, the target "host:port" as the last one. It
// ends by itself; see Process.Wait.
func NewSipp(t testing.TB, name, scenario, ip string, port int, args ...string) *Process {
	t.Helper()
	file := filepath.Join(Artifacts(t), name+".xml")
	write(t, file, scenario)
	all := []string{
		"-sf", file, "-i", ip, "-mi", ip, "-nostdin",
		"-timeout", "60s", "-timeout_error", "-trace_err", "-error_file", filepath.Join(Artifacts(t), name+"-errors.log"),
	}
	if port != 0 {
		all = append(all, "-p", fmt.Sprint(port))
	}
	p := Start(t, name, exec.CommandContext(background(), "sipp", slices.Concat(all, args)...)) //nolint:gosec // our own arguments
	if port != 0 {
		testkit.Eventually(t, 10*time.Second, name+" listens", func() bool { return bound(t, ip, port) || p.Ended() })
	}
	return p
}

// WantSuccess fails the test unless sipp ends within that time and every call of
// its went as the scenario says.
func WantSuccess(t testing.TB, sipp *Process, within time.Duration) {
	t.Helper()
	if err := sipp.Wait(within); err != nil {
		t.Errorf("%s: %v", sipp.name, err)
	}
}

// Scenario makes a sipp scenario of its steps.
func Scenario(steps ...string) string {
	return `<?xml version="1.0" encoding="ISO-8859-1" ?>` + "\n<scenario>\n" + strings.Join(steps, "\n") + "\n</scenario>\n"
}

// sdp is a session description for sipp's messages.
const sdp = `v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
`

// CallerInvite is the first step of a caller from a trunk: an INVITE with
// +E.164 identity.
func CallerInvite(from, to string) string {
	return send(`retrans="500"`, `INVITE sip:+`+to+`@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+`+from+`@[local_ip]>;tag=[pid]C[call_number]
To: <sip:+`+to+`@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:carrier@[local_ip]:[local_port]>
P-Asserted-Identity: <sip:+`+from+`@[local_ip]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

`+sdp)
}

// CallerAck acknowledges the 200 that was received last with rrs="true".
func CallerAck() string { return send("", inDialog("ACK", 1)) }

// CallerBye hangs up after CallerAck.
func CallerBye() string { return send(`retrans="500"`, inDialog("BYE", 2)) }

// CallerInfo sends INFO number n, from 2 on, of a caller after CallerAck: one key.
func CallerInfo(n int, key byte) string {
	message := strings.Replace(inDialog("INFO", n), "Content-Length: 0\n\n", "Content-Type: application/dtmf-relay\nContent-Length: [len]\n\n", 1)
	return send(`retrans="500"`, message+"Signal="+string(key)+"\nDuration=160\n") + "\n<recv response=\"200\"/>"
}

func inDialog(method string, cseq int) string {
	return fmt.Sprintf(`%[1]s [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
[last_From:]
[last_To:]
[last_Call-ID:]
CSeq: %[2]d %[1]s
Max-Forwards: 70
Content-Length: 0

`, method, cseq)
}

// CalleeReply is a response of a callee to the request received last, with SDP
// where the code calls for it.
func CalleeReply(code int, phrase string) string {
	head := fmt.Sprintf(`SIP/2.0 %d %s
[last_Via:]
[last_From:]
[last_To:];tag=[pid]S[call_number]
[last_Call-ID:]
[last_CSeq:]
`, code, phrase)
	attrs := ""
	if code >= 200 {
		attrs = `retrans="500"`
	}
	if code == 183 || code == 200 {
		return send(attrs, head+`Contact: <sip:callee@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

`+sdp)
	}
	return send(attrs, head+"Content-Length: 0\n\n")
}

func send(attrs, message string) string {
	return "<send " + attrs + "><![CDATA[\n\n" + message + "\n]]></send>"
}
