package exchange

import (
	"time"

	"github.com/offhook/offhook/internal/core"
)

// scenario is one kind of thing that happens.
type scenario struct {
	name      string
	from      string   // "alice", "bob", "poor", or "" for the trunk
	to        []string // what is dialled, one of them
	calls     int      // how many call at about the same time, 0 is one
	impatient bool     // the caller gives up soon
	mood      func(*sim, core.LegID)
	talk      func(*sim, core.LegChange) // once caller c.Leg and c.Peer are connected
	around    func(*sim, time.Duration)  // what else happens
	program   program                    // what an application says; nil is anything
}

// answers takes the call after 0 to 8 s; its media comes soon.
func answers(s *sim, leg core.LegID) {
	at := s.soon()
	s.plan(at, core.LegRinging{Leg: leg})
	at += s.seconds(8)
	s.plan(at, core.LegAccepted{Leg: leg})
	s.plan(at+s.soon(), core.LegUp{Leg: leg})
}

// answersAtOnce takes the call in the very millisecond in which all others do.
func answersAtOnce(s *sim, leg core.LegID) {
	s.plan(time.Second, core.LegAccepted{Leg: leg})
	s.plan(time.Second, core.LegUp{Leg: leg})
}

// answersSilent takes the call and never has media.
func answersSilent(s *sim, leg core.LegID) { s.plan(s.seconds(5), core.LegAccepted{Leg: leg}) }

// fails is a trunk without a circuit, or a phone without network.
func fails(s *sim, leg core.LegID) {
	switch s.dice(4) {
	case 0:
		answers(s, leg)
	case 1: // no sign of life
	default:
		s.hangup(s.soon(), leg, core.CauseNoCircuit, 503)
	}
}

// rings and never answers.
func rings(s *sim, leg core.LegID) { s.plan(s.soon(), core.LegRinging{Leg: leg}) }

// either is the leg of caller or callee.
func (s *sim) either(c core.LegChange) core.LegID { return []core.LegID{c.Leg, c.Peer}[s.dice(2)] }

// transfers sends the other party to one of to, and may hang up at once.
func transfers(impatient bool, to ...string) func(*sim, core.LegChange) {
	return func(s *sim, c core.LegChange) {
		leg, at := s.either(c), s.seconds(5)
		s.plan(at, core.TransferAsked{Leg: leg, To: to[s.dice(len(to))]})
		if impatient {
			s.hangup(at+s.soon(), leg, core.CauseNormal, 0)
		}
	}
}

// consults lets alice's desk call somebody else from a second leg and connect
// both, after the second leg has talked, or while it still rings.
func consults(after int) func(*sim, core.LegChange) {
	return func(s *sim, c core.LegChange) {
		second := s.newLeg()
		s.plan(time.Second, core.Offered{Leg: second, Edge: core.EdgeSIP, From: core.Party{User: core.UserID{Name: "alice"}}, Contact: "desk", To: "bob"})
		s.plan(time.Second+s.seconds(after), core.TransferAsked{Leg: c.Peer, Replaces: second})
		s.plan(2*time.Second+s.seconds(after), core.TransferAsked{Leg: second, Replaces: c.Peer})
	}
}

// picksUp lets bob's browser take what rings at alice.
func picksUp(replaces bool) func(*sim, core.LegID) {
	return func(s *sim, leg core.LegID) {
		rings(s, leg)
		ev := fromBob(s.newLeg(), "*8alice")
		if replaces {
			ev.To, ev.Replaces = "17", leg
		}
		s.plan(s.seconds(10), ev)
	}
}

// mixes changes at random who hears whom.
func mixes(s *sim, c core.LegChange) {
	s.ask(s.soon(), core.AddParty{Leg: c.Leg, To: "bob", Mode: core.SuperviseMode(s.dice(4))})
	for range 6 {
		from, to := c.Leg, c.Peer
		if s.dice(2) == 0 {
			from, to = to, from
		}
		s.ask(s.seconds(20), core.SetHear{Call: c.Call, Pairs: []core.HearPair{{From: from, To: to, Hears: s.dice(2) == 0}}})
	}
}

// supervises brings a leg of bob's into the conversation, and changes its mode.
func supervises(s *sim, c core.LegChange) {
	boss := s.newLeg()
	s.plan(s.soon(), fromBob(boss, "112"))
	for _, mode := range []core.SuperviseMode{core.Monitor, core.Whisper, core.Barge} {
		s.ask(time.Second+s.seconds(10), core.Supervise{Leg: boss, Target: s.either(c), Mode: mode})
	}
}

func addsParty(s *sim, c core.LegChange) {
	s.ask(s.seconds(4), core.AddParty{Leg: s.either(c), To: []string{"bob", "18", "25", "112"}[s.dice(4)]})
	if s.dice(2) == 0 {
		s.hangup(4*time.Second+s.seconds(15), s.either(c), core.CauseNormal, 0)
	}
}

// merges makes a conference of this call and a second one of alice's desk.
func merges(s *sim, c core.LegChange) {
	second := s.newLeg()
	s.plan(s.soon(), core.Offered{Leg: second, Edge: core.EdgeSIP, From: core.Party{User: core.UserID{Name: "alice"}}, Contact: "desk", To: "bob"})
	s.ask(s.seconds(20), core.Merge{Leg: c.Peer, With: second})
}

func holds(s *sim, c core.LegChange) {
	for range 3 {
		s.plan(s.seconds(10), core.LegHeld{Leg: s.either(c), Held: s.dice(2) == 0})
		s.plan(s.seconds(10), core.LegMuted{Leg: s.either(c), Muted: s.dice(2) == 0})
		s.ask(s.seconds(10), core.Hold{Leg: s.either(c), Held: s.dice(2) == 0})
	}
}

func parks(s *sim, c core.LegChange) {
	slot := []string{"", "701", "702"}[s.dice(3)]
	s.ask(s.seconds(4), core.Park{Leg: s.either(c), Slot: slot})
}

// churn lets devices come and go.
func churn(s *sim, at time.Duration) {
	for range 8 {
		contact := []core.ContactUp{desk, tab, bobtab}[s.dice(3)]
		if n := s.dice(3); n > 0 {
			contact.Contact.ID += core.ContactID(fmt1(n))
			contact.Contact.Rank = (n - 1) * 500
		}
		if s.dice(2) == 0 {
			s.plan(at+s.seconds(30), core.ContactGone{ID: contact.Contact.ID})
		} else {
			s.plan(at+s.seconds(30), contact)
		}
	}
}

func fmt1(n int) string { return string(rune('0' + n)) }

// trunksDie and come back.
func trunksDie(s *sim, at time.Duration) {
	for range 4 {
		s.plan(at+s.seconds(20), core.TrunkState{Trunk: []string{"main", "backup"}[s.dice(2)], Up: s.dice(2) == 0})
	}
}

// breaks reports that the call of some caller went wrong.
func breaks(s *sim, at time.Duration) {
	s.plan(at+s.seconds(30), core.Broken{Leg: core.LegID("caller-" + fmt1(1+s.dice(6)))})
}

// stops drains the node and ends all calls.
func stops(s *sim, at time.Duration) {
	s.plan(at+s.seconds(60), core.Draining{})
	s.plan(at+60*time.Second+s.seconds(60), core.Shutdown{})
}

var scenarios = append(houseScenarios, programmedScenarios...)

// houseScenarios are those of the house.
var houseScenarios = []scenario{
	{name: "trunk calls the group", to: []string{"18"}},
	{name: "trunk calls a user with two devices", to: []string{"17"}},
	{name: "user calls user", from: "alice", to: []string{"bob"}},
	{name: "user calls a mobile", from: "alice", to: []string{"0012995551234"}},
	{name: "user calls what is refused", from: "bob", to: []string{"112", "nobody", "29"}},
	{name: "trunk calls what is unknown", to: []string{"0049301234567", "alice", ""}},
	{name: "user without a phone", to: []string{"16"}},
	{name: "sequential group", to: []string{"21"}},
	{name: "sequential group that never answers", to: []string{"21"}, mood: rings},
	{name: "round robin", to: []string{"22"}, calls: 3},
	{name: "least recent", to: []string{"23"}, calls: 3},
	{name: "random", to: []string{"24"}, calls: 3},
	{name: "confirm by key", to: []string{"25"}},
	{name: "confirm, all listen at once", to: []string{"25"}, mood: answersAtOnce},
	{name: "group inside a group", to: []string{"26"}},
	{name: "skip busy", to: []string{"27"}, calls: 4, mood: answers},
	{name: "trunk fails over", from: "alice", to: []string{"4940"}, mood: fails},
	{name: "trunks die", from: "alice", to: []string{"4940"}, mood: fails, around: trunksDie},
	{name: "all trunks fail", to: []string{"28"}, mood: fails},
	{name: "all answer in the same millisecond", to: []string{"18"}, mood: answersAtOnce},
	{name: "no media comes", to: []string{"18", "17"}, mood: answersSilent},
	{name: "caller gives up", to: []string{"18", "21", "25"}, impatient: true},
	{name: "many calls over a slow trunk", to: []string{"18"}, calls: 5},
	{name: "one call at a time", from: "poor", to: []string{"0012995551", "0012995552"}, calls: 3, mood: answers},
	{name: "minutes run out", from: "alice", to: []string{"4940", "4941"}, calls: 8, mood: answersAtOnce},
	{name: "devices come and go", to: []string{"18", "17", "27"}, around: churn},
	{name: "blind transfer to a user", to: []string{"17"}, mood: answers, talk: transfers(false, "bob", "15", "16")},
	{name: "blind transfer to a group", to: []string{"17"}, mood: answers, talk: transfers(false, "18", "21", "25")},
	{name: "blind transfer out of the house", from: "bob", to: []string{"alice"}, mood: answers, talk: transfers(false, "0012995551234", "112")},
	{name: "blind transfer and away", to: []string{"17"}, mood: answers, talk: transfers(true, "18", "bob", "16")},
	{name: "attended transfer", to: []string{"17"}, mood: answers, talk: consults(15)},
	{name: "attended transfer while it rings", to: []string{"17"}, mood: answers, talk: consults(3)},
	{name: "pickup by code", to: []string{"17"}, mood: picksUp(false)},
	{name: "pickup by Replaces", to: []string{"17"}, mood: picksUp(true)},
	{name: "own call taken to another device", to: []string{"17"}, mood: answers, talk: func(s *sim, c core.LegChange) {
		ev := fromAliceTab(s.newLeg(), "alice")
		ev.Replaces = c.Peer
		s.plan(s.seconds(5), ev)
	}},
	{name: "park and retrieve", to: []string{"17"}, mood: answers, talk: parks, calls: 2},
	{name: "park by transfer", to: []string{"17"}, mood: answers, talk: transfers(false, "700", "701")},
	{name: "a third party", to: []string{"17"}, mood: answers, talk: addsParty},
	{name: "merge of two calls", to: []string{"17"}, mood: answers, talk: merges},
	{name: "supervisor", to: []string{"17"}, mood: answers, talk: supervises},
	{name: "who hears whom, by order", to: []string{"17"}, mood: answers, talk: mixes},
	{name: "hold and mute", to: []string{"17"}, mood: answers, talk: holds},
	{name: "release by request", to: []string{"17", "18"}, mood: answers, talk: func(s *sim, c core.LegChange) {
		s.ask(s.soon(), core.Release{Leg: s.either(c)})
	}},
	{name: "a call breaks", to: []string{"18", "21"}, around: breaks},
	{name: "the node stops", to: []string{"18", "17", "21", "25"}, calls: 2, around: stops},
}
