//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestRingOrder shows who is rung when, by strategy.
func TestRingOrder(t *testing.T) {
	tellStories(t, nil, []story{
		{
			"simultaneous: all at once, the first to answer gets it",
			[]string{"ann", "ben", "cid"},
			[]string{"name: together, endpoints: [{user: ann}, {user: ben}, {user: cid}]"},
			(*scene).simultaneous,
		},
		{
			"sequential: one after the other, each for its step",
			[]string{"dan", "eve", "fay"},
			[]string{"name: turns, strategy: sequential, step_timeout: 1s, endpoints: [{user: dan}, {user: eve}, {user: fay}]"},
			(*scene).sequential,
		},
		{
			"round robin: each call begins behind the last one",
			[]string{"gus", "hal", "ida"},
			[]string{"name: round, strategy: round_robin, endpoints: [{user: gus}, {user: hal}, {user: ida}]"},
			(*scene).roundRobin,
		},
		{
			"random: first turns by weight",
			[]string{"jim", "kay"},
			[]string{"name: lots, strategy: random, endpoints: [{user: jim, weight: 4}, {user: kay}]"},
			(*scene).random,
		},
		{
			"least recent: who has not talked for longest",
			[]string{"leo", "mia", "ned"},
			[]string{"name: fair, strategy: least_recent, endpoints: [{user: leo}, {user: mia}, {user: ned}]"},
			(*scene).leastRecent,
		},
	})
}

func (s *scene) simultaneous() {
	phones := s.users("ann", "ben", "cid")
	caller := s.dial()
	first, last := s.invited(phones[0], 1), s.invited(phones[0], 1)
	for _, p := range phones[1:] {
		at := s.invited(p, 1)
		first, last = earlier(first, at), later(last, at)
	}
	if spread := last.Sub(first); spread > 1500*time.Millisecond {
		s.Errorf("the INVITEs left over %v", spread)
	}
	s.ring(phones[0])
	ben := s.ring(phones[1])
	s.ring(phones[2])
	ben.Answer()
	answer := s.message(phones[1], 1, "> SIP/2.0 200 ", " INVITE\r\n").At
	for i, p := range []*harness.Phone{phones[0], phones[2]} {
		s.wantAfter(fmt.Sprintf("loser %d was told", i), answer, s.cancelled(p, 1, whyElsewhere), 0)
	}
	s.wantTalk(caller, ben, deskHz)
	if n := len(messages(phones[1], "< CANCEL ")); n > 0 {
		s.Errorf("the winner got %d CANCELs", n)
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// sequential has the first ring for its whole step, the second decline, the
// third answer.
func (s *scene) sequential() {
	phones := s.users("dan", "eve", "fay")
	caller := s.dial()
	dan := s.invited(phones[0], 1)
	s.wantAfter("dan was given up", dan, s.cancelled(phones[0], 1, whyTimeout), time.Second)
	eve := s.invited(phones[1], 1)
	s.wantAfter("eve was rung", dan, eve, time.Second)
	s.wantNotRung("fay, whose turn has not come,", phones[2])
	s.ring(phones[1]).Decline(486)
	s.wantAfter("fay was rung", s.message(phones[1], 1, "> SIP/2.0 486 ").At, s.invited(phones[2], 1), 0)
	fay := s.ring(phones[2])
	fay.Answer()
	s.wantTalk(caller, fay, deskHz)
}

// roundRobin makes four calls. In the second one everybody declines: the round
// goes on behind who began, not behind who was last.
func (s *scene) roundRobin() {
	team := s.team("gus", "hal", "ida")
	var begun []string
	for nth := range 4 {
		caller := s.dial()
		first, call := team.next()
		begun = append(begun, first)
		if nth == 1 {
			call.Decline(486)
			order := append([]string{first}, team.decline(2)...)
			if want := []string{"hal", "ida", "gus"}; !slices.Equal(order, want) {
				s.Errorf("the second call rang %v, want %v", order, want)
			}
			caller.Await(phone.Early, soon) // the announcement
		} else {
			call.Answer()
			caller.Await(phone.Answered, soon)
		}
		caller.call.HangUp()
		caller.Await(phone.Ended, soon)
		team.awaitIdle()
	}
	if want := []string{"gus", "hal", "ida", "gus"}; !slices.Equal(begun, want) {
		s.Errorf("calls began at %v, want %v", begun, want)
	}
}

// random makes 200 calls, which the caller gives up at once. Of a fair draw
// between 4 and 1 the first gets 160, give or take 6; one call in 100,000 times
// 200 is outside 135 to 185, where a draw without weights almost never gets.
func (s *scene) random() {
	const calls = 200
	team := s.team("jim", "kay")
	line := s.line()
	begun := map[string]int{}
	for range calls {
		caller := dial(s.T, line, s.number, phone.DialOptions{})
		first, _ := team.next()
		begun[first]++
		caller.call.HangUp()
		caller.Await(phone.Ended, soon)
		team.awaitIdle()
	}
	if n := begun["jim"]; n < 135 || n > 185 {
		s.Errorf("jim began %d of %d calls, want 135 to 185", n, calls)
	}
	s.Logf("jim, with four times the weight, began %d of %d calls", begun["jim"], calls)
}

// leastRecent lets leo talk for longer than ned: it counts who hung up last. Mia
// never talks.
func (s *scene) leastRecent() {
	phones := s.users("leo", "mia", "ned")
	long := s.dial()
	s.ring(phones[0]).Answer()
	long.Await(phone.Answered, soon)
	short := s.dial()
	s.ring(phones[1]).Decline(486)
	ned := s.ring(phones[2])
	ned.Answer()
	s.wantTalk(short, ned, deskHz)
	long.call.HangUp()
	phones[0].Await(phone.Ended, soon)

	last := s.dial()
	s.ring(phones[1]).Decline(486)
	s.ring(phones[2]).Decline(486)
	leo := s.ring(phones[0])
	if mia, ned, leo := s.invited(phones[1], 2), s.invited(phones[2], 2), s.invited(phones[0], 2); !mia.Before(ned) || !ned.Before(leo) {
		s.Fatalf("the last call rang mia at %v, ned at %v, leo at %v", mia, ned, leo)
	}
	leo.Answer()
	s.wantTalk(last, leo, deskHz)
}

// team is phones of which one rings at a time.
type team struct {
	s      *scene
	names  []string
	phones []*harness.Phone
}

func (s *scene) team(names ...string) *team {
	s.Helper()
	return &team{s: s, names: names, phones: s.users(names...)}
}

// next waits until somebody rings and returns who. It looks often: 200 calls are made.
func (m *team) next() (name string, call *phone.Call) {
	m.s.Helper()
	for deadline := time.Now().Add(soon); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		for i, p := range m.phones {
			if calls := p.Calls(); len(calls) > 0 && calls[0].Incoming() { // it can be answered
				return m.names[i], calls[0]
			}
		}
	}
	m.s.Fatal("nobody was rung")
	return "", nil
}

// decline lets n phones decline one after the other, and returns who was rung.
func (m *team) decline(n int) (order []string) {
	m.s.Helper()
	for range n {
		name, call := m.next()
		order = append(order, name)
		call.Decline(486)
	}
	return order
}

// awaitIdle waits until no phone is in a call.
func (m *team) awaitIdle() {
	m.s.Helper()
	for deadline := time.Now().Add(soon); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if !slices.ContainsFunc(m.phones, func(p *harness.Phone) bool { return len(p.Calls()) > 0 }) {
			return
		}
	}
	m.s.Fatal("a phone is still in a call")
}
