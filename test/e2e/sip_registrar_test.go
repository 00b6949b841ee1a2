//go:build e2e

package e2e

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// registering is a REGISTER of the desk's user behind a proxy; CSeq 2 brings the
// digest that sipp makes.
func registering(cseq, credentials string, headers ...string) string {
	return `REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:desk@offhook.local>;tag=[pid]R[call_number]
To: <sip:desk@offhook.local>
Call-ID: [call_id]
CSeq: ` + cseq + ` REGISTER
Contact: <sip:desk@192.0.2.77:5060>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>";reg-id=1;q=0.7
Expires: 300
Max-Forwards: 70
` + lines(headers...) + credentials + withSDP("")
}

// TestWirePath: a phone behind a proxy registers with Path and outbound; its calls go
// to the proxy, which gets the way on as Route (RFC 3327), and the contact verbatim.
func TestWirePath(t *testing.T) {
	t.Parallel()
	w := newWired(t, "")
	at := freeAt(t)
	path := []string{"Supported: path, outbound", "Path: <sip:edge@" + at.String() + ";lr;ob>"}
	var s script
	s.send(registering("1", "", path...))
	s.want(`response="401" auth="true"`)
	s.send(registering("2", "[authentication username=desk password=purple-monkey]\n", path...))
	s.want(`response="200"`, "Path: edge@"+at.String()+";lr;ob", "Require: outbound", "Flow-Timer: 120",
		"Contact: sip:desk@192.0.2.77:5060.*reg-id=1;q=0.7;expires=300")
	registered := harness.NewSipp(t, "proxy", harness.Scenario(s.steps...), at.Addr().String(), int(at.Port()), "-m", "1", w.SIP)
	harness.WantSuccess(t, registered, soon)
	w.AwaitMetric("offhook_contacts", 1, soon)

	var called script
	called.want(`request="INVITE"`, "Route: sip:edge@"+at.String()+";lr;ob")
	called.takes()
	proxy := harness.NewSipp(t, "proxy-called", harness.Scenario(called.steps...), at.Addr().String(), int(at.Port()), "-m", "1")
	caller := harness.NewCarrier(t, w.Offhook, sippAt(t), phone.Config{})
	call, err := caller.Dial("+"+wiredNumber, phone.DialOptions{From: phone.Party{Number: "+" + wiredCaller}})
	if err != nil {
		t.Fatal(err)
	}
	caller.Await(phone.Answered, soon)
	time.Sleep(200 * time.Millisecond) // so that nothing crosses the BYE
	call.HangUp()
	harness.WantSuccess(t, proxy, soon)
}

// TestWireLowerQRingsLater: one REGISTER brings two phones, which are where their
// Contacts say. The one with the lower q rings when the other has refused (RFC 3261
// section 16.6).
func TestWireLowerQRingsLater(t *testing.T) {
	t.Parallel()
	w := newWired(t, "")
	from, first, second := freeAt(t), freeAt(t), freeAt(t)
	contacts := "Contact: <sip:desk@" + second.String() + ">;q=0.3, <sip:desk@" + first.String() + ">;q=0.8\n"
	register := func(cseq, credentials string) string {
		lines := strings.SplitAfter(registering(cseq, credentials), "\n")
		for i, line := range lines {
			if strings.HasPrefix(line, "Contact:") {
				lines[i] = contacts
			}
		}
		return strings.Join(lines, "")
	}
	var s script
	s.send(register("1", ""))
	s.want(`response="401" auth="true"`)
	s.send(register("2", "[authentication username=desk password=purple-monkey]\n"))
	s.want(`response="200"`, "Contact: sip:desk@"+first.String())
	harness.WantSuccess(t, harness.NewSipp(t, "registers", harness.Scenario(s.steps...), from.Addr().String(), int(from.Port()), "-m", "1", w.SIP), soon)
	w.AwaitMetric("offhook_contacts", 2, soon)

	var busy, takes script
	busy.want(`request="INVITE"`)
	busy.send(replied("486 Busy Here", toTag, ""))
	busy.want(`request="ACK"`)
	takes.want(`request="INVITE"`)
	takes.takes()
	run := func(name string, s *script, at netip.AddrPort) *harness.Process {
		return harness.NewSipp(t, name, harness.Scenario(s.steps...), at.Addr().String(), int(at.Port()), "-m", "1")
	}
	refuses, answers := run("first", &busy, first), run("second", &takes, second)
	caller := harness.NewCarrier(t, w.Offhook, sippAt(t), phone.Config{})
	call, err := caller.Dial("+"+wiredNumber, phone.DialOptions{From: phone.Party{Number: "+" + wiredCaller}})
	if err != nil {
		t.Fatal(err)
	}
	harness.WantSuccess(t, refuses, soon)
	caller.Await(phone.Answered, soon)
	time.Sleep(200 * time.Millisecond) // so that nothing crosses the BYE
	call.HangUp()
	harness.WantSuccess(t, answers, soon)
}
