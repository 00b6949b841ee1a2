//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestWirePrackOfACaller: who insists on 100rel gets a reliable 183, whose PRACK is
// answered, and then the 200 (RFC 3262).
func TestWirePrackOfACaller(t *testing.T) {
	t.Parallel()
	var s script
	s.send(first(talking(), "Require: 100rel"))
	s.trying()
	s.want(`response="183" rrs="true"`, "Require: 100rel", "keep RSeq: rseq", "body: m=audio [1-9]")
	s.send(then("PRACK", 2, "", "RAck:[$rseq] 99 INVITE")) // of another INVITE
	s.want(`response="481"`)
	s.send(then("PRACK", 3, "", "RAck:[$rseq] 1 INVITE"))
	s.want(`response="200"`, "CSeq: 3 PRACK")
	s.want(`response="200" rrs="true"`, "CSeq: 1 INVITE")
	s.send(then("ACK", 1, ""))
	s.hangUp(4)
	wantCall(t, newWired(t, ""), &s)
}

// TestWirePrackOfACallee: a reliable 183 of a carrier gets its PRACK.
func TestWirePrackOfACallee(t *testing.T) {
	t.Parallel()
	var s script
	s.want(`request="INVITE"`, append([]string{"Supported: 100rel"}, keepInvite...)...)
	s.send(replied("183 Session Progress", toTag, talking(), "Require: 100rel", "RSeq: 77"))
	s.want(`request="PRACK"`, "RAck: 77 1 INVITE")
	s.send(replied("200 OK", "", ""))
	s.send(repliedKept("200 OK", "[last_To:]", talking()))
	s.want(`request="ACK"`)
	s.hungUp()
	w := newWired(t, "")
	w.dialOut(t, w.desk(t), w.receives(t, &s))
}

// TestWireOfferless: an INVITE without offer gets ours in the 200, or, if its sender
// can PRACK, in the 183 already.
func TestWireOfferless(t *testing.T) {
	t.Parallel()
	t.Run("answer in ACK", func(t *testing.T) {
		t.Parallel()
		var s script
		s.send(first(""))
		s.trying()
		s.want(`response="180" optional="true"`)
		s.want(`response="200" rrs="true"`, "body: m=audio [1-9][0-9]* RTP/AVP")
		s.send(then("ACK", 1, talking()))
		s.hangUp(2)
		wantCall(t, newWired(t, ""), &s)
	})
	t.Run("answer in PRACK", func(t *testing.T) {
		t.Parallel()
		var s script
		s.send(first("", "Supported: 100rel"))
		s.trying()
		s.want(`response="183" rrs="true"`, "keep RSeq: rseq", "body: m=audio [1-9][0-9]* RTP/AVP")
		s.send(then("PRACK", 2, talking(), "RAck:[$rseq] 1 INVITE"))
		s.want(`response="200"`, "CSeq: 2 PRACK")
		s.want(`response="200" rrs="true"`, "CSeq: 1 INVITE", "Content-Length: 0")
		s.send(then("ACK", 1, ""))
		s.hangUp(3)
		wantCall(t, newWired(t, ""), &s)
	})
}

// TestWireLateOffer: a trunk with late_offer gets INVITEs without an offer and makes it
// in the 200 or a reliable 183. We answer in the ACK or PRACK; an ACK that has to
// refuse is followed by BYE (RFC 3261 section 13.2.1, RFC 6337 section 3.1.1).
func TestWireLateOffer(t *testing.T) {
	t.Parallel()
	invite := func(s *script) { s.want(`request="INVITE"`, append([]string{"Content-Length: 0"}, keepInvite...)...) }
	t.Run("offer in 200", func(t *testing.T) {
		t.Parallel()
		var s script
		invite(&s)
		s.send(replied("183 Session Progress", toTag, scriptedSDP("[media_ip]", "9", "inactive"))) // no more than a preview
		s.send(replied("200 OK", toTag, talking()))
		s.want(`request="ACK"`, "body: m=audio [1-9][0-9]* RTP/AVP 0 101", "body: a=sendrecv")
		s.hungUp()
		w := newWired(t, "late_offer: true")
		w.dialOut(t, w.desk(t), w.receives(t, &s))
	})
	t.Run("offer in 183", func(t *testing.T) {
		t.Parallel()
		var s script
		invite(&s)
		s.send(replied("183 Session Progress", toTag, talking(), "Require: 100rel", "RSeq: 77"))
		s.want(`request="PRACK"`, "RAck: 77 1 INVITE", "body: m=audio [1-9][0-9]* RTP/AVP 0 101")
		s.send(replied("200 OK", "", ""))
		s.send(repliedKept("200 OK", "[last_To:]", ""))
		s.want(`request="ACK"`, "Content-Length: 0")
		s.hungUp()
		w := newWired(t, "late_offer: true")
		w.dialOut(t, w.desk(t), w.receives(t, &s))
	})
	t.Run("nothing for us in it", func(t *testing.T) {
		t.Parallel()
		var s script
		invite(&s)
		s.send(replied("200 OK", toTag, strings.ReplaceAll(talking(), "RTP/AVP 0 101", "RTP/AVP 18")))
		s.want(`request="ACK"`, "body: m=audio 0 RTP/AVP 18")
		s.want(`request="BYE"`, "Reason: Q.850;cause=88")
		s.send(replied("200 OK", "", ""))
		w := newWired(t, "late_offer: true")
		callee := w.receives(t, &s)
		if _, err := w.desk(t).Dial("+"+wiredOutside, phone.DialOptions{}); err != nil {
			t.Fatal(err)
		}
		harness.WantSuccess(t, callee, soon)
	})
}

// TestWireHoldAndUpdate: every way to say hold gets its right answer, by re-INVITE and
// by UPDATE, and resume is resume (RFC 3264 section 8.4, RFC 3311).
func TestWireHoldAndUpdate(t *testing.T) {
	t.Parallel()
	var s script
	s.send(first(talking()))
	s.trying()
	s.want(`response="183"`)
	s.want(`response="200" rrs="true"`, "Allow: UPDATE")
	s.send(then("ACK", 1, ""))
	cseq := 1
	reinvite := func(body, want string) {
		cseq++
		s.pause(100)
		s.send(then("INVITE", cseq, body))
		s.trying()
		s.want(`response="200" rrs="true"`, "body: "+want)
		s.send(then("ACK", cseq, ""))
	}
	for _, hold := range [][2]string{
		{scriptedSDP("[media_ip]", "[media_port]", "sendonly"), "a=recvonly"},
		{scriptedSDP("[media_ip]", "[media_port]", "inactive"), "a=inactive"},
		{scriptedSDP("0.0.0.0", "[media_port]", "sendrecv"), "a=(recvonly|inactive)"},
		{scriptedSDP("[media_ip]", "0", "sendrecv"), "m=audio 0 "},
	} {
		reinvite(hold[0], hold[1])
		reinvite(talking(), "a=sendrecv")
	}
	for _, update := range [][2]string{{scriptedSDP("[media_ip]", "[media_port]", "sendonly"), "a=recvonly"}, {talking(), "a=sendrecv"}} {
		cseq++
		s.send(then("UPDATE", cseq, update[0]))
		s.want(`response="200"`, "body: "+update[1])
	}
	s.send(then("UPDATE", cseq+1, "")) // only refreshes
	s.want(`response="200"`, "Content-Length: 0")
	s.hangUp(cseq + 2)
	wantCall(t, newWired(t, ""), &s)
}

// TestWireSessionTimer waits for session timers to run, at the least interval of 90 s.
func TestWireSessionTimer(t *testing.T) {
	t.Parallel()
	const ours, theirs = "Session-Expires: 90;refresher=uas", "Session-Expires: 90;refresher=uac"
	connect := func(headers ...string) *script {
		var s script
		s.send(first(talking(), append(headers, "Supported: timer")...))
		s.trying()
		s.want(`response="183"`)
		s.want(`response="200" rrs="true"`, "Session-Expires: 90;refresher="+strings.TrimPrefix(headers[0], "Session-Expires: 90;refresher="))
		s.send(then("ACK", 1, ""))
		return &s
	}
	t.Run("too small", func(t *testing.T) {
		t.Parallel()
		var s script
		s.send(first(talking(), "Supported: timer", "Session-Expires: 60"))
		s.want(`response="422"`, "Min-SE: 90")
		s.send(then("ACK", 1, ""))
		harness.WantSuccess(t, newWired(t, "").calls(t, &s), soon)
	})
	t.Run("we refresh by UPDATE", func(t *testing.T) {
		t.Parallel()
		s := connect(ours, "Allow: INVITE, ACK, BYE, CANCEL, UPDATE")
		s.want(`request="UPDATE" timeout="60000"`, "Session-Expires: 90;refresher=uac", "Content-Length: 0")
		s.send(replied("200 OK", "", "", theirs))
		s.hangUp(2)
		wantCall(t, newWired(t, ""), s)
	})
	t.Run("we refresh by re-INVITE, and it meets one", func(t *testing.T) {
		t.Parallel()
		s := connect(ours, "Allow: INVITE, ACK, BYE, CANCEL")
		s.want(`request="INVITE" timeout="60000"`, append([]string{"Session-Expires: 90;refresher=uac", "body: a=sendrecv"}, keepInvite...)...)
		s.send(then("INVITE", 2, talking())) // before the answer: both are refused
		s.want(`response="491"`)
		s.send(`SIP/2.0 491 Request Pending
Via:[$via]
From: <sip:+` + wiredNumber + `@[remote_ip]>[peer_tag_param]
To: <sip:+` + wiredCaller + `@[local_ip]>;tag=[pid]C[call_number]
Call-ID: [call_id]
CSeq:[$cseq]
Content-Length: 0
`)
		s.want(`request="ACK"`)
		s.want(`request="INVITE" timeout="3000"`, "body: a=sendrecv") // 0 to 2 s later: the Call-ID is the carrier's
		s.send(replied("200 OK", "", talking(), theirs))
		s.want(`request="ACK"`)
		s.hangUp(3)
		wantCall(t, newWired(t, ""), s)
	})
	t.Run("the peer does not refresh", func(t *testing.T) {
		t.Parallel()
		s := connect(theirs)
		s.want(`request="BYE" timeout="65000"`, "Reason: Session timer expired")
		s.send(replied("200 OK", "", ""))
		began := time.Now()
		wantCall(t, newWired(t, ""), s)
		if took := time.Since(began); took < 58*time.Second {
			t.Errorf("hung up after %v, want 60 s", took)
		}
	})
}

// TestWireForkedCallee: a carrier that forks sends 18x of two phones, and both of them
// answer. The first wins; the second is acknowledged and hung up.
func TestWireForkedCallee(t *testing.T) {
	t.Parallel()
	var s script
	s.want(`request="INVITE"`)
	s.send(replied("180 Ringing", ";tag=fork-a", ""))
	s.send(replied("183 Session Progress", ";tag=fork-b", talking()))
	s.send(replied("200 OK", ";tag=fork-b", talking()))
	s.want(`request="ACK"`, "To: fork-b", "keep From: from", "keep Call-ID: id")
	s.send(`SIP/2.0 200 OK
[last_Via:]
[last_From:]
To: <sip:+` + wiredOutside + `@[local_ip]>;tag=fork-a
[last_Call-ID:]
CSeq: 1 INVITE
Contact: <sip:callee@[local_ip]:[local_port]>
` + withSDP(talking()))
	s.want(`request="ACK"`, "To: fork-a")
	s.want(`request="BYE"`, "To: fork-a", "Reason: SIP;cause=200")
	s.send(replied("200 OK", "", ""))
	s.want(`request="BYE"`, "To: fork-b")
	s.send(replied("200 OK", "", ""))
	w := newWired(t, "")
	w.dialOut(t, w.desk(t), w.receives(t, &s))
}

// TestWireHeadersAreCarried: private headers reach the phone with their spelling, and
// hops count down.
func TestWireHeadersAreCarried(t *testing.T) {
	t.Parallel()
	var s script
	s.send(strings.Replace(first(talking(), "X-ACCOUNT-iD: 42", "User-to-User: 56a390f3d2b7310023;encoding=hex"), "Max-Forwards: 70", "Max-Forwards: 12", 1))
	s.trying()
	s.want(`response="183"`)
	s.want(`response="200" rrs="true"`)
	s.send(then("ACK", 1, ""))
	s.hangUp(2)
	desk := wantCall(t, newWired(t, ""), &s)
	if len(desk.Wire().Find("< INVITE", "\nX-ACCOUNT-iD: 42\r\n", "\nUser-to-User: 56a390f3d2b7310023;encoding=hex\r\n", "\nMax-Forwards: 11\r\n")) != 1 {
		t.Errorf("the desk got %q", desk.Wire().Find("< INVITE"))
	}
}

// TestWireNoHopsLeft: a call that went from exchange to exchange too often goes nowhere.
func TestWireNoHopsLeft(t *testing.T) {
	t.Parallel()
	w := newWired(t, "")
	desk := w.desk(t)
	var s script
	s.send(strings.Replace(first(talking()), "Max-Forwards: 70", "Max-Forwards: 0", 1))
	s.want(`response="483"`)
	s.send(then("ACK", 1, ""))
	harness.WantSuccess(t, w.calls(t, &s), soon)
	if len(desk.Wire().Find("< INVITE")) != 0 {
		t.Error("the desk was rung")
	}
}

// TestWireInfoDigits: INFO in both forms is understood, and what is no key refused.
func TestWireInfoDigits(t *testing.T) {
	t.Parallel()
	var s script
	s.send(first(talking()))
	s.trying()
	s.want(`response="183"`)
	s.want(`response="200" rrs="true"`)
	s.send(then("ACK", 1, ""))
	info := func(cseq int, kind, body, code string) {
		s.send(strings.Replace(then("INFO", cseq, body), "application/sdp", kind, 1))
		s.want(`response="` + code + `"`)
	}
	info(2, "application/dtmf-relay", "Signal=5\nDuration=160\n", "200")
	info(3, "application/dtmf", "#", "200")
	info(4, "application/dtmf-relay", "Signal=hello\n", "400")
	info(5, "application/unheard-of", "x", "415")
	s.hangUp(6)
	wantCall(t, newWired(t, ""), &s)
}

// TestWireKeysByInfoOnly: a trunk that wants INFO agrees on no telephone-events, and
// gets the desk's keys by INFO.
func TestWireKeysByInfoOnly(t *testing.T) {
	t.Parallel()
	var s script
	s.send(first(talking()))
	s.trying()
	s.want(`response="183"`)
	s.want(`response="200" rrs="true"`, "body: RTP/AVP 0[^0-9 ]")
	s.send(then("ACK", 1, ""))
	for _, key := range "5#" {
		s.want(`request="INFO"`, "Content-Type: application/dtmf-relay", "body: Signal="+string(key))
		s.send(replied("200 OK", "", ""))
	}
	s.hangUp(2)
	w := newWired(t, "dtmf: info")
	desk := w.desk(t)
	carrier := w.calls(t, &s)
	call := ring(desk)
	desk.Await(phone.Answered, soon)
	time.Sleep(300 * time.Millisecond) // for the ACK
	call.Digits("5#")
	harness.WantSuccess(t, carrier, soon)
	w.AwaitMetric("offhook_legs", 0, soon)
}
