//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/tone"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// greetingHz is what a callee says before it answers.
const greetingHz = 950

// TestRingSounds shows what the caller of a group hears while it rings.
func TestRingSounds(t *testing.T) {
	tellStories(t, nil, []story{
		{
			"ringback as in the US where nothing is set",
			[]string{"ann"},
			[]string{"name: usual, endpoints: [{user: ann}]"},
			func(s *scene) { s.hearsRingback("ann", 440, 480) },
		},
		{
			"ringback of another country",
			[]string{"ben"},
			[]string{"name: german, caller_hears: de, endpoints: [{user: ben}]"},
			func(s *scene) { s.hearsRingback("ben", 425) },
		},
		{
			"ringback of a country with two tones",
			[]string{"cid"},
			[]string{"name: japanese, caller_hears: jp, endpoints: [{user: cid}]"},
			func(s *scene) { s.hearsRingback("cid", 384, 416) },
		},
		{
			"music",
			[]string{"dan"},
			[]string{"name: music, caller_hears: music, endpoints: [{user: dan}]"},
			(*scene).hearsMusic,
		},
		{
			"early media of a single callee is passed on",
			[]string{"eve", "fay"},
			nil,
			(*scene).hearsCallee,
		},
		{
			"early media of a single callee that declines: its own words are the last",
			[]string{"gus", "hal"},
			nil,
			(*scene).hearsRefusal,
		},
		{
			"early media of one of two devices is not",
			[]string{"ida", "jim"},
			nil,
			(*scene).hearsNoDevice,
		},
		{
			"early media of a group is never passed on",
			[]string{"kay"},
			[]string{"name: single, endpoints: [{user: kay}]"},
			(*scene).hearsNoMember,
		},
		{
			"nothing before somebody is alerted",
			[]string{"leo"},
			[]string{"name: slow, endpoints: [{user: leo}]"},
			(*scene).hearsNothingYet,
		},
	})
}

// wantEarly checks that the caller got early media once, and no answer.
func (s *scene) wantEarly(caller *placed) {
	s.Helper()
	if n := len(messages(caller.Phone, "< SIP/2.0 183 ", "\r\nm=audio ")); n != 1 {
		s.Errorf("the caller got %d times 183 with SDP", n)
	}
	s.wantUnanswered(caller)
}

// hearsRingback looks for half a second of it: some countries ring for a second only.
func (s *scene) hearsRingback(user string, hz ...float64) {
	s.Helper()
	p := s.user(user, deskHz)
	caller := s.dial()
	call := s.ring(p)
	awaitRingback(s.T, caller.call, 500*time.Millisecond, hz...)
	s.wantEarly(caller)
	call.Answer()
	s.wantTalk(caller, call, deskHz)
}

func (s *scene) hearsMusic() {
	dan := s.user("dan", deskHz)
	caller := s.dial()
	call := s.ring(dan)
	begin := make([]int16, 4*phone.Rate)
	tone.NewMusic(phone.Rate).Read(begin)
	testkit.Eventually(s, soon, "the caller hears the music", func() bool {
		return harness.HearsRecording(caller.call.Heard(20*time.Second), begin)
	})
	s.wantEarly(caller)
	call.Answer()
	s.wantTalk(caller, call, deskHz)
}

// hearsCallee is a call of a user's only device, which says something before it
// answers.
func (s *scene) hearsCallee() {
	eve, fay := s.user("eve", greetingHz), s.user("fay", callerHz)
	caller := dial(s.T, fay, "eve", phone.DialOptions{})
	call := s.ring(eve)
	call.Early()
	awaitTone(s.T, "caller", caller.call, greetingHz)
	s.wantEarly(caller)
	if n := len(messages(fay, "< SIP/2.0 180 ")); n != 0 {
		s.Errorf("%d times 180 before the callee's, which comes after its 183", n)
	}
	call.Ring()
	if rings := s.message(fay, 1, "< SIP/2.0 180 "); strings.Contains(rings.Text, "m=audio") {
		s.Errorf("180 with SDP after 183:\n%s", rings.Text)
	}
	call.Say(phone.Tone(deskHz))
	awaitTone(s.T, "caller, still early,", caller.call, deskHz)
	s.wantEarly(caller)
	call.Answer()
	s.wantTalk(caller, call, deskHz)
}

// hearsRefusal wants no announcement of ours behind the callee's own.
func (s *scene) hearsRefusal() {
	gus, hal := s.user("gus", greetingHz), s.user("hal", callerHz)
	caller := dial(s.T, hal, "gus", phone.DialOptions{})
	call := s.ring(gus)
	call.Early()
	awaitTone(s.T, "caller", caller.call, greetingHz)
	call.Decline(486)
	declined := s.message(gus, 1, "> SIP/2.0 486 ").At
	s.wantAfter("the caller was refused", declined, s.message(caller.Phone, 1, "< SIP/2.0 486 ").At, 0)
	caller.Await(phone.Ended, soon)
}

// hearsNoDevice rings two devices of one user, of which one says something.
func (s *scene) hearsNoDevice() {
	jim := s.user("jim", callerHz)
	devices := []*harness.Phone{s.user("ida", greetingHz), s.user("ida", greetingHz)}
	caller := dial(s.T, jim, "ida", phone.DialOptions{})
	call := s.ring(devices[0])
	s.ring(devices[1])
	call.Early()
	awaitRingback(s.T, caller.call, time.Second, 440, 480)
	s.wantNotHeard(caller, greetingHz)
	call.Answer()
	s.wantTalk(caller, call, greetingHz)
}

// hearsNoMember has a group of one: a voicemail's greeting must not speak for it.
func (s *scene) hearsNoMember() {
	kay := s.user("kay", greetingHz)
	caller := s.dial()
	call := s.ring(kay)
	call.Early()
	awaitRingback(s.T, caller.call, time.Second, 440, 480)
	s.wantNotHeard(caller, greetingHz)
	call.Answer()
	s.wantTalk(caller, call, greetingHz)
}

// wantNotHeard fails the test if the caller has heard a tone.
func (s *scene) wantNotHeard(caller *placed, hz float64) {
	s.Helper()
	if harness.HasTone(caller.call.Heard(20*time.Second), phone.Rate, hz, 250*time.Millisecond) {
		s.Errorf("the caller heard %.0f Hz", hz)
	}
}

// hearsNothingYet has a phone that is slow to ring.
func (s *scene) hearsNothingYet() {
	leo := harness.NewUser(s, s.Offhook, "leo", password("leo"), phone.Config{ManualRing: true, Say: says(deskHz)})
	caller := s.dial()
	call := s.ring(leo)
	time.Sleep(time.Second) // it may take its time
	for _, m := range caller.Wire().Messages() {
		if strings.HasPrefix(m.Text, "< SIP/2.0 18") {
			s.Errorf("the caller was told that somebody is alerted: %s", m.Text)
		}
	}
	call.Ring()
	rang := s.message(leo, 1, "> SIP/2.0 180 ").At
	s.wantAfter("the caller was told", rang, s.message(caller.Phone, 1, "< SIP/2.0 183 ").At, 0)
	awaitRingback(s.T, caller.call, time.Second, 440, 480)
	call.Answer()
	s.wantTalk(caller, call, deskHz)
}
