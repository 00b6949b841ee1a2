//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// crossings lets a caller hang up and the callee answer at once, again and
// again: whatever overtakes what, nobody is left in a call with nobody.
func (h *house) crossings(t *testing.T) {
	mia := h.user(t, "mia", phone.Config{})
	call := h.dialIn(t, number(6))
	for i := range 100 {
		if i > 0 {
			call = dial(t, call.Phone, number(6), phone.DialOptions{})
		}
		ringing := ring(mia)
		start := make(chan struct{})
		var both sync.WaitGroup
		both.Go(func() { <-start; ringing.Answer() })
		both.Go(func() { <-start; call.call.HangUp() })
		close(start)
		both.Wait()
		call.Await(phone.Ended, 10*time.Second)
		mia.Await(phone.Ended, 10*time.Second)
	}
	crossed := 0
	for _, d := range sent200(mia.Wire().Messages()) {
		if !d.acked || d.bye == "" {
			t.Errorf("a 200 was ACKed: %v, and BYEd with Reason %q", d.acked, d.bye)
		}
		if strings.HasPrefix(d.bye, "SIP;cause=487") {
			crossed++
		}
	}
	t.Logf("%d of 100 answers crossed the caller's farewell", crossed)
}

// answered is a call that a callee answered.
type answered struct {
	acked bool
	bye   string // Reason of the BYE that came
}

// sent200 returns what became of each INVITE that a phone answered, by Call-ID.
func sent200(messages []harness.Message) map[string]*answered {
	calls := map[string]*answered{}
	for _, m := range messages {
		id := m.Header("Call-ID")
		switch d := calls[id]; {
		case m.Is("> SIP/2.0 200", " INVITE\r\n"):
			if d == nil {
				calls[id] = &answered{}
			}
		case d == nil:
		case m.Is("< ACK "):
			d.acked = true
		case m.Is("< BYE "):
			d.bye = m.Header("Reason")
		}
	}
	return calls
}

// TestGivesUpWhileAnswerIsInFlight has a sipp that answers the INVITE after it
// was cancelled: on the wire just what a 200 that crosses the CANCEL looks like
// (RFC 5407 section 3.1.2). It must be ACKed, then ended with the reason.
func TestGivesUpWhileAnswerIsInFlight(t *testing.T) {
	late := freeAt(t)
	h := newHouse(t, "", usualTrunk, []string{"ann"}, fmt.Sprintf(`endpoints: [{sip: "sip:sipp@%s"}, {user: ann}]`, late))
	sipp := harness.NewSipp(t, "late", harness.Scenario(
		`<recv request="INVITE"/>`, harness.CalleeReply(180, "Ringing"),
		`<recv request="CANCEL"/>`, reply("200 OK", "[last_CSeq:]", ""),
		reply("200 OK", "CSeq: 1 INVITE", `Contact: <sip:sipp@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
`),
		`<recv request="ACK"/>`,
		`<recv request="BYE"><action><ereg regexp="SIP;cause=487" search_in="hdr" header="Reason:" check_it="true" assign_to="why"/></action></recv>`,
		`<Reference variables="why"/>`, reply("200 OK", "[last_CSeq:]", ""),
	), late.Addr().String(), int(late.Port()), "-m", "1")
	ann := h.user(t, "ann", phone.Config{})
	call := h.dialIn(t, number(0))
	ring(ann)
	call.Await(phone.Early, 10*time.Second)
	call.call.HangUp()
	if ended := call.Await(phone.Ended, 10*time.Second); ended.Code != 487 {
		t.Errorf("the caller's INVITE ended with %d, want 487", ended.Code)
	}
	wantCancelled(t, ann, "SIP;cause=487")
	harness.WantSuccess(t, sipp, 20*time.Second)
	h.AwaitMetric("offhook_legs", 0, 10*time.Second)
	h.AwaitLegs(t, 10*time.Second)
}
