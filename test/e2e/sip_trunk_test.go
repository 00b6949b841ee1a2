//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/offhook/offhook/test/e2e/harness"
)

// challenge is a digest challenge of a carrier.
const challenge = `Digest realm="carrier.example", nonce="84a4cc6f3082121f32b42a2187831a9e", algorithm=MD5, qop="auth"`

// refuse ends a first INVITE with a status and takes its ACK.
func (s *script) refuse(status string, headers ...string) {
	s.send(replied(status, toTag, "", headers...))
	s.want(`request="ACK"`)
}

// takes answers an INVITE and waits for the BYE.
func (s *script) takes() {
	s.send(replied("180 Ringing", toTag, ""))
	s.send(replied("200 OK", toTag, talking()))
	s.want(`request="ACK"`)
	s.hungUp()
}

// TestWireTrunkChallengesInvite: 407 to an INVITE is answered with the trunk's password.
func TestWireTrunkChallengesInvite(t *testing.T) {
	t.Parallel()
	var s script
	s.want(`request="INVITE"`)
	s.refuse("407 Proxy Authentication Required", "Proxy-Authenticate: "+challenge)
	s.want(`request="INVITE"`, "CSeq: 2 INVITE", `Proxy-Authorization: username=.account.`, "Proxy-Authorization: nc=00000001")
	s.takes()
	w := newWired(t, "username: account, password: secret-of-trunk")
	w.dialOut(t, w.desk(t), w.receives(t, &s))
}

// TestWireRegistersAtTrunk: we register, refresh with what the registrar wants, and
// stop when told.
func TestWireRegistersAtTrunk(t *testing.T) {
	t.Parallel()
	var s script
	s.want(`request="REGISTER"`, "Expires: 3600")
	s.send(replied("401 Unauthorized", toTag, "", "WWW-Authenticate: "+challenge))
	s.want(`request="REGISTER"`, `Authorization: username=.account.`, "CSeq: 2 REGISTER")
	s.send(replied("423 Interval Too Brief", toTag, "", "Min-Expires: 7200"))
	s.want(`request="REGISTER"`, "Expires: 7200", "CSeq: 3 REGISTER")
	s.send(replied("401 Unauthorized", toTag, "", "WWW-Authenticate: "+challenge))
	s.want(`request="REGISTER"`, "Expires: 7200", `Authorization: username=.account.`)
	s.send(replied("200 OK", toTag, "", "Expires: 2"))
	s.want(`request="REGISTER" timeout="5000"`, "Expires: 7200") // the refresh
	s.send(replied("200 OK", toTag, "", "Expires: 7200"))
	w := newWired(t, "username: account, password: secret-of-trunk, register: true, register_expires: 1h")
	harness.WantSuccess(t, w.receives(t, &s), soon)
}

// TestWireTrunkLikeTwilio: docs/trunks/twilio.md. Calls out have +E.164 everywhere and
// may be challenged; calls in come from several addresses, with +E.164, private
// headers and early media, and end with a Q.850 reason.
func TestWireTrunkLikeTwilio(t *testing.T) {
	t.Parallel()
	const rules = `username: account, password: secret-of-trunk, number_format: plus, codecs: [pcmu], diversion: diversion, caller_id: "12995550001"`
	t.Run("out", func(t *testing.T) {
		t.Parallel()
		var s script
		s.want(`request="INVITE"`, "From: sip:.12995550001@", "To: sip:.12125550100@", "P-Asserted-Identity: sip:.12995550001@", "body: RTP/AVP 0 13 101")
		s.refuse("407 Proxy Authentication Required", "Proxy-Authenticate: "+challenge)
		s.want(`request="INVITE"`, `Proxy-Authorization: username=.account.`)
		s.send(replied("100 Trying", "", ""))
		s.send(replied("183 Session Progress", toTag, talking()))
		s.send(replied("200 OK", toTag, talking(), "X-Twilio-CallSid: CA00000000000000000000000000000000"))
		s.want(`request="ACK"`)
		s.want(`request="BYE"`, "Reason: Q.850;cause=16")
		s.send(replied("200 OK", "", ""))
		w := newWired(t, rules)
		w.dialOut(t, w.desk(t), w.receives(t, &s))
	})
	t.Run("in", func(t *testing.T) {
		t.Parallel()
		var s script
		s.send(first(talking(), "X-Twilio-CallSid: CA00000000000000000000000000000001", "Diversion: <sip:+12995557777@twilio.example>;reason=unconditional"))
		s.trying()
		s.want(`response="183"`)
		s.want(`response="200" rrs="true"`, "body: RTP/AVP 0 101")
		s.send(then("ACK", 1, ""))
		s.pause(200)
		s.send(then("BYE", 2, "", `Reason: Q.850;cause=16;text="Normal call clearing"`))
		s.want(`response="200"`)
		desk := wantCall(t, newWired(t, rules), &s)
		if got := desk.Wire().Find("< INVITE"); len(got) != 1 || !strings.Contains(got[0], "X-Twilio-CallSid: CA00000000000000000000000000000001\r\n") {
			t.Errorf("the desk got %q", got)
		}
	})
}

// TestWireTrunkLikeTelnyx: docs/trunks/telnyx.md. The account registers; its first host
// is out, so that calls go to the second one; calls in come to the registered
// contact, with the number in To.
func TestWireTrunkLikeTelnyx(t *testing.T) {
	t.Parallel()
	backup := sippAt(t)
	w := newWired(t, `username: account, password: secret-of-trunk, register: true, number_format: plus, from_user: account, backups: ["sip:`+backup.String()+`"]`)

	var reg script // the first host takes the registration, and nothing else
	reg.want(`request="REGISTER"`, "To: sip:account@")
	reg.send(replied("401 Unauthorized", toTag, "", "WWW-Authenticate: "+challenge))
	reg.want(`request="REGISTER"`, `Authorization: username=.account.`)
	reg.send(replied("200 OK", toTag, "", "Expires: 3600"))
	harness.WantSuccess(t, w.receives(t, &reg), soon)

	var busy script
	busy.want(`request="INVITE"`, "From: sip:account@", "P-Asserted-Identity: sip:.12995550001@")
	busy.refuse("503 Service Unavailable", "Retry-After: 30")
	first := w.receives(t, &busy)
	var s script
	s.want(`request="INVITE"`, "To: sip:.12125550100@")
	s.takes()
	second := harness.NewSipp(t, "backup", harness.Scenario(s.steps...), backup.Addr().String(), int(backup.Port()), "-m", "1")
	w.dialOut(t, w.desk(t), second)
	harness.WantSuccess(t, first, soon)
}

// TestWireTrunkInNationalFormat: docs/trunks/generic.md. A carrier of one country that
// writes numbers as they are dialled there, wants History-Info and no private headers.
func TestWireTrunkInNationalFormat(t *testing.T) {
	t.Parallel()
	w := newWired(t, `number_format: national, country: de, identity: ppi, diversion: history, keep_headers: none, codecs: [pcma, pcmu], headers: [{name: X-Route, value: "7"}]`)
	var s script
	s.want(`request="INVITE"`, "To: sip:0012125550100@", "P-Preferred-Identity: sip:0012995550001@", "X-Route: 7", "body: RTP/AVP 8 0 13 101")
	s.takes()
	w.dialOut(t, w.desk(t), w.receives(t, &s))
}
