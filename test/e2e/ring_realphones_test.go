//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestRingRealPhones puts stacks that share no code with ours into groups:
// baresip and SIPp. Names are short because baresip cuts long paths.
func TestRingRealPhones(t *testing.T) {
	busy, declines, away, moved, slow, new302 := freeAt(t), freeAt(t), freeAt(t), freeAt(t), freeAt(t), freeAt(t)
	voicemail, loser := freeAt(t), freeAt(t)
	talker, member := freeCarrier(t), freeAt(t)
	uri := func(at netip.AddrPort) string { return fmt.Sprintf(`{sip: "sip:sipp@%s"}`, at) }
	trunks := []string{fmt.Sprintf(`name: talker, uri: "sip:%s", prefixes: ["4930"]`, talker)}
	tellStories(t, trunks, []story{
		{
			"refusals in turn",
			[]string{"ann"},
			[]string{"name: row, strategy: sequential, step_timeout: 2s, endpoints: [" +
				uri(busy) + ", " + uri(declines) + ", " + uri(away) + ", " + uri(moved) + ", " + uri(slow) + ", {user: ann, timeout: 20s}]"},
			func(s *scene) { s.inTurn(busy, declines, away, moved, slow, new302) },
		},
		{
			"voicemail answers",
			[]string{"ben"},
			[]string{"name: asks, confirm: {}, endpoints: [" + uri(voicemail) + ", {user: ben}]"},
			func(s *scene) { s.baresipConfirms(voicemail) },
		},
		{
			"losers",
			[]string{"cid", "dan"},
			[]string{"name: lost, endpoints: [{user: cid}, {user: dan}, " + uri(loser) + "]"},
			func(s *scene) { s.realPhonesLose(loser) },
		},
		{
			"early media",
			[]string{"eve"},
			nil,
			func(s *scene) { s.sippTalksEarly(talker) },
		},
		{
			"early media in a group",
			nil,
			[]string{"name: hushed, endpoints: [" + uri(member) + "]"},
			func(s *scene) { s.sippTalksInGroup(member) },
		},
	})
}

// sipp runs the steps of a callee once, at an address of the configuration.
func (s *scene) sipp(name string, at netip.AddrPort, steps ...string) *harness.Process {
	s.Helper()
	ip := at.Addr().String()
	return harness.NewSipp(s, name, harness.Scenario(steps...), ip, int(at.Port()),
		"-m", "1", "-rtp_echo", "-mp", fmt.Sprint(testkit.FreePort(s, ip)))
}

// refuses takes an INVITE and answers with status.
func refuses(status, headers string) []string {
	return []string{`<recv request="INVITE"/>`, reply(status, "[last_CSeq:]", headers+"Content-Length: 0\n\n"), `<recv request="ACK"/>`}
}

// baresip starts a registered baresip.
func (s *scene) baresip(user, transport string) *desk {
	s.Helper()
	return &desk{Baresip: harness.NewBaresip(s, harness.BaresipConfig{
		User: user, Password: password(user), Server: s.SIP, Transport: transport, Tone: desk2Hz,
	}), hz: desk2Hz}
}

// inTurn goes through all ways to refuse. Nobody follows the 302.
func (s *scene) inTurn(busy, declines, away, moved, slow, elsewhere netip.AddrPort) {
	trap := s.carrier(elsewhere)
	row := []*harness.Process{
		s.sipp("busy", busy, refuses("486 Busy Here", "")...),
		s.sipp("declines", declines, refuses("603 Decline", "")...),
		s.sipp("away", away, refuses("480 Temporarily Unavailable", "")...),
		s.sipp("moved", moved, refuses("302 Moved Temporarily", fmt.Sprintf("Contact: <sip:trap@%s>\n", elsewhere))...),
		s.sipp("slow", slow, `<recv request="INVITE"/>`, reply("100 Trying", "[last_CSeq:]", ""), `<pause milliseconds="1000"/>`,
			harness.CalleeReply(180, "Ringing"), cancelledBecause("SIP;cause=408")),
	}
	ann := s.baresip("ann", "udp")
	caller := s.dial()
	ann.AwaitRing(s.T, outsider)
	rang := s.message(caller.Phone, 1, "< SIP/2.0 183 ").At // by the slow one
	s.wantAfter("the slow one rang", s.message(caller.Phone, 1, "> INVITE ").At, rang, time.Second)
	for _, sipp := range row {
		harness.WantSuccess(s, sipp, soon)
	}
	ann.Answer()
	s.wantTalkWith(caller, ann)
	s.wantNotRung("who the 302 named", trap)
}

// cancelledBecause takes a CANCEL whose Reason holds why, and ends the INVITE.
func cancelledBecause(why string) string {
	return `<recv request="CANCEL"><action><ereg regexp="` + why + `" search_in="hdr" header="Reason:" check_it="true" assign_to="why"/></action></recv>
<Reference variables="why"/>` + reply("200 OK", "[last_CSeq:]", "") + reply("487 Request Terminated", "CSeq: 1 INVITE", "") + `<recv request="ACK"/>`
}

// wantTalkWith waits until the caller and a baresip hear each other, and lets the
// caller hang up.
func (s *scene) wantTalkWith(caller *placed, callee *desk) {
	s.Helper()
	caller.Await(phone.Answered, soon)
	awaitTone(s.T, "caller", caller.call, callee.hz)
	callee.AwaitTone(s.T, callerHz)
	caller.call.HangUp()
	callee.AwaitEnd(s.T)
}

// baresipConfirms has a machine answer at once, as a mobile's voicemail does.
func (s *scene) baresipConfirms(at netip.AddrPort) {
	voicemail := s.sipp("voicemail", at,
		`<recv request="INVITE"/>`, harness.CalleeReply(200, "OK"), `<recv request="ACK"/>`,
		`<recv request="BYE"><action><ereg regexp="SIP;cause=200" search_in="hdr" header="Reason:" check_it="true" assign_to="why"/></action></recv>`,
		`<Reference variables="why"/>`, reply("200 OK", "[last_CSeq:]", ""))
	ben := s.baresip("ben", "udp")
	caller := s.dial()
	ben.AwaitRing(s.T, outsider)
	ben.Answer()
	ben.Await("CALL_ESTABLISHED", soon)
	testkit.Eventually(s, soon, "baresip hears the request to confirm", func() bool {
		_, pcm := ben.HeardSoFar()
		return harness.HearsPrompt(s, pcm, core.PromptConfirm)
	})
	s.wantUnanswered(caller)
	ben.Digits("1")
	s.wantTalkWith(caller, ben)
	harness.WantSuccess(s, voicemail, soon)
}

func (s *scene) realPhonesLose(at netip.AddrPort) {
	sipp := s.sipp("loser", at, rings, cancelledElsewhere)
	cid, dan := s.baresip("cid", "udp"), s.baresip("dan", "tcp")
	winner := s.user("dan", deskHz)
	caller := s.dial()
	call := s.ring(winner)
	cid.AwaitRing(s.T, outsider)
	dan.AwaitRing(s.T, outsider)
	call.Answer()
	cid.AwaitElsewhere(s.T, outsider)
	dan.AwaitElsewhere(s.T, outsider)
	harness.WantSuccess(s, sipp, soon)
	s.wantTalk(caller, call, deskHz)
}

// talksEarly is a callee that says a tone before it answers, and never does.
func (s *scene) talksEarly(name string, at netip.AddrPort) *harness.Process {
	s.Helper()
	file := filepath.Join(harness.Artifacts(s), "greeting.ulaw")
	if err := os.WriteFile(file, ulaw(s.T, greetingHz, 20*time.Second), 0o600); err != nil {
		s.Fatal(err)
	}
	return s.sipp(name, at,
		`<recv request="INVITE"/>`,
		reply("183 Session Progress", "[last_CSeq:]", `Contact: <sip:sipp@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 0
`),
		`<nop><action><exec rtp_stream="`+file+`,-1,0"/></action></nop>`,
		cancelledBecause("SIP;cause=487"))
}

// ulaw returns a tone as G.711.
func ulaw(t *testing.T, hz float64, d time.Duration) []byte {
	t.Helper()
	enc, err := codec.NewEncoder(media.PCMU, phone.Rate)
	if err != nil {
		t.Fatal(err)
	}
	pcm := harness.Sine(phone.Rate, hz, d)
	out := make([]byte, len(pcm))
	for i := 0; i < len(pcm); i += phone.Frame {
		if _, err := enc.Encode(out[i:i+phone.Frame], pcm[i:i+phone.Frame]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// sippTalksEarly wants the caller to hear the callee before anybody answers.
func (s *scene) sippTalksEarly(at netip.AddrPort) {
	sipp := s.talksEarly("talker", at)
	caller := dial(s.T, s.user("eve", callerHz), "+4930111", phone.DialOptions{})
	awaitTone(s.T, "caller", caller.call, greetingHz)
	s.wantEarly(caller)
	s.giveUp(caller)
	harness.WantSuccess(s, sipp, soon)
}

// sippTalksInGroup is the same in a group, where the caller hears ringback.
func (s *scene) sippTalksInGroup(at netip.AddrPort) {
	sipp := s.talksEarly("member", at)
	caller := s.dial()
	awaitRingback(s.T, caller.call, time.Second, 440, 480)
	s.wantEarly(caller)
	s.wantNotHeard(caller, greetingHz)
	s.giveUp(caller)
	harness.WantSuccess(s, sipp, soon)
}
