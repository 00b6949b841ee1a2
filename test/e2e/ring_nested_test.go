//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/phone"
)

// TestRingNested shows groups inside groups, each by its own rules.
func TestRingNested(t *testing.T) {
	tellStories(t, nil, []story{
		{
			"group that takes turns inside one that rings all",
			[]string{"ann", "ben", "cid"},
			[]string{
				"name: outer1, endpoints: [{user: ann}, {group: inner1}]",
				"name: inner1, strategy: sequential, step_timeout: 1s, endpoints: [{user: ben}, {user: cid}]",
			},
			(*scene).turnsInside,
		},
		{
			"group that rings all inside one that takes turns",
			[]string{"dan", "eve", "fay"},
			[]string{
				"name: outer2, strategy: sequential, step_timeout: 1s, endpoints: [{group: inner2}, {user: fay}]",
				"name: inner2, endpoints: [{user: dan}, {user: eve}]",
			},
			(*scene).allInside,
		},
		{
			"time-out of the inner group",
			[]string{"gus", "hal", "oda", "pia"},
			[]string{
				"name: outer3, endpoints: [{user: gus}, {group: inner3}]",
				"name: inner3, strategy: sequential, step_timeout: 1s, ring_timeout: 2s, endpoints: [{user: hal}, {user: oda}, {user: pia}]",
			},
			(*scene).timeoutInside,
		},
		{
			"round robin of the inner group",
			[]string{"ida", "jim"},
			[]string{
				"name: outer4, endpoints: [{group: inner4}]",
				"name: inner4, strategy: round_robin, endpoints: [{user: ida}, {user: jim}]",
			},
			(*scene).roundInside,
		},
		{
			"confirm of the inner group asks nobody else",
			[]string{"kay", "leo"},
			[]string{
				"name: outer5, endpoints: [{user: kay}, {group: inner5}]",
				"name: inner5, confirm: {key: \"1\"}, endpoints: [{user: leo}]",
			},
			(*scene).confirmInside,
		},
		{
			"inner group of inner group, and the outer fall-through",
			[]string{"mia", "ned"},
			[]string{
				"name: outer6, endpoints: [{group: middle6}], busy: {user: ned}",
				"name: middle6, endpoints: [{group: inner6}], busy: {announce: closed}",
				"name: inner6, endpoints: [{user: mia}], busy: {announce: closed}",
			},
			(*scene).threeDeep,
		},
	})
}

func (s *scene) turnsInside() {
	phones := s.users("ann", "ben", "cid")
	caller := s.dial()
	ann := s.invited(phones[0], 1)
	s.wantAfter("ben was rung", ann, s.invited(phones[1], 1), 0)
	s.wantAfter("ben was given up", ann, s.cancelled(phones[1], 1, whyTimeout), time.Second)
	s.wantAfter("cid was rung", ann, s.invited(phones[2], 1), time.Second)
	cid := s.ring(phones[2])
	if len(messages(phones[0], "< CANCEL ")) > 0 {
		s.Error("ann was given up with ben")
	}
	cid.Answer()
	s.wantTalk(caller, cid, deskHz)
	s.cancelled(phones[0], 1, whyElsewhere)
}

func (s *scene) allInside() {
	phones := s.users("dan", "eve", "fay")
	caller := s.dial()
	dan := s.invited(phones[0], 1)
	s.wantAfter("eve was rung", dan, s.invited(phones[1], 1), 0)
	s.wantAfter("dan was given up", dan, s.cancelled(phones[0], 1, whyTimeout), time.Second)
	s.cancelled(phones[1], 1, whyTimeout)
	s.wantAfter("fay was rung", dan, s.invited(phones[2], 1), time.Second)
	fay := s.ring(phones[2])
	fay.Answer()
	s.wantTalk(caller, fay, deskHz)
}

// timeoutInside leaves the inner group no time for its third step; the outer one
// goes on.
func (s *scene) timeoutInside() {
	phones := s.users("gus", "hal", "oda", "pia")
	caller := s.dial()
	hal := s.invited(phones[1], 1)
	s.wantAfter("hal was given up", hal, s.cancelled(phones[1], 1, whyTimeout), time.Second)
	s.wantAfter("oda was given up", hal, s.cancelled(phones[2], 1, whyTimeout), 2*time.Second)
	gus := s.ring(phones[0])
	time.Sleep(300 * time.Millisecond) // time for an INVITE that must not come
	s.wantNotRung("pia", phones[3])
	if len(messages(phones[0], "< CANCEL ")) > 0 {
		s.Error("gus was given up with the inner group")
	}
	gus.Answer()
	s.wantTalk(caller, gus, deskHz)
}

// roundInside calls twice: the inner group remembers whose turn it is.
func (s *scene) roundInside() {
	team := s.team("ida", "jim")
	for i, want := range team.names {
		caller := s.dial()
		got, call := team.next()
		if got != want {
			s.Errorf("call %d began at %s, want %s", i+1, got, want)
		}
		call.Answer()
		s.wantTalk(caller, call, deskHz)
		team.awaitIdle()
	}
}

// confirmInside lets leo answer first, who must press the key, and then kay, who
// need not.
func (s *scene) confirmInside() {
	phones := s.users("kay", "leo")
	caller := s.dial()
	kay, leo := s.ring(phones[0]), s.ring(phones[1])
	leo.Answer()
	phones[1].Await(phone.Answered, soon)
	s.awaitPrompt("leo", leo, core.PromptConfirm)
	kay.Answer()
	s.wantTalk(caller, kay, deskHz)
	s.byed(phones[1], whyElsewhere)
}

// threeDeep has the innermost decline: only the outer group says where to go then.
func (s *scene) threeDeep() {
	phones := s.users("mia", "ned")
	caller := s.dial()
	s.ring(phones[0]).Decline(486)
	ned := s.ring(phones[1])
	ned.Answer()
	s.wantTalk(caller, ned, deskHz)
}
