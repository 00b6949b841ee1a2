package exchange

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// fromOurselves is a call a to the number of the application, by way of so many of
// our numbers.
func fromOurselves(hops uint8) core.Offered {
	return core.Offered{Leg: "a", Edge: core.EdgeLoop, From: core.Party{Number: "4930"}, To: "40", Hops: hops}
}

// creates rings an endpoint for the application, as leg n.
func creates(c flow.Create) core.Event { return asks(c) }

// TestCreate: legs that an application begins by itself.
func TestCreate(t *testing.T) {
	mobile := create(phone("1001"), say("hello"))
	ask := create(phone("1001"))
	user := create(appUser("ann"), say("hello"))
	limit := mobile
	limit.Limit = time.Minute
	first := mobile
	first.Detect = &flow.Detection{Mode: flow.DetectFirst}
	aside := mobile
	aside.Detect = &flow.Detection{}
	browser := user
	browser.Detect = &flow.Detection{Mode: flow.DetectFirst}
	keys := mobile
	keys.Endpoint.Digits = "12"
	stranger := mobile
	stranger.App = "nobody"
	answered := events(creates(mobile), up("1001"))
	runProgrammed(t, []programmedCase{
		{"a phone", nil, creates(mobile), `
			-> began n
			ring 1001
			start ring n 20s
			done
		`},
		{"it rings", events(creates(mobile)), core.LegRinging{Leg: "1001"}, `
			-> ringing n
		`},
		{"its early media is for nobody", events(creates(mobile)), core.LegEarly{Leg: "1001"}, `
			-> ringing n
		`},
		{"it answers", events(creates(mobile), core.LegRinging{Leg: "1001"}), core.LegAccepted{Leg: "1001"}, `
			stop ring n
			-> answered n
			start media 1001 5s
		`},
		{"and runs its flow", events(creates(mobile), up("1001")[:2]), core.LegUp{Leg: "1001"}, `
			stop media 1001
			hear 1001 speech:hello
			start play 1001 2h0m0s
		`},
		{"or asks for one", events(creates(ask), up("1001")[:2]), core.LegUp{Leg: "1001"}, `
			stop media 1001
			start ask 1001 1m0s
			consult n answer 1
		`},
		{"which comes", events(creates(ask), up("1001")), instructs("n", 1, say("hello")), `
			stop ask 1001
			hear 1001 speech:hello
			start play 1001 2h0m0s
		`},
		{"or not yet", events(creates(ask), up("1001")), says("n", 1, flow.Idle), `
			stop ask 1001
		`},
		{"or never", events(creates(ask), up("1001")), timedOut(core.TimerAsk, "1001"), `
			end 1001 16
			start drain 1001 40s
		`},
		{"an idle leg gets one by request", events(creates(ask), up("1001"), says("n", 1, flow.Idle)), asks(flow.Replace{Leg: "n", Verbs: []flow.Verb{inRoom()}}), `
			-> moved n
			done
		`},
		{"its flow is over", answered, spoken("1001"), `
			stop play 1001
			end 1001 16
			start drain 1001 40s
		`},
		{"it hangs up", answered, gone("1001", 16, 0), `
			stop play 1001
			-> ended n 16
		`},
		{"busy", events(creates(mobile)), gone("1001", 17, 486), `
			stop ring n
			-> ended n 17 code=486
		`},
		{"nobody answers", events(creates(mobile), core.LegRinging{Leg: "1001"}), timedOut(core.TimerRing, "n"), `
			end 1001 19 timeout
			start drain 1001 40s
			-> ended n 19 timeout code=480
		`},
		{"hung up while it rings", events(creates(mobile)), asks(core.Release{Leg: "n"}), `
			end 1001 16
			start drain 1001 40s
			stop ring n
			-> ended n 16
			done
		`},
		{"another flow while it rings", events(creates(mobile), asks(flow.Replace{Leg: "n", Verbs: []flow.Verb{say("new")}}), up("1001")[:2]), core.LegUp{Leg: "1001"}, `
			stop media 1001
			hear 1001 speech:new
			start play 1001 2h0m0s
		`},
		{"muted while it rings", events(creates(create(phone("1001"), inRoom())), enters("t", inRoom()), asks(core.Mute{Leg: "n", Muted: true}), up("1001")[:2]), core.LegUp{Leg: "1001"}, `
			stop media 1001
			hear 1001 t
			-> moved n
		`},
		{"no sound while it rings (contract 5.5: always 200)", events(creates(mobile)), asks(core.Inject{Leg: "n"}), `
			done
		`},
		{"a sound while it rings", events(creates(mobile)), asks(core.Inject{Leg: "n", Sound: speech("x")}), `
			refused conflict
		`},
		{"keys while it rings", events(creates(mobile)), asks(core.Key{Leg: "n", Digits: "1"}), `
			refused conflict
		`},
		{"a limit", events(creates(limit), up("1001")[:2]), core.LegUp{Leg: "1001"}, `
			stop media 1001
			start limit 1001 1m0s
			hear 1001 speech:hello
			start play 1001 2h0m0s
		`},
		{"the limit is over", events(creates(limit), up("1001")), timedOut(core.TimerLimit, "1001"), `
			stop play 1001
			end 1001 16 limit
			start drain 1001 40s
		`},
		{"keys to who answers", events(creates(keys), up("1001")[:2]), core.LegUp{Leg: "1001"}, `
			stop media 1001
			keys 1001 12
			hear 1001 speech:hello
			start play 1001 2h0m0s
		`},
		{"who answers is found out first", events(creates(first), up("1001")[:2]), core.LegUp{Leg: "1001"}, `
			stop media 1001
			detect 1001
			start verb 1001 10s
		`},
		{"a browser is no machine", events(annTab, creates(browser), core.LegAccepted{Leg: "anntab"}), core.LegUp{Leg: "anntab"}, `
			stop media anntab
			hear anntab speech:hello
			start play anntab 2h0m0s
		`},
		{"then its flow runs", events(creates(first), up("1001")), core.AnswererKnown{Leg: "1001", Who: core.Machine}, `
			-> machine n
			stop verb 1001
			hear 1001 speech:hello
			start play 1001 2h0m0s
		`},
		{"who answers is found out aside", events(creates(aside), up("1001")), core.AnswererKnown{Leg: "1001", Who: core.Machine}, `
			-> machine n turn=1
		`},
		{"and another flow is the answer", events(creates(aside), up("1001"), core.AnswererKnown{Leg: "1001", Who: core.Machine}), instructs("n", 1, say("a message")), `
			stop play 1001
			hear 1001 nothing
			hear 1001 speech:a_message
			start play 1001 2h0m0s
		`},

		{"two devices of a user", events(annTab, annPad), creates(user), `
			-> began n
			ring anntab
			start ring n 20s
			ring annpad
			done
		`},
		{"both ring", events(annTab, annPad, creates(user), core.LegRinging{Leg: "anntab"}), core.LegRinging{Leg: "annpad"}, ``},
		{"the second answers", events(annTab, annPad, creates(user), core.LegRinging{Leg: "anntab"}), core.LegAccepted{Leg: "annpad"}, `
			stop ring n
			-> answered n
			end anntab 26 answered_elsewhere
			start drain anntab 40s
			start media annpad 5s
		`},
		{"both answer", events(annTab, annPad, creates(user), core.LegAccepted{Leg: "annpad"}), core.LegAccepted{Leg: "anntab"}, ``},
		{"the first is gone", events(annTab, annPad, creates(user), core.LegAccepted{Leg: "annpad"}), gone("anntab", 16, 487), `
			stop drain anntab
		`},
		{"and hangs up", events(annTab, annPad, creates(user), core.LegAccepted{Leg: "annpad"}, core.LegUp{Leg: "annpad"}), gone("annpad", 16, 0), `
			stop play annpad
			-> ended n 16
		`},
		{"both decline", events(annTab, annPad, creates(user), gone("anntab", 21, 603)), gone("annpad", 21, 603), `
			stop ring n
			-> ended n 21 code=603
		`},
		{"no device", nil, creates(user), `
			-> began n
			start ring n 20s
			done
		`},
		{"that comes later", events(creates(user)), annTab, `
			ring anntab
		`},
		{"that never comes", events(creates(user)), timedOut(core.TimerRing, "n"), `
			-> ended n 20 code=480
		`},

		{"the next trunk: the same leg", events(creates(create(phone("4930"), say("hello"))), core.LegRinging{Leg: "4930"}), gone("4930", 34, 503), `
			ring 4930@backup
			start ring n 8s
		`},
		{"what cannot be rung", nil, creates(create(phone("112"), say("hello"))), `
			-> began n
			-> ended n 57 code=403
			done
		`},
		{"a group behind our own number", events(desk, bobtab), creates(create(phone("27"), say("hello"))), `
			-> began n
			ring desk
			start ring n 20s
			ring bobtab
			done
		`},
		{"by an application that is not there", nil, creates(stranger), `
			refused not_found
		`},
		{"a name that is taken", events(fromPSTN), creates(flow.Create{Leg: "a", App: appID, Endpoint: phone("1001")}), `
			refused conflict
		`},
		{"a node that stops", events(core.Draining{}), creates(mobile), `
			refused unavailable
		`},
		{"broken while it rings", events(creates(mobile)), core.Broken{Leg: "n"}, `
			stop ring n
			end 1001 41
			start drain 1001 40s
			-> ended n 41
		`},
		{"the node stops while it rings", events(creates(mobile)), core.Shutdown{}, `
			stop ring n
			end 1001 41 shutdown
			start drain 1001 40s
			-> ended n 41 shutdown
		`},
	})
}

// TestRequests: what applications may ask about legs.
func TestRequests(t *testing.T) {
	offered := events(fromPSTN, says("a", 1, flow.Idle))
	of := func(app string, do core.Request) core.Event { return asks(core.OfApp{App: app, Do: do}) }
	ringback := core.Inject{Leg: "a", Sound: core.Sound{Kind: core.SoundFile, Name: "us.mp3", Loop: core.LoopForever, Level: -6}}
	runProgrammed(t, []programmedCase{
		{"a sound into a call that rings", offered, of(appID, ringback), `
			progress a
			hear a nothing + file:us.mp3
			done
		`},
		{"another one", events(offered, of(appID, ringback)), of(appID, ringback), `
			hear a nothing + file:us.mp3
			done
		`},
		{"before the application said to let it ring", events(fromPSTN), of(appID, ringback), `
			progress a
			hear a nothing + file:us.mp3
			done
		`},
		{"its end in the middle", events(offered, of(appID, ringback)), of(appID, core.Inject{Leg: "a"}), `
			hear a nothing
			done
		`},
		{"a flow answers it", events(offered, of(appID, ringback)), of(appID, flow.Replace{Leg: "a", Verbs: []flow.Verb{inRoom()}}), `
			stop ask a
			hear a nothing
			answer a
			-> answered a
			-> moved a
			done
		`},
		{"a flow before the answer to the question", events(fromPSTN), of(appID, flow.Replace{Leg: "a", Verbs: []flow.Verb{say("x")}}), `
			stop ask a
			answer a
			-> answered a
			hear a speech:x
			start play a 2h0m0s
			done
		`},
		{"which then means nothing", events(fromPSTN, of(appID, flow.Replace{Leg: "a", Verbs: []flow.Verb{say("x")}})), instructs("a", 1, say("y")), ``},
		{"an empty flow ends it", offered, of(appID, flow.Replace{Leg: "a"}), `
			stop ask a
			answer a
			-> answered a
			end a 16
			start drain a 40s
			done
		`},
		{"hung up before it was answered", offered, of(appID, core.Release{Leg: "a"}), `
			stop ask a
			end a 19 code=480
			start drain a 40s
			done
		`},
		{"hung up", events(runs(say("x"))), of(appID, core.Release{Leg: "a"}), `
			stop play a
			end a 16
			start drain a 40s
			done
		`},
		{"somebody else's leg", offered, of(otherID, core.Release{Leg: "a"}), `
			refused not_found
		`},
		{"a leg of the house", events(desk, bobtab, fromAlice("bob")), of(appID, core.Release{Leg: "a"}), `
			refused not_found
		`},
		{"a leg of the house for another", events(two(), bobHouse()), of(appID, core.Supervise{Leg: "b", Target: "a", Mode: core.Monitor}), `
			refused not_found
		`},
		{"keys", events(runs(say("x"))), of(appID, core.Key{Leg: "a", Digits: "12p#"}), `
			keys a 12p#
			done
		`},
		{"a flow for a leg of the house", events(desk, fromAlice("bob")), asks(flow.Replace{Leg: "a"}), `
			refused conflict
		`},
		{"an unknown leg", nil, of(appID, core.Release{Leg: "x"}), `
			refused not_found
		`},
		{"no such slot", offered, of(appID, core.Inject{Leg: "a", Slot: core.InjectSlots, Sound: speech("x")}), `
			refused invalid
		`},
		{"every key of a leg of the house", events(desk, fromAlice("bob")), asks(core.WatchKeys{Leg: "a", On: true}), `
			refused conflict
		`},
	})
}

func two() []core.Event { return events(runs(inRoom()), enters("t", inRoom())) }

func bobHouse() core.Event { return fromBob("b", "112") }

// TestReachApplication: who reaches an application, and who does not.
func TestReachApplication(t *testing.T) {
	owner := func(to, key string) core.Offered {
		return core.Offered{Leg: "a", Edge: core.EdgeSIP, From: core.Party{User: core.UserID{App: core.AccountApp, Name: key}, Number: "15551"}, To: to}
	}
	other := fromTab("a")
	other.From.User.App = otherID
	runProgrammed(t, []programmedCase{
		{"a user of the house by number", nil, fromAlice("40"), `
			-> began a
			rings a
			-> ringing a
			start ask a 1m0s
			consult a answer 1
		`},
		{"a user of the application, whatever it dials", nil, fromTab("t"), `
			-> began t
			rings t
			-> ringing t
			start ask t 1m0s
			consult t answer 1
		`},
		{"one of an application that takes no calls", nil, other, `
			-> began a
			progress a
			hear a prompt:unreachable
			start play a 10s
		`},
		{"the SIP client of its account", nil, owner("40", "owner"), `
			-> began a
			rings a
			-> ringing a
			start ask a 1m0s
			consult a answer 1
		`},
		{"of another account", nil, owner("40", "thief"), `
			-> began a
			end a 57 code=403
			start drain a 40s
		`},
		{"of its account to a number that leads elsewhere", nil, owner("17", "owner"), `
			-> began a
			end a 57 code=403
			start drain a 40s
		`},
		{"of its account to no number of ours", nil, owner("99999", "owner"), `
			-> began a
			end a 1 code=404
			start drain a 40s
		`},
		{"after a group did not take it", events(bobtab, fromTrunk("41"), core.LegRinging{Leg: "bobtab"}), timedOut(core.TimerRing, "a"), `
			end bobtab 19 timeout
			start drain bobtab 40s
			hear a nothing
			-> ringing a
			start ask a 1m0s
			consult a answer 1
		`},
		{"and is answered", events(bobtab, fromTrunk("41"), core.LegRinging{Leg: "bobtab"}, timedOut(core.TimerRing, "a")), instructs("a", 1, say("sorry")), `
			stop ask a
			answer a
			-> answered a
			hear a speech:sorry
			start play a 2h0m0s
		`},
		{"when the node stops", events(core.Draining{}), fromPSTN, `
			-> began a
			end a 41 code=503
			start drain a 40s
		`},
		{"a transfer there", events(desk, bobtab, fromBob("a", "17"), up("desk")), core.TransferAsked{Leg: "desk", To: "40"}, `
			notify desk 404 final
		`},
		{"a party from there", events(desk, bobtab, fromBob("a", "17"), up("desk")), asks(core.AddParty{Leg: "desk", To: "40"}), `
			refused not_found
		`},
	})
}

// TestToldWhere: what an action does is told where the action says, else where the leg
// is, else where the application wants all of it (contract section 8).
func TestToldWhere(t *testing.T) {
	told := func(c flow.Create) []core.Event {
		c.Hook.URL = "leg"
		return events(creates(c), up("1001"))
	}
	one := keys(1)
	own := one
	own.Hook.URL = "action"
	live := flow.Input{Async: true}
	text := flow.Record{Transcribe: &core.Transcription{}}
	ownText := flow.Record{Hook: core.Hook{URL: "action"}, Transcribe: &core.Transcription{Hook: core.Hook{URL: "text"}}}
	runProgrammed(t, []programmedCase{
		{"input, of the leg", told(create(phone("1001"), one)), press("1001", "7")[0], `
			stop verb 1001
			start ask 1001 1m0s
			consult n input 1 keys="7" timed_out=false at leg
		`},
		{"input, of the action", told(create(phone("1001"), own)), press("1001", "7")[0], `
			stop verb 1001
			start ask 1001 1m0s
			consult n input 1 keys="7" timed_out=false at action
		`},
		{"input, of the application", runs(one), press("a", "7")[0], `
			stop verb a
			start ask a 1m0s
			consult a input 2 keys="7" timed_out=false
		`},
		{"each key", told(create(phone("1001"), live, say("x"))), press("1001", "7")[0], `
			digit n 7 at leg
		`},
		{"recording and text, of the leg", told(create(phone("1001"), say("x"), text)), spoken("1001"), `
			stop play 1001
			record 1 [1001 + speech:x] at leg text at leg
			hear 1001 nothing
			set 1 [1001]
		`},
		{"recording and text, of the action", told(create(phone("1001"), say("x"), ownText)), spoken("1001"), `
			stop play 1001
			record 1 [1001 + speech:x] at action text at text
			hear 1001 nothing
			set 1 [1001]
		`},
	})
}
