//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

const (
	takesUpdate = "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE"
	noUpdate    = "Allow: INVITE, ACK, BYE, CANCEL"
)

// bothLaws offers PCMA before PCMU.
func bothLaws() string {
	return strings.Replace(talking(), "RTP/AVP 0 101", "RTP/AVP 8 0 101", 1) + "a=rtpmap:8 PCMA/8000\n"
}

// TestWireCodecIsAligned: with media.prefer cost a caller whose callee took another
// codec is asked to take it, too: by UPDATE if he takes that, before the answer if the
// rules let us, else by re-INVITE; and who refuses keeps his own.
func TestWireCodecIsAligned(t *testing.T) {
	t.Parallel()
	begin := func(headers ...string) *script {
		var s script
		s.send(first(bothLaws(), headers...))
		s.trying()
		return &s
	}
	connect := func(headers ...string) *script {
		s := begin(headers...)
		s.want(`response="183"`, "body: RTP/AVP 8 101")
		s.want(`response="200" rrs="true"`, "body: RTP/AVP 8 101")
		s.send(then("ACK", 1, ""))
		return s
	}
	t.Run("by UPDATE", func(t *testing.T) {
		t.Parallel()
		s := connect(takesUpdate)
		s.want(`request="UPDATE"`, "body: RTP/AVP 0 ")
		s.send(replied("200 OK", "", talking()))
		s.hangUp(2)
		wantAligned(t, s, phone.Config{AutoAnswer: true, AnswerAfter: 300 * time.Millisecond})
	})
	t.Run("by re-INVITE", func(t *testing.T) {
		t.Parallel()
		s := connect(noUpdate)
		s.want(`request="INVITE"`, "body: RTP/AVP 0 ")
		s.send(replied("200 OK", "", talking()))
		s.want(`request="ACK"`)
		s.hangUp(2)
		wantAligned(t, s, phone.Config{AutoAnswer: true, AnswerAfter: 300 * time.Millisecond})
	})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		s := connect(takesUpdate)
		s.want(`request="UPDATE"`, "body: RTP/AVP 0 ")
		s.send(replied("488 Not Acceptable Here", "", ""))
		s.pause(500)
		s.hangUp(2)
		wantAligned(t, s, phone.Config{AutoAnswer: true, AnswerAfter: 300 * time.Millisecond})
	})
	t.Run("before the answer", func(t *testing.T) {
		t.Parallel()
		s := begin(takesUpdate, "Supported: 100rel")
		s.want(`response="183" rrs="true"`, "keep RSeq: rseq", "body: RTP/AVP 8 101")
		s.send(then("PRACK", 2, "", "RAck:[$rseq] 1 INVITE"))
		s.want(`response="200"`, "CSeq: 2 PRACK")
		s.want(`request="UPDATE"`, "body: RTP/AVP 0 ")
		s.send(replied("200 OK", "", talking()))
		s.want(`response="200" rrs="true"`, "CSeq: 1 INVITE", "Content-Length: 0")
		s.send(then("ACK", 1, ""))
		s.hangUp(3)
		wantAligned(t, s, phone.Config{AutoAnswer: true, AnswerAfter: 300 * time.Millisecond})
	})
}

// wantAligned runs a caller's script; the desk speaks PCMU only.
func wantAligned(t *testing.T, s *script, desk phone.Config) {
	t.Helper()
	at := sippAt(t)
	w := &wired{Offhook: harness.NewOffhookWith(t, harness.Fields{Media: "prefer: cost"}, fmt.Sprintf(wiredResources, at, at.Addr(), "")), trunk: at}
	desk.Codecs = []media.Codec{media.PCMU}
	harness.NewUser(t, w.Offhook, "desk", "purple-monkey", desk)
	harness.WantSuccess(t, w.calls(t, s), soon)
	w.AwaitMetric("offhook_legs", 0, soon)
}

// TestWireTrunkChallengesInDialog: a carrier that called us challenges our BYE; we
// answer with the password of the trunk.
func TestWireTrunkChallengesInDialog(t *testing.T) {
	t.Parallel()
	var s script
	s.send(first(talking()))
	s.trying()
	s.want(`response="183"`)
	s.want(`response="200" rrs="true"`)
	s.send(then("ACK", 1, ""))
	s.want(`request="BYE"`)
	s.send(replied("407 Proxy Authentication Required", "", "", "Proxy-Authenticate: "+challenge))
	s.want(`request="BYE"`, `Proxy-Authorization: username=.account.`, "Proxy-Authorization: nc=00000001")
	s.send(replied("200 OK", "", ""))
	w := newWired(t, "username: account, password: secret-of-trunk")
	desk := w.desk(t)
	carrier := w.calls(t, &s)
	call := ring(desk)
	desk.Await(phone.Answered, soon)
	time.Sleep(300 * time.Millisecond) // so that nothing crosses the BYE
	call.HangUp()
	harness.WantSuccess(t, carrier, soon)
	w.AwaitMetric("offhook_legs", 0, soon)
}
