package exchange

import (
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// program is what an application does in a scenario: how it answers the question
// about a leg, by which of the scenario's questions it is.
type program func(s *sim, q core.Consult)

// answerWith is an application that answers the first question about a leg with verbs,
// and others with anything.
func answerWith(verbs ...flow.Verb) program {
	return func(s *sim, q core.Consult) {
		if q.Kind != core.ConsultAnswer {
			s.instruct(q)
			return
		}
		s.says(s.soon(), q.Turn, flow.Run, verbs...)
	}
}

// withCall is an application that rings any endpoints, in any way.
func withCall(change func(*sim, *flow.Call)) program {
	return func(s *sim, q core.Consult) {
		v := s.callVerb()
		v.Group, v.Endpoints = "", append(v.Endpoints, s.endpoint())
		change(s, &v)
		answerWith(v, say("then"))(s, q)
	}
}

func lets(*sim, *flow.Call) {}

// earlyMedia leaves the caller ringing, plays to it, rings agents, and joins both in a
// conversation when one answers.
func earlyMedia(s *sim, q core.Consult) {
	room := flow.Converse{Name: "conf_" + string(q.Leg), StartOnEnter: true, EndOnExit: true}
	if q.Direction == core.Outbound {
		s.says(s.soon(), q.Turn, flow.Run, say("a call for you"), room)
		return
	}
	s.says(s.soon(), q.Turn, flow.Idle)
	s.ask(s.soon(), core.Inject{Leg: q.Leg, Sound: core.Sound{Kind: core.SoundFile, Name: "us.mp3", Loop: core.LoopForever}})
	for i := range 3 {
		s.create(time.Duration(i)*434*time.Millisecond, flow.Create{Endpoint: s.endpoint(), Verbs: []flow.Verb{say("a call for you"), room}})
	}
	at := 2*time.Second + s.seconds(15)
	s.ask(at, core.Inject{Leg: q.Leg})
	s.ask(at+s.soon(), flow.Replace{Leg: q.Leg, Verbs: []flow.Verb{room}})
}

// conference takes everybody into one of two conversations, in any way, and meddles.
func conference(s *sim, q core.Consult) {
	s.says(s.soon(), q.Turn, flow.Run, s.converseVerb())
	for range s.dice(6) {
		s.ask(s.seconds(30), s.meddling(q.Leg))
	}
}

// meddling is any request about a leg.
func (s *sim) meddling(leg core.LegID) core.Request {
	switch s.dice(7) {
	case 0:
		return core.Mute{Leg: leg, Muted: s.dice(2) == 0}
	case 1:
		return core.Earmuff{Leg: leg, On: s.dice(2) == 0}
	case 2:
		return core.Inject{Leg: leg, Slot: core.InjectSlot(s.dice(2)), Sound: speech("hello all")}
	case 3:
		return core.Release{Leg: leg}
	case 4:
		return core.Hold{Leg: leg, Held: s.dice(2) == 0}
	case 5:
		return core.OfApp{App: appID, Do: core.WatchKeys{Leg: leg, On: true}}
	}
	return flow.Replace{Leg: leg, Verbs: append(s.verbs(), s.converseVerb())}
}

// menu asks for keys or words, again and again.
func menu(s *sim, q core.Consult) {
	in := flow.Input{Keys: &flow.KeyInput{Timeout: s.span(4), MaxDigits: 1 + s.dice(4), SubmitOnHash: true}}
	if s.dice(2) == 0 {
		in.Speech = &core.Speech{StartTimeout: s.span(4), MaxDuration: 10 * time.Second}
	}
	ask := flow.Say{Sound: speech("your number?"), BargeIn: s.dice(2) == 0}
	s.says(s.soon(), q.Turn, flow.Run, ask, ask, in)
	for range s.dice(8) {
		s.plan(s.seconds(12), core.LegDigit{Leg: q.Leg, Digit: "0123456789*#"[s.dice(12)]})
	}
}

// recorder records what it says, what is said, and conversations.
func recorder(s *sim, q core.Consult) {
	first, second := s.recordVerb(), s.recordVerb()
	first.Background = true
	room := s.converseVerb()
	room.Record = &second
	verbs := []flow.Verb{first, say("recorded"), second, s.callVerb(), room}
	s.says(s.soon(), q.Turn, flow.Run, verbs[:1+s.dice(len(verbs))]...)
	s.plan(s.seconds(20), core.LegDigit{Leg: q.Leg, Digit: '#'})
}

// bot hands the caller to a socket that closes.
func bot(s *sim, q core.Consult) {
	if q.Kind != core.ConsultAnswer {
		s.instruct(q)
		return
	}
	e := flow.Endpoint{Socket: core.Socket{URI: "wss://bot", Rate: 16000}}
	s.says(s.soon(), q.Turn, flow.Run, flow.Call{Endpoints: []flow.Endpoint{e}, AnswerFirst: true}, s.verb())
}

// silentApp never says a word.
func silentApp(*sim, core.Consult) {}

// wrong answers other questions than it was asked, twice, and in the wrong order.
func wrong(s *sim, q core.Consult) {
	for range 3 {
		turn := q.Turn
		turn.No += uint32(s.dice(3)) - 1
		s.says(s.seconds(5), turn, flow.AnswerKind(1+s.dice(4)), s.verbs()...)
	}
}

// echo rings the number that it answers, by one application or the other, and does
// anything at either end.
func echo(s *sim, q core.Consult) {
	own := flow.Endpoint{Phone: []string{"40", "42"}[s.dice(2)]}
	if s.dice(4) == 0 {
		own.OnAnswer = &core.Hook{URL: "https://app.example/on"}
	}
	rings := s.callVerb()
	rings.Group, rings.Endpoints = "", append(rings.Endpoints[:min(1, len(rings.Endpoints))], own)
	verbs := []flow.Verb{say("hello"), s.converseVerb(), s.verb()}
	if s.dice(3) > 0 {
		verbs = []flow.Verb{rings, s.verb()}
	}
	if s.dice(6) == 0 {
		s.instruct(q) // in time, late, never or badly
	} else {
		s.says(s.soon(), q.Turn, flow.Run, verbs...)
	}
	for range s.dice(3) {
		s.ask(s.seconds(20), s.meddling(q.Leg))
	}
	if s.dice(3) == 0 {
		s.hangup(s.seconds(20), q.Leg, core.CauseNormal, 0)
	}
}

// echoes are legs that an application begins, to its own number.
func echoes(s *sim, at time.Duration) {
	for range 3 {
		s.create(at+s.seconds(5), flow.Create{Endpoint: flow.Endpoint{Phone: []string{"40", "42"}[s.dice(2)]}, Verbs: append(s.verbs(), s.converseVerb()), Detect: s.detection()})
	}
}

// create lets the application ring somebody.
func (s *sim) create(after time.Duration, c flow.Create) {
	c.Leg, c.App = s.newLeg(), appID
	if c.Timeout == 0 {
		c.Timeout = s.span(30)
	}
	s.legs[c.Leg] = s.plays
	s.ask(after, c)
}

// createsAll rings many endpoints by themselves.
func createsAll(s *sim, at time.Duration) {
	for range 5 {
		c := flow.Create{Endpoint: s.endpoint(), Detect: s.detection(), Hook: core.Hook{URL: "https://app.example/event"}}
		if s.dice(2) == 0 {
			c.Verbs = append(s.verbs(), s.converseVerb())
		}
		if s.dice(3) == 0 {
			c.Limit = s.span(20)
		}
		s.create(at+s.seconds(3), c)
		leg := c.Leg
		s.ask(at+s.seconds(30), s.meddling(leg))
	}
}

// anns come and go with their devices.
func anns(s *sim, at time.Duration) {
	for range 10 {
		contact := annTab
		if n := s.dice(3); n > 0 {
			contact.Contact.ID += core.ContactID(fmt1(n))
		}
		if s.dice(3) == 0 {
			s.plan(at+s.seconds(40), core.ContactGone{ID: contact.Contact.ID})
		} else {
			s.plan(at+s.seconds(40), contact)
		}
	}
}

// users call the application from their browsers.
func users(s *sim, at time.Duration) {
	for range 4 {
		leg := s.newLeg()
		s.legs[leg] = s.plays
		ev := fromTab(leg)
		ev.Contact = "anntab"
		s.plan(at+s.seconds(20), ev)
	}
}

// listeners supervise conversations of the application.
func listeners(s *sim, at time.Duration) {
	users(s, at)
	boss := s.newLeg()
	s.plan(at+s.seconds(5), fromBob(boss, "112"))
	for range 6 {
		target := core.LegID("caller-" + fmt1(1+s.dice(6)))
		mode := core.SuperviseMode(1 + s.dice(3))
		s.ask(at+5*time.Second+s.seconds(20), core.Supervise{Leg: boss, Target: target, Mode: mode})
		s.ask(at+5*time.Second+s.seconds(20), core.AddParty{Leg: target, To: []string{"bob", "ann", "1001"}[s.dice(3)], Mode: mode})
	}
}

// movers are operators who do with legs of applications, and with each other's, what
// they do with those of the house.
func movers(s *sim, at time.Duration) {
	users(s, at)
	boss := s.newLeg()
	s.plan(at+s.seconds(5), fromBob(boss, []string{"112", "alice", "40"}[s.dice(3)]))
	anybody := func() core.LegID { return core.LegID("caller-" + fmt1(1+s.dice(6))) }
	to := []string{"bob", "18", "701", "40", "nobody"}
	for range 10 {
		leg, other := anybody(), []core.LegID{boss, anybody()}[s.dice(2)]
		s.ask(at+s.seconds(30), []core.Request{
			core.Transfer{Leg: leg, To: to[s.dice(len(to))]},
			core.Transfer{Leg: leg, Replaces: other},
			core.Pickup{Leg: leg, By: other},
			core.Park{Leg: leg},
			core.Retrieve{Leg: leg, By: other},
			core.Merge{Leg: leg, With: other},
			core.Dismiss{Leg: leg},
		}[s.dice(7)])
	}
}

// overseen is a conference in which operators also ask by call.
func overseen(s *sim, q core.Consult) {
	conference(s, q)
	mode := core.SuperviseMode(1 + s.dice(3))
	s.ask(s.seconds(20), []core.Request{
		core.SuperviseCall{Call: q.Call, To: []string{"bob", "ann", "1001"}[s.dice(3)], Mode: mode},
		core.SuperviseCall{Call: q.Call, Leg: core.LegID("caller-" + fmt1(1+s.dice(6))), Target: q.Leg, Mode: mode},
		core.ReleaseCall{Call: q.Call},
		core.Within{Call: q.Call, Do: core.Park{Leg: q.Leg}},
	}[s.dice(4)])
}

// programmedScenarios are those with applications.
var programmedScenarios = []scenario{
	{name: "an application with any flow", to: []string{"40"}, calls: 3, around: users},
	{name: "an application that says nothing", to: []string{"40"}, program: silentApp},
	{name: "an application that answers wrongly", to: []string{"40"}, calls: 2, program: wrong},
	{name: "early media, agents and a conversation", to: []string{"40"}, calls: 2, program: earlyMedia, mood: answers},
	{name: "early media and a caller who gives up", to: []string{"40"}, impatient: true, program: earlyMedia, around: anns},
	{name: "conference", to: []string{"40"}, calls: 5, program: conference, around: users},
	{name: "menu", to: []string{"40"}, calls: 2, program: menu},
	{name: "an application rings several at once", to: []string{"40"}, calls: 2, program: withCall(lets), around: anns},
	{name: "all of them answer at once", to: []string{"40"}, program: withCall(lets), mood: answersAtOnce, around: anns},
	{name: "none of them answers, and the application knows what then", to: []string{"40"}, program: withCall(func(_ *sim, v *flow.Call) { v.Sync = true }), mood: fails},
	{name: "who answered is found out first", to: []string{"40"}, mood: answers, program: withCall(func(s *sim, v *flow.Call) {
		v.Detect = &flow.Detection{Mode: flow.DetectMode(s.dice(3)), BeepTimeout: 45 * time.Second, Hangup: s.dice(3) == 0}
	})},
	{name: "callees hear something before they are joined", to: []string{"40"}, mood: answers, program: withCall(func(_ *sim, v *flow.Call) {
		for i := range v.Endpoints {
			v.Endpoints[i].OnAnswer = &core.Hook{URL: "https://app.example/on"}
		}
	})},
	{name: "an application rings a group", to: []string{"40"}, program: withCall(func(s *sim, v *flow.Call) {
		v.Endpoints, v.Group = nil, []string{"all", "steps", "asked", "nested", "idle"}[s.dice(5)]
	})},
	{name: "limits of an application's legs", to: []string{"40"}, mood: answers, program: withCall(func(s *sim, v *flow.Call) { v.Limit = s.span(10) })},
	{name: "recordings", to: []string{"40"}, calls: 3, program: recorder, mood: answers},
	{name: "a bot that closes its socket", to: []string{"40"}, calls: 2, program: bot, mood: func(s *sim, leg core.LegID) {
		answers(s, leg)
		at := 9*time.Second + s.seconds(10)
		s.plan(at, core.LegClosed{Leg: leg})
		s.hangup(at+s.soon(), leg, core.CauseNormal, 0)
	}},
	{name: "legs that applications begin", to: []string{"40"}, around: createsAll},
	{name: "users of an application come and go", to: []string{"40"}, program: withCall(func(_ *sim, v *flow.Call) {
		v.Endpoints = []flow.Endpoint{{User: "ann"}, {User: "zoe"}}
	}), around: anns},
	{name: "operators listen to applications' calls", to: []string{"40"}, calls: 3, program: conference, around: listeners},
	{name: "operators move applications' calls", to: []string{"40"}, calls: 3, around: movers},
	{name: "operators move members of a conference", to: []string{"40"}, calls: 4, program: overseen, around: movers},
	{name: "a group falls through to an application", to: []string{"41"}, mood: rings},
	{name: "the house calls an application", from: "alice", to: []string{"40"}, calls: 2},
	{name: "applications ring their own numbers", to: []string{"40", "42"}, calls: 2, program: echo},
	{name: "applications begin calls to their own numbers", to: []string{"40"}, program: echo, around: echoes, mood: answers},
	{name: "operators move calls of applications to themselves", to: []string{"40"}, calls: 3, program: echo, around: movers},
	{name: "calls of applications to themselves break", to: []string{"42"}, calls: 3, program: echo, around: breaks},
	{name: "an application's calls break", to: []string{"40"}, calls: 4, program: conference, around: breaks},
	{name: "the node stops amid conversations", to: []string{"40"}, calls: 4, program: conference, around: stops},
}
