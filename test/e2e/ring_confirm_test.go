//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestRingConfirm shows a group that gives the call to who presses the key, not
// to who answers. Keys are RFC 4733 events.
func TestRingConfirm(t *testing.T) {
	tellStories(t, nil, []story{
		{
			"two listen at once, the key wins and not the answer",
			[]string{"ann", "ben", "cid"},
			[]string{"name: two, confirm: {}, endpoints: [{user: ann}, {user: ben}, {user: cid}]"},
			(*scene).twoListen,
		},
		{
			"another key means nothing",
			[]string{"dan"},
			[]string{"name: keys, confirm: {key: \"#\"}, endpoints: [{user: dan}]"},
			(*scene).anotherKey,
		},
		{
			"no key in time counts as no answer",
			[]string{"eve"},
			[]string{"name: silent, confirm: {timeout: 2s}, endpoints: [{user: eve}]"},
			(*scene).noKey,
		},
		{
			"prompt is repeated until the time-out",
			[]string{"fay", "gus"},
			[]string{"name: again, strategy: sequential, confirm: {timeout: 7s}, endpoints: [{user: fay}, {user: gus}]"},
			(*scene).promptRepeats,
		},
		{
			"hung up while listening, another takes it",
			[]string{"hal", "ida"},
			[]string{"name: hung, confirm: {}, endpoints: [{user: hal}, {user: ida}]"},
			(*scene).hungUpListening,
		},
		{
			"ring time-out while one listens",
			[]string{"jim", "kay"},
			[]string{"name: late, ring_timeout: 1s, confirm: {timeout: 9s}, endpoints: [{user: jim}, {user: kay}]"},
			(*scene).timeoutWhileListening,
		},
		{
			"caller hangs up while one listens",
			[]string{"leo", "mia"},
			[]string{"name: gone, confirm: {}, endpoints: [{user: leo}, {user: mia}]"},
			(*scene).callerGoneWhileListening,
		},
		{
			"another announcement asks",
			[]string{"ned"},
			[]string{"name: other, confirm: {prompt: closed}, endpoints: [{user: ned}]"},
			(*scene).otherPrompt,
		},
		{
			"announcement that is missing: the key counts",
			[]string{"oda"},
			[]string{"name: mute, confirm: {prompt: \"file:nothing.wav\"}, endpoints: [{user: oda}]"},
			(*scene).missingPrompt,
		},
	})
}

// listen lets a phone answer and waits until its party listens to the prompt.
func (s *scene) listen(p *harness.Phone) (*phone.Call, time.Time) {
	s.Helper()
	call := s.ring(p)
	call.Answer()
	p.Await(phone.Answered, soon)
	return call, s.message(p, 1, "< ACK ").At
}

// wantUnanswered fails the test if the caller was answered, and so charged.
func (s *scene) wantUnanswered(caller *placed) {
	s.Helper()
	if n := len(messages(caller.Phone, "< SIP/2.0 200 ", " INVITE\r\n")); n > 0 {
		s.Error("the caller was answered before anybody pressed the key")
	}
}

func (s *scene) twoListen() {
	phones := s.users("ann", "ben", "cid")
	caller := s.dial()
	ann, _ := s.listen(phones[0])
	ben, _ := s.listen(phones[1])
	s.awaitPrompt("ann", ann, core.PromptConfirm)
	s.awaitPrompt("ben", ben, core.PromptConfirm)
	if len(messages(phones[2], "< CANCEL ")) > 0 {
		s.Error("cid stopped ringing when ann answered")
	}
	caller.Await(phone.Early, soon)
	awaitRingback(s.T, caller.call, time.Second, 440, 480)
	s.wantUnanswered(caller)
	if harness.HasTone(caller.call.Heard(20*time.Second), phone.Rate, deskHz, 250*time.Millisecond) {
		s.Error("the caller hears who has not pressed the key")
	}
	pressed := time.Now()
	ben.Digits("1")
	s.wantAfter("ann was told", pressed, s.byed(phones[0], whyElsewhere), 0)
	s.wantAfter("cid was told", pressed, s.cancelled(phones[2], 1, whyElsewhere), 0)
	s.wantAfter("the caller was answered", pressed, s.message(caller.Phone, 1, "< SIP/2.0 200 ", " INVITE\r\n").At, 0)
	s.wantTalk(caller, ben, deskHz)
}

// anotherKey presses all keys but the right one, and then that. The callee's
// codec is Opus, whose keys have another clock.
func (s *scene) anotherKey() {
	dan := s.house.user(s.T, "dan", phone.Config{Say: says(deskHz), Codecs: []media.Codec{media.Opus}})
	caller := s.dial()
	call, _ := s.listen(dan)
	s.awaitPrompt("dan", call, core.PromptConfirm)
	call.Digits("0123456789*")
	time.Sleep(3 * time.Second) // 0.2 s each
	s.wantUnanswered(caller)
	call.Digits("#")
	s.wantTalk(caller, call, deskHz)
}

func (s *scene) noKey() {
	eve := s.user("eve", deskHz)
	caller := s.dial()
	_, up := s.listen(eve)
	s.wantAfter("eve was given up", up, s.byed(eve, whyTimeout), 2*time.Second)
	caller.wantRefused(480, core.CauseNoAnswer, core.PromptNoAnswer)
}

// promptRepeats looks for a prompt of 2.8 s in the first 3 s and in the rest.
func (s *scene) promptRepeats() {
	phones := s.users("fay", "gus")
	caller := s.dial()
	fay, up := s.listen(phones[0])
	s.wantAfter("fay was given up", up, s.byed(phones[0], whyTimeout), 7*time.Second)
	heard := fay.Heard(20 * time.Second)
	if len(heard) < 11*phone.Rate/2 { // a busy machine leaves out some
		s.Fatalf("fay heard %.1f s", float64(len(heard))/phone.Rate)
	}
	for which, pcm := range map[string][]int16{"first": heard[:3*phone.Rate], "second": heard[5*phone.Rate/2:]} {
		if !harness.HearsPrompt(s, pcm, core.PromptConfirm) {
			s.Errorf("the %s prompt is missing", which)
		}
	}
	gus, _ := s.listen(phones[1])
	gus.Digits("1")
	s.wantTalk(caller, gus, deskHz)
}

func (s *scene) hungUpListening() {
	phones := s.users("hal", "ida")
	caller := s.dial()
	hal, _ := s.listen(phones[0])
	s.awaitPrompt("hal", hal, core.PromptConfirm)
	hal.HangUp()
	ida, _ := s.listen(phones[1])
	s.wantUnanswered(caller)
	ida.Digits("1")
	s.wantTalk(caller, ida, deskHz)
}

// timeoutWhileListening lets the group's time end while jim listens, who may
// still press the key; the caller waits that long.
func (s *scene) timeoutWhileListening() {
	phones := s.users("jim", "kay")
	caller := s.dial()
	jim, _ := s.listen(phones[0])
	s.wantAfter("kay was given up", s.invited(phones[1], 1), s.cancelled(phones[1], 1, whyTimeout), time.Second)
	s.awaitPrompt("jim", jim, core.PromptConfirm)
	jim.Digits("1")
	s.wantTalk(caller, jim, deskHz)
}

func (s *scene) callerGoneWhileListening() {
	phones := s.users("leo", "mia")
	caller := s.dial()
	leo, _ := s.listen(phones[0])
	s.awaitPrompt("leo", leo, core.PromptConfirm)
	caller.call.HangUp()
	if ended := caller.Await(phone.Ended, soon); ended.Code != 487 {
		s.Errorf("the caller's INVITE ended with %d, want 487", ended.Code)
	}
	s.byed(phones[0], whyCallerGone)
	s.cancelled(phones[1], 1, whyCallerGone)
}

func (s *scene) otherPrompt() {
	ned := s.user("ned", deskHz)
	caller := s.dial()
	call, _ := s.listen(ned)
	s.awaitPrompt("ned", call, core.PromptClosed)
	call.Digits("1")
	s.wantTalk(caller, call, deskHz)
}

func (s *scene) missingPrompt() {
	oda := s.user("oda", deskHz)
	caller := s.dial()
	call, _ := s.listen(oda)
	time.Sleep(1500 * time.Millisecond) // the file is asked for again and again
	s.wantUnanswered(caller)
	call.Digits("1")
	s.wantTalk(caller, call, deskHz)
}
