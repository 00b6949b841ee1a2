//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestRingCallerHangsUp lets the caller give up in each phase of a group's call.
// Its INVITE ends with 487, and who was rung is told why.
func TestRingCallerHangsUp(t *testing.T) {
	slow := freeCarrier(t)
	trunks := []string{fmt.Sprintf(`name: slow, uri: "sip:%s", prefixes: ["4930"], calls_per_second: 0.2`, slow)}
	tellStories(t, trunks, []story{
		{
			"before anybody is alerted",
			[]string{"ann", "ben"},
			[]string{"name: unrung, endpoints: [{user: ann}, {user: ben}]"},
			(*scene).goneBeforeRinging,
		},
		{
			"while it rings, with another delayed",
			[]string{"cid", "dan"},
			[]string{"name: ringing, endpoints: [{user: cid}, {user: dan, delay: 1s}]"},
			(*scene).goneInDelay,
		},
		{
			"in the second step of taking turns",
			[]string{"eve", "fay", "gus"},
			[]string{"name: second, strategy: sequential, step_timeout: 1s, endpoints: [{user: eve}, {user: fay}, {user: gus}]"},
			(*scene).goneInStep,
		},
		{
			"while it waits for the pace of a trunk",
			nil,
			[]string{"name: paced, endpoints: [{phone: \"4930001\"}]"},
			func(s *scene) { s.goneInQueue(slow) },
		},
		{
			"after the fall-through to another group",
			[]string{"hal", "ida"},
			[]string{
				"name: fallen, endpoints: [{user: hal}], busy: {group: next}",
				"name: next, endpoints: [{user: ida}]",
			},
			(*scene).goneAfterFallThrough,
		},
		{
			"in the announcement of the fall-through",
			[]string{"jim"},
			[]string{"name: told, endpoints: [{user: jim}], busy: {announce: closed}"},
			(*scene).goneInAnnouncement,
		},
		{
			"at the moment of the answer",
			[]string{"kay", "leo"},
			[]string{"name: moment, endpoints: [{user: kay}, {user: leo}]"},
			(*scene).goneAtAnswer,
		},
	})
}

// giveUp lets the caller hang up and returns when.
func (s *scene) giveUp(caller *placed) time.Time {
	s.Helper()
	caller.call.HangUp()
	if ended := caller.Await(phone.Ended, soon); ended.Code != 487 {
		s.Errorf("the caller's INVITE ended with %d, want 487", ended.Code)
	}
	return s.message(caller.Phone, 1, "> CANCEL ").At
}

// goneBeforeRinging has phones that say nothing but 100 Trying: they may be
// cancelled then (RFC 3261 section 9.1).
func (s *scene) goneBeforeRinging() {
	var phones []*harness.Phone
	for _, name := range []string{"ann", "ben"} {
		phones = append(phones, s.house.user(s.T, name, phone.Config{ManualRing: true}))
	}
	caller := s.dial()
	for _, p := range phones {
		s.ring(p)
	}
	gone := s.giveUp(caller)
	for _, p := range phones {
		s.wantAfter("a phone was told", gone, s.cancelled(p, 1, whyCallerGone), 0)
	}
}

func (s *scene) goneInDelay() {
	phones := s.users("cid", "dan")
	caller := s.dial()
	s.ring(phones[0])
	caller.Await(phone.Early, soon)
	gone := s.giveUp(caller)
	s.wantAfter("cid was told", gone, s.cancelled(phones[0], 1, whyCallerGone), 0)
	time.Sleep(1200 * time.Millisecond) // the delay passes
	s.wantNotRung("dan", phones[1])
}

func (s *scene) goneInStep() {
	phones := s.users("eve", "fay", "gus")
	caller := s.dial()
	s.cancelled(phones[0], 1, whyTimeout)
	s.ring(phones[1])
	gone := s.giveUp(caller)
	s.wantAfter("fay was told", gone, s.cancelled(phones[1], 1, whyCallerGone), 0)
	time.Sleep(1200 * time.Millisecond) // the step passes
	s.wantNotRung("gus", phones[2])
}

// goneInQueue makes three calls over a trunk that takes one in 5 s: the second one
// gives up while it waits, and the third gets its turn.
func (s *scene) goneInQueue(at netip.AddrPort) {
	trunk := s.carrier(at)
	first := s.dial()
	s.ring(trunk)
	second := s.dial()
	s.message(second.Phone, 1, "< SIP/2.0 100 ")
	time.Sleep(300 * time.Millisecond) // it waits
	s.giveUp(second)
	s.giveUp(first)
	s.cancelled(trunk, 1, whyCallerGone)
	third := s.dial()
	s.wantAfter("the third call left", s.invited(trunk, 1), s.invited(trunk, 2), 5*time.Second)
	s.giveUp(third)
	if n := len(messages(trunk, "< INVITE ")); n != 2 {
		s.Errorf("the trunk got %d calls, want 2", n)
	}
}

func (s *scene) goneAfterFallThrough() {
	phones := s.users("hal", "ida")
	caller := s.dial()
	s.ring(phones[0]).Decline(486)
	s.ring(phones[1])
	gone := s.giveUp(caller)
	s.wantAfter("ida was told", gone, s.cancelled(phones[1], 1, whyCallerGone), 0)
}

func (s *scene) goneInAnnouncement() {
	jim := s.user("jim", deskHz)
	caller := s.dial()
	s.ring(jim).Decline(486)
	caller.Await(phone.Early, soon)
	time.Sleep(500 * time.Millisecond) // it has begun
	s.giveUp(caller)
}

// goneAtAnswer sends the answer and the CANCEL at once. Whichever wins, the other
// phone is told the truth, and nobody is left in a call.
func (s *scene) goneAtAnswer() {
	phones := s.users("kay", "leo")
	for n := 1; n <= 20; n++ {
		caller := s.dial()
		kay := s.ring(phones[0])
		s.ring(phones[1])
		go kay.Answer()
		caller.call.HangUp()
		caller.Await(phone.Ended, soon)
		phones[0].Await(phone.Ended, soon)
		phones[1].Await(phone.Ended, soon)
		m := s.message(phones[1], n, "< CANCEL ")
		if !m.Is("< ", whyElsewhere) && !m.Is("< ", whyCallerGone) {
			s.Errorf("leo was told %s", m.Header("Reason"))
		}
	}
}
