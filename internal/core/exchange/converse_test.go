package exchange

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// enters is a user's leg of the application that runs verbs.
func enters(leg core.LegID, verbs ...flow.Verb) []core.Event {
	return events(fromTab(leg), instructs(leg, 1, verbs...))
}

// inRoom goes into the conversation r, which starts with it.
func inRoom() flow.Converse { return flow.Converse{Name: "r", StartOnEnter: true} }

func circleOf(legs ...core.LegID) *flow.Circle { return &flow.Circle{Legs: legs} }

// TestConverse: named conversations.
func TestConverse(t *testing.T) {
	music := flow.Converse{Name: "r", Music: core.Sound{Kind: core.SoundMusic, Name: "hold.mp3"}}
	ends := flow.Converse{Name: "r", StartOnEnter: true, EndOnExit: true}
	coach := flow.Converse{Name: "r", StartOnEnter: true, Speaks: circleOf("t")}
	deaf := flow.Converse{Name: "r", StartOnEnter: true, Hears: circleOf("t")}
	silent := flow.Converse{Name: "r", StartOnEnter: true, Mute: true}
	recorded := flow.Converse{Name: "r", StartOnEnter: true, Record: &flow.Record{Format: core.RecordWAV}}
	two := events(runs(inRoom()), enters("t", inRoom()))
	three := events(two, enters("u", inRoom()))
	runProgrammed(t, []programmedCase{
		{"the first", events(fromPSTN), instructs("a", 1, inRoom()), `
			stop ask a
			answer a
			-> answered a
			-> moved a
		`},
		{"the second", events(runs(inRoom()), fromTab("t")), instructs("t", 1, inRoom()), `
			stop ask t
			answer t
			-> answered t
			hear a t
			hear t a
			-> moved t
		`},
		{"another name", events(runs(inRoom()), fromTab("t")), instructs("t", 1, flow.Converse{Name: "other", StartOnEnter: true}), `
			stop ask t
			answer t
			-> answered t
			-> moved t
		`},
		{"after something was said", runs(say("hello"), inRoom()), spoken("a"), `
			stop play a
			hear a nothing
			-> moved a
		`},
		{"it has not started", events(fromPSTN), instructs("a", 1, music), `
			stop ask a
			answer a
			-> answered a
			hear a file:hold.mp3
			-> moved a
		`},
		{"two wait for a third", events(runs(music), fromTab("t")), instructs("t", 1, music), `
			stop ask t
			answer t
			-> answered t
			hear t file:hold.mp3
			-> moved t
		`},
		{"who starts it", events(runs(music), enters("t", music), fromTab("u")), instructs("u", 1, inRoom()), `
			stop ask u
			answer u
			-> answered u
			hear a t+u
			hear t a+u
			hear u a+t
			-> moved u
		`},
		{"it does not stop again", events(two, gone("t", 16, 0), fromTab("u")), instructs("u", 1, music), `
			stop ask u
			answer u
			-> answered u
			hear a u
			hear u a
			-> moved u
		`},
		{"one of two leaves", two, gone("t", 16, 0), `
			-> ended t 16
			hear a nothing
		`},
		{"the one that came first leaves", three, gone("a", 16, 0), `
			-> ended a 16
			hear t u
			hear u t
		`},
		{"the last leaves, and the name is free", events(two, gone("t", 16, 0), gone("a", 16, 0), fromTab("u")), instructs("u", 1, inRoom()), `
			stop ask u
			answer u
			-> answered u
			-> moved u
		`},
		{"who ends it leaves", events(runs(inRoom()), enters("t", ends)), gone("t", 16, 0), `
			-> ended t 16
			end a 16
			start drain a 40s
		`},
		{"who ends it is ended by request", events(runs(inRoom()), enters("t", ends)), asks(core.Release{Leg: "t"}), `
			end t 16
			start drain t 40s
			end a 16
			start drain a 40s
			done
		`},
		{"who ends it is taken out", events(runs(inRoom()), enters("t", ends)), asks(flow.Replace{Leg: "t", Verbs: []flow.Verb{say("away")}}), `
			-> left t
			hear t nothing
			hear a nothing
			hear t speech:away
			start play t 2h0m0s
			done
		`},
		{"a new flow in the same conversation", two, asks(flow.Replace{Leg: "t", Verbs: []flow.Verb{ends}}), `
			done
		`},
		{"a new flow that comes back", events(two, asks(flow.Replace{Leg: "t", Verbs: []flow.Verb{say("wait"), inRoom()}})), spoken("t"), `
			stop play t
			hear a t
			hear t a
			-> moved t
		`},
		{"taken out as the first", three, asks(flow.Replace{Leg: "a", Verbs: []flow.Verb{say("away")}}), `
			-> left a
			hear a nothing
			hear t u
			hear u t
			hear a speech:away
			start play a 2h0m0s
			done
		`},
		{"a coach is heard by the agent alone", events(two, fromTab("u")), instructs("u", 1, coach), `
			stop ask u
			answer u
			-> answered u
			hear t a+u
			hear u a+t
			-> moved u
		`},
		{"who is named comes later", events(runs(coach), fromTab("t")), instructs("t", 1, inRoom()), `
			stop ask t
			answer t
			-> answered t
			hear a t
			hear t a
			-> moved t
		`},
		{"and who is not", events(runs(coach), fromTab("u")), instructs("u", 1, inRoom()), `
			stop ask u
			answer u
			-> answered u
			hear a u
			-> moved u
		`},
		{"one hears the agent alone", events(two, fromTab("u")), instructs("u", 1, deaf), `
			stop ask u
			answer u
			-> answered u
			hear a t+u
			hear t a+u
			hear u t
			-> moved u
		`},
		{"heard by nobody", events(two, fromTab("u")), instructs("u", 1, flow.Converse{Name: "r", StartOnEnter: true, Speaks: circleOf()}), `
			stop ask u
			answer u
			-> answered u
			hear u a+t
			-> moved u
		`},
		{"muted from the beginning", events(two, fromTab("u")), instructs("u", 1, silent), `
			stop ask u
			answer u
			-> answered u
			hear u a+t
			-> moved u
		`},
		{"and heard by request", events(two, enters("u", silent)), asks(core.Mute{Leg: "u"}), `
			hear a t+u
			hear t a+u
			silenced u deaf=false on=false
			done
		`},
		{"muted by request", two, asks(core.Mute{Leg: "t", Muted: true}), `
			hear a nothing
			silenced t deaf=false on=true
			done
		`},
		{"muted for ever", events(two, asks(core.Mute{Leg: "t", Muted: true}), asks(flow.Replace{Leg: "t", Verbs: []flow.Verb{say("x"), inRoom()}})), spoken("t"), `
			stop play t
			hear t a
			-> moved t
		`},
		{"earmuffs", two, asks(core.Earmuff{Leg: "t", On: true}), `
			hear t nothing
			silenced t deaf=true on=true
			done
		`},
		{"earmuffs off", events(two, asks(core.Earmuff{Leg: "t", On: true})), asks(core.Earmuff{Leg: "t"}), `
			hear t a
			silenced t deaf=true on=false
			done
		`},
		{"full", events(three, enters("v", inRoom()), fromTab("w")), instructs("w", 1, inRoom(), say("sorry")), `
			stop ask w
			answer w
			-> answered w
			error w Conversation is full.
			hear w speech:sorry
			start play w 2h0m0s
		`},
		{"recorded", events(fromPSTN), instructs("a", 1, recorded), `
			stop ask a
			answer a
			-> answered a
			record 1 [a]
			-> moved a
		`},
		{"recorded: who comes", events(runs(recorded), fromTab("t")), instructs("t", 1, inRoom()), `
			stop ask t
			answer t
			-> answered t
			hear a t
			hear t a
			set 1 [a+t]
			-> moved t
		`},
		{"recorded: the wish of one who waits", events(runs(flow.Converse{Name: "r", Record: &flow.Record{}}), fromTab("t")), instructs("t", 1, inRoom()), `
			stop ask t
			answer t
			-> answered t
			record 1 [a+t]
			hear a t
			hear t a
			-> moved t
		`},
		{"recorded: who wished it leaves", events(runs(recorded), enters("t", inRoom())), gone("a", 16, 0), `
			-> ended a 16
			hear t nothing
			set 1 [t]
		`},
		{"recorded: the end", events(runs(recorded)), gone("a", 16, 0), `
			-> ended a 16
			save 1
		`},
		{"recorded: the end by itself", events(runs(recorded), recordOver{n: 1}), gone("a", 16, 0), `
			-> ended a 16
		`},
		{"all legs move", events(runs(inRoom()), fromTab("t")), instructs("t", 1, flow.MoveAll{To: "a"}), `
			stop ask t
			answer t
			-> answered t
			hear a t
			hear t a
			-> moved t
		`},
		{"all legs move nowhere", events(runs(inRoom()), fromTab("t")), instructs("t", 1, flow.MoveAll{To: "nowhere"}, say("next")), `
			stop ask t
			answer t
			-> answered t
			error t Unknown conversation.
			hear t speech:next
			start play t 2h0m0s
		`},
		{"a sound over the conversation", two, asks(core.Inject{Leg: "t", Sound: core.Sound{Kind: core.SoundFile, Name: "x.mp3"}}), `
			hear t a + file:x.mp3
			done
		`},
		{"its end", events(two, asks(core.Inject{Leg: "t", Sound: core.Sound{Kind: core.SoundFile, Name: "x.mp3"}})), soundEnd{leg: "t", over: true}, `
			hear t a
		`},
		{"it cannot be played", events(two, asks(core.Inject{Leg: "t", Sound: core.Sound{Kind: core.SoundFile, Name: "x.mp3"}})), soundEnd{leg: "t", over: true, why: "404"}, `
			hear t a
			error t Media download failed: 404
		`},
		{"another in its place", events(two, asks(core.Inject{Leg: "t", Sound: core.Sound{Kind: core.SoundFile, Name: "x.mp3"}})), asks(core.Inject{Leg: "t", Sound: core.Sound{Kind: core.SoundFile, Name: "y.mp3"}}), `
			hear t a + file:y.mp3
			done
		`},
		{"speech beside it", events(two, asks(core.Inject{Leg: "t", Sound: core.Sound{Kind: core.SoundFile, Name: "x.mp3"}})), asks(core.Inject{Leg: "t", Slot: core.InjectTalk, Sound: speech("hi")}), `
			hear t a + file:x.mp3 + speech:hi
			done
		`},
		{"ended by request", events(two, asks(core.Inject{Leg: "t", Sound: core.Sound{Kind: core.SoundFile, Name: "x.mp3"}})), asks(core.Inject{Leg: "t"}), `
			hear t a
			done
		`},
		{"nothing to end", two, asks(core.Inject{Leg: "t"}), `
			done
		`},
		{"silence of both ends it", events(two, core.LegSilent{Leg: "a"}, core.LegSilent{Leg: "t", Silence: core.SilenceNoRTP}, core.LegSilent{Leg: "a", Silence: core.SilenceNoRTP}), timedOut(core.TimerSilence, "a"), `
			end a 102 no_media
			start drain a 40s
			end t 102 no_media
			start drain t 40s
		`},
		{"the node stops", two, core.Shutdown{}, `
			end a 41 shutdown
			start drain a 40s
			end t 41 shutdown
			start drain t 40s
		`},
		{"a user of the house listens", events(desk, two, fromAlice("x")), gone("a", 16, 0), `
			-> ended a 16
			hear t nothing
		`},
	})
}

// TestSuperviseConversation: an operator listens to a conversation of an application.
func TestSuperviseConversation(t *testing.T) {
	two := events(runs(inRoom()), enters("t", inRoom()))
	boss := core.Offered{Leg: "boss", Edge: core.EdgeBrowser, From: core.Party{User: core.UserID{Name: "bob"}}, Contact: "b", To: "112"}
	watched := events(two, boss, asks(core.Supervise{Leg: "boss", Target: "t", Mode: core.Whisper}))
	runProgrammed(t, []programmedCase{
		{"whisper", events(two, boss), asks(core.Supervise{Leg: "boss", Target: "t", Mode: core.Whisper}), `
			stop play boss
			-> moved boss
			hear t a+boss
			hear boss a+t
			answer boss
			-> answered boss
			done
		`},
		{"dismissed", watched, asks(core.Dismiss{Leg: "boss"}), `
			end boss 16
			start drain boss 40s
			hear t a
			done
		`},
		{"rung for it", events(bobtab, two), asks(core.AddParty{Leg: "t", To: "bob", Mode: core.Monitor}), `
			-> began bobtab
			ring bobtab
			start ring a 30s
			done
		`},
		{"rung, and takes it", events(bobtab, two, asks(core.AddParty{Leg: "t", To: "bob", Mode: core.Monitor}), core.LegAccepted{Leg: "bobtab"}), core.LegUp{Leg: "bobtab"}, `
			stop media bobtab
			hear bobtab a+t
		`},
		{"rung, and the conversation is over", events(bobtab, two, asks(core.AddParty{Leg: "t", To: "bob", Mode: core.Monitor}), gone("t", 16, 0)), gone("a", 16, 0), `
			stop ring a
			-> ended a 16
			end bobtab 16
			start drain bobtab 40s
		`},
		{"the caller of the hunt leaves", events(bobtab, two, asks(core.AddParty{Leg: "t", To: "bob", Mode: core.Monitor})), gone("a", 16, 0), `
			stop ring a
			-> ended a 16
			start ring t 30s
			hear t nothing
		`},
		{"the caller of the hunt is taken out", events(bobtab, two, asks(core.AddParty{Leg: "t", To: "bob", Mode: core.Monitor})), asks(flow.Replace{Leg: "a", Verbs: []flow.Verb{say("away")}}), `
			stop ring a
			-> left a
			hear a nothing
			start ring t 30s
			hear t nothing
			hear a speech:away
			start play a 2h0m0s
			done
		`},
		{"the callee leaves while one is rung", events(bobtab, runs(calls(phone("1001")), inRoom()), up("1001"), asks(core.AddParty{Leg: "a", To: "bob", Mode: core.Monitor})), gone("1001", 16, 0), `
			-> ended 1001* 16
			stop ring a
			end bobtab 16 caller_gone
			start drain bobtab 40s
			hear a nothing
			-> moved a
		`},
		{"a supervisor of a call that moves into a conversation", events(boss, runs(calls(phone("1001")), inRoom()), up("1001"), asks(core.Supervise{Leg: "boss", Target: "a", Mode: core.Monitor})), gone("1001", 16, 0), `
			-> ended 1001* 16
			hear a nothing
			hear boss a
			hear boss nothing
			end boss 16
			start drain boss 40s
			-> moved a
		`},
		{"goes with the last", events(watched, gone("t", 16, 0)), gone("a", 16, 0), `
			-> ended a 16
			end boss 16
			start drain boss 40s
		`},
		{"nobody is added to it", events(bobtab, two), asks(core.AddParty{Leg: "t", To: "bob"}), `
			refused conflict
		`},
		{"nor parked", two, asks(core.Park{Leg: "t"}), `
			refused conflict
		`},
		{"nor transferred by a phone", two, core.TransferAsked{Leg: "a", To: "bob"}, `
			notify a 481 final
		`},
		{"nor merged", events(two, enters("u", flow.Converse{Name: "s", StartOnEnter: true})), asks(core.Merge{Leg: "a", With: "u"}), `
			refused conflict
		`},
		{"an application's idle leg coaches", events(two, enters("u", flow.Wait{For: time.Minute}), fromTab("w"), says("w", 1, flow.Idle)), asks(core.Supervise{Leg: "w", Target: "t", Mode: core.Whisper}), `
			stop ask w
			-> moved w
			hear t a+w
			hear w a+t
			answer w
			-> answered w
			done
		`},
	})
}
