//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// TestRingTimes shows when the endpoints of a group begin and stop to ring.
func TestRingTimes(t *testing.T) {
	tellStories(t, nil, []story{
		{
			"delay holds an endpoint back",
			[]string{"ann", "ben"},
			[]string{"name: later, endpoints: [{user: ann}, {user: ben, delay: 1s}]"},
			(*scene).delay,
		},
		{
			"delay ends when nobody else rings",
			[]string{"cid", "dan"},
			[]string{"name: sooner, endpoints: [{user: cid}, {user: dan, delay: 10s}]"},
			(*scene).delayCutShort,
		},
		{
			"delay of an endpoint whose turn has come",
			[]string{"eve", "fay"},
			[]string{"name: pause, strategy: sequential, endpoints: [{user: eve}, {user: fay, delay: 1s}]"},
			(*scene).delayInTurn,
		},
		{
			"time-out of one endpoint, the others ring on",
			[]string{"gus", "hal"},
			[]string{"name: short, endpoints: [{user: gus, timeout: 1s}, {user: hal}]"},
			(*scene).timeout,
		},
		{
			"time-out of one endpoint instead of the step's",
			[]string{"ida", "jim", "kay"},
			[]string{"name: steps, strategy: sequential, step_timeout: 1s, endpoints: [{user: ida, timeout: 2s}, {user: jim}, {user: kay}]"},
			(*scene).timeoutInTurn,
		},
		{
			"ring time-out of the whole group",
			[]string{"leo", "mia", "ned"},
			[]string{"name: whole, strategy: sequential, step_timeout: 2s, ring_timeout: 3s, endpoints: [{user: leo}, {user: mia}, {user: ned}]"},
			(*scene).ringTimeoutInTurn,
		},
		{
			"delay longer than the ring time-out: never rung",
			[]string{"oda", "pia"},
			[]string{"name: never, ring_timeout: 1s, endpoints: [{user: oda}, {user: pia, delay: 1500ms}]"},
			(*scene).delayTooLong,
		},
	})
}

func (s *scene) delay() {
	phones := s.users("ann", "ben")
	caller := s.dial()
	ann := s.invited(phones[0], 1)
	s.wantAfter("ben was rung", ann, s.invited(phones[1], 1), time.Second)
	ben := s.ring(phones[1])
	ben.Answer()
	s.wantTalk(caller, ben, deskHz)
	s.cancelled(phones[0], 1, whyElsewhere)
}

// delayCutShort has the only one that rings decline: there is nothing to wait for.
func (s *scene) delayCutShort() {
	phones := s.users("cid", "dan")
	caller := s.dial()
	s.ring(phones[0]).Decline(486)
	declined := s.message(phones[0], 1, "> SIP/2.0 486 ").At
	s.wantAfter("dan was rung", declined, s.invited(phones[1], 1), 0)
	dan := s.ring(phones[1])
	dan.Answer()
	s.wantTalk(caller, dan, deskHz)
}

func (s *scene) delayInTurn() {
	phones := s.users("eve", "fay")
	caller := s.dial()
	s.ring(phones[0]).Decline(486)
	declined := s.message(phones[0], 1, "> SIP/2.0 486 ").At
	s.wantAfter("fay was rung", declined, s.invited(phones[1], 1), time.Second)
	fay := s.ring(phones[1])
	fay.Answer()
	s.wantTalk(caller, fay, deskHz)
}

func (s *scene) timeout() {
	phones := s.users("gus", "hal")
	caller := s.dial()
	s.wantAfter("gus was given up", s.invited(phones[0], 1), s.cancelled(phones[0], 1, whyTimeout), time.Second)
	hal := s.ring(phones[1])
	if n := len(messages(phones[1], "< CANCEL ")); n > 0 {
		s.Error("hal was given up with gus")
	}
	hal.Answer()
	s.wantTalk(caller, hal, deskHz)
}

func (s *scene) timeoutInTurn() {
	phones := s.users("ida", "jim", "kay")
	caller := s.dial()
	ida := s.invited(phones[0], 1)
	s.wantAfter("ida was given up", ida, s.cancelled(phones[0], 1, whyTimeout), 2*time.Second)
	jim := s.invited(phones[1], 1)
	s.wantAfter("jim was rung", ida, jim, 2*time.Second)
	s.wantAfter("jim was given up", jim, s.cancelled(phones[1], 1, whyTimeout), time.Second)
	kay := s.ring(phones[2])
	kay.Answer()
	s.wantTalk(caller, kay, deskHz)
}

// ringTimeoutInTurn ends the second's step early and leaves no time for the third.
func (s *scene) ringTimeoutInTurn() {
	phones := s.users("leo", "mia", "ned")
	caller := s.dial()
	leo := s.invited(phones[0], 1)
	s.wantAfter("mia was rung", leo, s.invited(phones[1], 1), 2*time.Second)
	s.wantAfter("mia was given up", leo, s.cancelled(phones[1], 1, whyTimeout), 3*time.Second)
	caller.wantRefused(480, core.CauseNoAnswer, core.PromptNoAnswer)
	s.wantNotRung("ned", phones[2])
}

func (s *scene) delayTooLong() {
	phones := s.users("oda", "pia")
	caller := s.dial()
	s.wantAfter("oda was given up", s.invited(phones[0], 1), s.cancelled(phones[0], 1, whyTimeout), time.Second)
	caller.wantRefused(480, core.CauseNoAnswer, core.PromptNoAnswer)
	s.wantNotRung("pia", phones[1])
}
