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

// TestRingSkips shows who is left out: the busy, who is not to be disturbed, the
// other devices of who declined, and who is beyond a limit.
func TestRingSkips(t *testing.T) {
	far, narrow := freeCarrier(t), freeCarrier(t)
	trunks := []string{
		fmt.Sprintf(`name: far, uri: "sip:%s", prefixes: ["4930"]`, far),
		fmt.Sprintf(`name: narrow, uri: "sip:%s", prefixes: ["4940"], limits: {calls: 1}`, narrow),
	}
	tellStories(t, trunks, []story{
		{
			"skip busy: who is in a call is not rung, and is rung later",
			[]string{"ann", "ben", "cid"},
			[]string{"name: free, skip_busy: true, endpoints: [{user: ann}, {user: ben}, {user: cid}]"},
			(*scene).skipBusy,
		},
		{
			"skip busy: all are",
			[]string{"dan", "eve"},
			[]string{"name: full, skip_busy: true, endpoints: [{user: dan}, {user: eve}]"},
			(*scene).allBusySkipped,
		},
		{
			"without skip busy the phone decides",
			[]string{"fay", "gus"},
			[]string{"name: all, endpoints: [{user: fay}]"},
			(*scene).busyIsRung,
		},
		{
			"do not disturb",
			[]string{"hal, do_not_disturb: true", "ida"},
			[]string{"name: quiet, endpoints: [{user: hal}, {user: ida}]"},
			(*scene).doNotDisturb,
		},
		{
			"one device declines for all of its user",
			[]string{"jim, decline_all: true", "kay"},
			[]string{"name: decline, endpoints: [{user: jim}, {user: kay}]"},
			(*scene).declineAll,
		},
		{
			"one device declines for itself",
			[]string{"leo"},
			[]string{"name: alone, endpoints: [{user: leo}]"},
			(*scene).declineOne,
		},
		{
			"one device is busy: the others ring on, also with decline_all",
			[]string{"mia, decline_all: true"},
			[]string{"name: busy1, endpoints: [{user: mia}]"},
			func(s *scene) { s.firstOfTwo("mia", 486) },
		},
		{
			"calls at once of a user",
			[]string{"ned, limits: {calls: 1}"},
			nil,
			func(s *scene) { s.userLimit(far) },
		},
		{
			"calls at once of a trunk",
			[]string{"oda"},
			[]string{"name: mobiles, endpoints: [{phone: \"4940111\"}, {user: oda}]"},
			func(s *scene) { s.trunkLimit(narrow) },
		},
	})
}

// talking lets one user call another by name, and returns the call once it is up.
func (s *scene) talking(a, b *harness.Phone, name string) *placed {
	s.Helper()
	call := dial(s.T, a, name, phone.DialOptions{})
	s.ring(b).Answer()
	call.Await(phone.Answered, soon)
	return call
}

func (s *scene) skipBusy() {
	phones := s.users("ann", "ben", "cid")
	talk := s.talking(phones[0], phones[1], "ben") // ben's first INVITE
	caller := s.dial()
	cid := s.ring(phones[2])
	s.wantNotRung("ann, who is in a call,", phones[0])
	if n := len(messages(phones[1], "< INVITE ")); n > 1 {
		s.Error("ben, who is in a call, was rung")
	}
	cid.Answer()
	s.wantTalk(caller, cid, deskHz)
	talk.call.HangUp()
	phones[1].Await(phone.Ended, soon)

	caller = s.dial()
	s.invited(phones[0], 1)
	s.invited(phones[1], 2)
	s.invited(phones[2], 2)
	caller.call.HangUp()
	caller.Await(phone.Ended, soon)
}

func (s *scene) allBusySkipped() {
	phones := s.users("dan", "eve")
	talk := s.talking(phones[0], phones[1], "eve")
	s.dial().wantRefused(486, core.CauseBusy, core.PromptBusy)
	s.wantNotRung("dan, who is in a call,", phones[0])
	talk.call.HangUp()
	talk.Await(phone.Ended, soon)
}

func (s *scene) busyIsRung() {
	phones := s.users("fay", "gus")
	talk := s.talking(phones[0], phones[1], "gus")
	caller := s.dial()
	fay := s.ring(phones[0])
	fay.Answer()
	s.wantTalk(caller, fay, deskHz)
	talk.call.HangUp()
	phones[1].Await(phone.Ended, soon)
}

func (s *scene) doNotDisturb() {
	phones := s.users("hal", "ida")
	caller := s.dial()
	ida := s.ring(phones[1])
	ida.Answer()
	s.wantTalk(caller, ida, deskHz)
	phones[1].Await(phone.Ended, soon)
	dial(s.T, phones[1], "hal", phone.DialOptions{}).wantRefused(486, core.CauseBusy, core.PromptBusy)
	s.wantNotRung("hal", phones[0])
}

func (s *scene) declineAll() {
	phones := s.users("jim", "jim", "kay")
	caller := s.dial()
	s.ring(phones[1])
	s.ring(phones[0]).Decline(603)
	declined := s.message(phones[0], 1, "> SIP/2.0 603 ").At
	s.wantAfter("the other device was told", declined, s.cancelled(phones[1], 1, whyDeclined), 0)
	kay := s.ring(phones[2])
	if len(messages(phones[2], "< CANCEL ")) > 0 {
		s.Error("kay stopped ringing when jim declined")
	}
	kay.Answer()
	s.wantTalk(caller, kay, deskHz)
}

func (s *scene) declineOne() { s.firstOfTwo("leo", 603) }

// firstOfTwo lets the first of a user's two devices refuse and the other answer.
func (s *scene) firstOfTwo(user string, code int) {
	s.Helper()
	phones := s.users(user, user)
	caller := s.dial()
	s.ring(phones[0]).Decline(code)
	s.message(phones[0], 1, "< ACK ")
	second := s.ring(phones[1])
	time.Sleep(300 * time.Millisecond) // time for a CANCEL that must not come
	second.Answer()
	s.wantTalk(caller, second, deskHz)
	if len(messages(phones[1], "< CANCEL ")) > 0 {
		s.Error("the second device was cancelled")
	}
}

// userLimit lets a user with one call at a time dial out three times.
func (s *scene) userLimit(at netip.AddrPort) {
	far := s.carrier(at)
	ned := s.user("ned", deskHz)
	first := dial(s.T, ned, "+4930111", phone.DialOptions{})
	mobile := s.ring(far)
	mobile.Answer()
	first.Await(phone.Answered, soon)

	other := s.user("ned", deskHz)
	dial(s.T, other, "+4930112", phone.DialOptions{}).wantRefused(403, core.CauseNotAllowed, core.PromptNotAllowed)
	if n := len(messages(far, "< INVITE ")); n != 1 {
		s.Errorf("the carrier got %d calls, want 1", n)
	}
	awaitTone(s.T, "ned", first.call, mobileHz) // goes on
	first.call.HangUp()
	far.Await(phone.Ended, soon)

	third := dial(s.T, ned, "+4930113", phone.DialOptions{})
	s.ring(far)
	third.call.HangUp()
	far.Await(phone.Ended, soon)
}

// trunkLimit calls a group with a mobile behind a trunk that takes one call.
func (s *scene) trunkLimit(at netip.AddrPort) {
	narrow := s.carrier(at)
	oda := s.user("oda", deskHz)
	first := s.dial()
	mobile := s.ring(narrow)
	s.ring(oda)
	mobile.Answer()
	first.Await(phone.Answered, soon)

	second := s.dial()
	call := s.ring(oda)
	call.Answer()
	s.wantTalk(second, call, deskHz)
	if n := len(messages(narrow, "< INVITE ")); n != 1 {
		s.Errorf("a trunk for one call got %d", n)
	}
	first.call.HangUp()
	narrow.Await(phone.Ended, soon)

	third := s.dial()
	s.invited(narrow, 2)
	third.call.HangUp()
	third.Await(phone.Ended, soon)
}
