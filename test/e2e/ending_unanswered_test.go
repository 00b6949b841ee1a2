//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestCallsThatNobodyTakes goes through the ways in which a call ends without a
// conversation. Each caller hears why, gets the final code and the cause, and no
// callee rings on; at the end nothing is left.
func TestCallsThatNobodyTakes(t *testing.T) {
	silent, busy := freeAt(t), freeAt(t)
	users := []string{"tim", "gina", "gus", "bea", "dan", "dee", "tri", "none", "mia", "una", "ema"}
	h := newHouse(t, "", usualTrunk, users,
		fmt.Sprintf(`ring_timeout: 2s, endpoints: [{user: tim}, {sip: "sip:sipp@%s"}]`, silent),
		`endpoints: [{user: gina}, {user: gus}]`,
		fmt.Sprintf(`endpoints: [{user: bea}, {sip: "sip:sipp@%s"}]`, busy),
		`endpoints: [{user: dan}, {user: dee}]`,
		`endpoints: [{user: tri}]`,
		`endpoints: [{user: none}]`,
		`endpoints: [{user: mia}]`,
	)
	before := h.Holds()
	t.Run("all", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T){
			"RingTimeout":         func(t *testing.T) { h.ringTimeout(t, silent) },
			"CallerGivesUp":       h.callerGivesUp,
			"AllBusy":             func(t *testing.T) { h.allBusy(t, busy) },
			"AllDecline":          h.allDecline,
			"ThreeRegistrations":  h.threeRegistrations,
			"NoRegistration":      h.noRegistration,
			"UnknownFromOutside":  h.unknownFromOutside,
			"UnknownFromUser":     h.unknownFromUser,
			"EmergencyIsRefused":  h.emergency,
			"GivesUpInPrompt":     h.givesUpInPrompt,
			"HangsUpDuringAnswer": h.crossings,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t)
			})
		}
	})
	before.Goroutines += 2 // what the first call starts once
	h.AwaitIdle(before, 60*time.Second)
	h.AwaitLegs(t, soon)
}

// ringTimeout rings a phone and a sipp, and nobody answers.
func (h *house) ringTimeout(t *testing.T, silent netip.AddrPort) {
	sipp := silentSipp(t, silent)
	tim := h.user(t, "tim", phone.Config{})
	call := h.dialIn(t, number(0))
	ring(tim)
	call.Await(phone.Early, 10*time.Second)
	wantCancelled(t, tim, "SIP;cause=408")
	call.wantRefused(480, core.CauseNoAnswer, core.PromptNoAnswer)
	harness.WantSuccess(t, sipp, 30*time.Second)
}

// silentSipp rings until it is cancelled, as RFC 3261 section 9.2 says.
func silentSipp(t *testing.T, at netip.AddrPort) *harness.Process {
	t.Helper()
	return harness.NewSipp(t, "silent", harness.Scenario(
		`<recv request="INVITE"/>`, harness.CalleeReply(180, "Ringing"),
		`<recv request="CANCEL"><action><ereg regexp="SIP;cause=408" search_in="hdr" header="Reason:" check_it="true" assign_to="why"/></action></recv>`,
		`<Reference variables="why"/>`,
		reply("200 OK", "[last_CSeq:]", ""), reply("487 Request Terminated", "CSeq: 1 INVITE", ""), `<recv request="ACK"/>`,
	), at.Addr().String(), int(at.Port()), "-m", "1")
}

// reply is a response of a sipp callee; body is its SDP with Contact, or empty.
func reply(status, cseq, body string) string {
	if body == "" {
		body = "Content-Length: 0\n\n"
	}
	return `<send><![CDATA[

SIP/2.0 ` + status + `
[last_Via:]
[last_From:]
[last_To:];tag=[pid]S[call_number]
[last_Call-ID:]
` + cseq + `
` + body + `]]></send>`
}

func (h *house) callerGivesUp(t *testing.T) {
	gina, gus := h.user(t, "gina", phone.Config{}), h.user(t, "gus", phone.Config{})
	call := h.dialIn(t, number(1))
	ring(gina)
	ring(gus)
	call.Await(phone.Early, 10*time.Second)
	call.call.HangUp()
	if ended := call.Await(phone.Ended, 10*time.Second); ended.Code != 487 {
		t.Errorf("the caller's INVITE ended with %d, want 487", ended.Code)
	}
	wantCancelled(t, gina, "SIP;cause=487")
	wantCancelled(t, gus, "SIP;cause=487")
}

// allBusy rings a phone and a sipp that both send 486.
func (h *house) allBusy(t *testing.T, busy netip.AddrPort) {
	sipp := harness.NewSipp(t, "busy", harness.Scenario(
		`<recv request="INVITE"/>`, harness.CalleeReply(486, "Busy Here"), `<recv request="ACK"/>`,
	), busy.Addr().String(), int(busy.Port()), "-m", "1")
	bea := h.user(t, "bea", phone.Config{})
	call := h.dialIn(t, number(2))
	ring(bea).Decline(486)
	call.wantRefused(486, core.CauseBusy, core.PromptBusy)
	harness.WantSuccess(t, sipp, 30*time.Second)
}

func (h *house) allDecline(t *testing.T) {
	dan, dee := h.user(t, "dan", phone.Config{}), h.user(t, "dee", phone.Config{})
	call := h.dialIn(t, number(3))
	ring(dan).Decline(603)
	ring(dee).Decline(603)
	call.wantRefused(603, core.CauseRejected, core.PromptDeclined)
}

// threeRegistrations rings all phones of one user; one answers.
func (h *house) threeRegistrations(t *testing.T) {
	var phones [3]*harness.Phone
	for i, transport := range []string{"udp", "tcp", "udp"} {
		phones[i] = h.user(t, "tri", phone.Config{Transport: transport})
	}
	call := h.dialIn(t, number(4))
	var calls [3]*phone.Call
	for i, p := range phones {
		calls[i] = ring(p)
	}
	calls[1].Answer()
	call.Await(phone.Answered, 10*time.Second)
	wantCancelled(t, phones[0], "SIP;cause=200")
	wantCancelled(t, phones[2], "SIP;cause=200")
	call.call.HangUp()
	phones[1].Await(phone.Ended, 10*time.Second)
}

func (h *house) noRegistration(t *testing.T) {
	h.dialIn(t, number(5)).wantRefused(480, core.CauseUnreachable, core.PromptUnreachable)
}

// unknownFromOutside is a sipp that calls a number which does not exist.
func (h *house) unknownFromOutside(t *testing.T) {
	sipp := harness.NewSipp(t, "caller", harness.Scenario(
		harness.CallerInvite("12025550199", "12025559999"), `<recv response="100" optional="true"/>`,
		`<recv response="404"><action><ereg regexp="Q.850;cause=1" search_in="hdr" header="Reason:" check_it="true" assign_to="why"/></action></recv>`,
		`<Reference variables="why"/>`,
		`<send><![CDATA[

ACK sip:+12025559999@[remote_ip]:[remote_port] SIP/2.0
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>`,
	), "127.0.0.63", 0, "-m", "1", h.SIP)
	harness.WantSuccess(t, sipp, 30*time.Second)
	h.dialIn(t, "+12025559999").wantRefused(404, core.CauseUnallocated, "")
}

func (h *house) unknownFromUser(t *testing.T) {
	call := dial(t, h.user(t, "una", phone.Config{}), "nobody-at-all", phone.DialOptions{})
	call.wantRefused(404, core.CauseUnallocated, core.PromptUnknownNumber)
}

func (h *house) emergency(t *testing.T) {
	ema := h.user(t, "ema", phone.Config{})
	for _, number := range []string{"112", "911"} {
		call := dial(t, ema, number, phone.DialOptions{})
		call.wantRefused(403, core.CauseNotAllowed, core.PromptNotAllowed)
	}
}

// givesUpInPrompt hangs up while the announcement runs.
func (h *house) givesUpInPrompt(t *testing.T) {
	call := h.dialIn(t, number(5))
	call.Await(phone.Early, 10*time.Second)
	call.call.HangUp()
	if ended := call.Await(phone.Ended, 10*time.Second); ended.Code != 487 {
		t.Errorf("the INVITE ended with %d, want 487", ended.Code)
	}
}
