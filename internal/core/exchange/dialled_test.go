package exchange

import (
	"slices"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/route"
)

// calls is a call a whose application rings endpoints.
func calls(endpoints ...flow.Endpoint) flow.Call { return flow.Call{Endpoints: endpoints} }

func appUser(name string) flow.Endpoint { return flow.Endpoint{User: name} }

// annTab and annPad are two browsers of one user of the application.
var (
	annTab = core.ContactUp{Contact: core.Contact{ID: "anntab", User: core.UserID{App: appID, Name: "ann"}, Edge: core.EdgeBrowser}}
	annPad = core.ContactUp{Contact: core.Contact{ID: "annpad", User: core.UserID{App: appID, Name: "ann"}, Edge: core.EdgeBrowser}}
)

// TestCall: what a flow rings, and what becomes of it.
func TestCall(t *testing.T) {
	music := core.Sound{Kind: core.SoundMusic, Name: "wait.mp3"}
	socket := flow.Endpoint{Socket: core.Socket{URI: "wss://bot", Rate: 16000}, Headers: []core.Header{{Name: "id", Value: `"7"`}}}
	one := events(runs(calls(phone("1001")), say("next")))
	talk := events(one, up("1001"))
	several := events(desk, annTab, annPad, runs(calls(phone("1001"), appUser("ann"), flow.Endpoint{House: "alice"}), say("next")))
	sync := flow.Call{Endpoints: []flow.Endpoint{phone("1001")}, Sync: true}
	both := flow.Call{Endpoints: []flow.Endpoint{phone("1001"), phone("1002")}, Sync: true}
	prepared := flow.Call{Endpoints: []flow.Endpoint{{Phone: "1001", OnAnswer: &core.Hook{URL: "x"}, Music: music, Digits: "1p2"}}}
	first := flow.Call{Endpoints: []flow.Endpoint{phone("1001")}, Detect: &flow.Detection{Mode: flow.DetectFirst}}
	beep := flow.Call{Endpoints: []flow.Endpoint{phone("1001")}, Detect: &flow.Detection{Mode: flow.DetectBeep, BeepTimeout: 45 * time.Second}}
	aside := flow.Call{Endpoints: []flow.Endpoint{phone("1001")}, Sync: true, Detect: &flow.Detection{}}
	hangup := flow.Call{Endpoints: []flow.Endpoint{phone("1001")}, Detect: &flow.Detection{Hangup: true}}
	knows := func(who core.Answerer) core.AnswererKnown { return core.AnswererKnown{Leg: "1001", Who: who} }
	runProgrammed(t, []programmedCase{
		{"one phone", events(fromPSTN), instructs("a", 1, calls(phone("+1 001"))), `
			stop ask a
			-> began 1001*
			ring 1001
			start ring a 1m0s
		`},
		{"it rings", one, core.LegRinging{Leg: "1001"}, `
			-> ringing 1001*
			progress a
			hear a ringback:us
		`},
		{"its early media is passed on", one, core.LegEarly{Leg: "1001"}, `
			-> ringing 1001*
			progress a
			hear a 1001
		`},
		{"it takes the call", events(one, core.LegRinging{Leg: "1001"}), core.LegAccepted{Leg: "1001"}, `
			stop ring a
			-> answered 1001*
			start media 1001 5s
			start answer a 2s
		`},
		{"and its media is up", events(one, up("1001")[:2]), core.LegUp{Leg: "1001"}, `
			stop media 1001
			hear a 1001
			hear 1001 a
			stop answer a
			answer a
			-> answered a
			-> bridged a 1001*
			-> bridged 1001* a
		`},
		{"the callee hangs up", talk, gone("1001", 16, 0), `
			-> ended 1001* 16
			hear a nothing
			hear a speech:next
			start play a 2h0m0s
		`},
		{"the caller hangs up", talk, gone("a", 16, 0), `
			-> ended a 16
			end 1001 16
			start drain 1001 40s
		`},
		{"the caller gives up", one, gone("a", 16, 487), `
			stop ring a
			-> ended a 16 code=487
			end 1001 16 caller_gone
			start drain 1001 40s
			-> ended 1001* 16 caller_gone
		`},
		{"busy", one, gone("1001", 17, 486), `
			-> ended 1001* 17 code=486
			stop ring a
			answer a
			-> answered a
			hear a speech:next
			start play a 2h0m0s
		`},
		{"nobody answers", events(one, core.LegRinging{Leg: "1001"}), timedOut(core.TimerRing, "a"), `
			end 1001 19 timeout
			start drain 1001 40s
			-> ended 1001* 19 timeout code=480
			hear a nothing
			answer a
			-> answered a
			hear a speech:next
			start play a 2h0m0s
		`},
		{"no media comes", events(one, core.LegAccepted{Leg: "1001"}), timedOut(core.TimerMedia, "1001"), `
			end 1001 102 no_media
			start drain 1001 40s
			stop answer a
			answer a
			-> answered a
			hear a speech:next
			start play a 2h0m0s
		`},
		{"the callee is hung up by request", talk, asks(core.Release{Leg: "1001*"}), `
			end 1001 16
			start drain 1001 40s
			hear a nothing
			hear a speech:next
			start play a 2h0m0s
			done
		`},
		{"while it rings", one, asks(core.Release{Leg: "1001*"}), `
			end 1001 16
			start drain 1001 40s
			-> ended 1001* 16
			stop ring a
			answer a
			-> answered a
			hear a speech:next
			start play a 2h0m0s
			done
		`},
		{"music until then", events(fromPSTN), instructs("a", 1, flow.Call{Endpoints: []flow.Endpoint{phone("1001")}, Music: music}), `
			stop ask a
			progress a
			hear a file:wait.mp3
			-> began 1001*
			ring 1001
			start ring a 1m0s
		`},
		{"music in place of early media", runs(flow.Call{Endpoints: []flow.Endpoint{phone("1001")}, Music: music}), core.LegEarly{Leg: "1001"}, `
			-> ringing 1001*
		`},
		{"music that cannot be played", runs(flow.Call{Endpoints: []flow.Endpoint{phone("1001")}, Music: music}), unspoken("a", "404"), `
			error a Media download failed: 404
		`},
		{"answered first", events(fromPSTN), instructs("a", 1, flow.Call{Endpoints: []flow.Endpoint{phone("1001")}, AnswerFirst: true}), `
			stop ask a
			answer a
			-> answered a
			-> began 1001*
			ring 1001
			start ring a 1m0s
		`},
		{"a limit", events(runs(flow.Call{Endpoints: []flow.Endpoint{phone("1001")}, Limit: time.Minute}), up("1001")[:2]), core.LegUp{Leg: "1001"}, `
			stop media 1001
			start limit 1001 1m0s
			hear a 1001
			hear 1001 a
			stop answer a
			answer a
			-> answered a
			-> bridged a 1001*
			-> bridged 1001* a
		`},
		{"the limit is over", events(runs(flow.Call{Endpoints: []flow.Endpoint{phone("1001")}, Limit: time.Minute}, say("next")), up("1001")), timedOut(core.TimerLimit, "1001"), `
			end 1001 16 limit
			start drain 1001 40s
			hear a nothing
			hear a speech:next
			start play a 2h0m0s
		`},

		{"several at once: three legs, four devices", events(desk, annTab, annPad, fromPSTN), instructs("a", 1, calls(phone("1001"), appUser("ann"), flow.Endpoint{House: "alice"})), `
			stop ask a
			-> began 1001*
			ring 1001
			start ring a 1m0s
			-> began anntab*
			ring anntab
			ring annpad
			-> began desk*
			ring desk
		`},
		{"a second device rings", events(several, core.LegRinging{Leg: "anntab"}), core.LegRinging{Leg: "annpad"}, ``},
		{"early media of one of several", several, core.LegEarly{Leg: "1001"}, `
			-> ringing 1001*
		`},
		{"one device declines, the other rings on", several, gone("anntab", 21, 0), ``},
		{"both decline", events(several, gone("anntab", 21, 0)), gone("annpad", 21, 0), `
			-> ended anntab* 21
		`},
		{"one device answers", several, core.LegAccepted{Leg: "annpad"}, `
			stop ring a
			-> answered anntab*
			end 1001 26 answered_elsewhere
			start drain 1001 40s
			end anntab 26 answered_elsewhere
			start drain anntab 40s
			end desk 26 answered_elsewhere
			start drain desk 40s
			-> ended 1001* 26 answered_elsewhere
			-> ended desk* 26 answered_elsewhere
			start media annpad 5s
			start answer a 2s
		`},
		{"all fail", events(several, gone("anntab", 21, 0), gone("annpad", 21, 0), gone("1001", 17, 486)), gone("desk", 17, 486), `
			-> ended desk* 17 code=486
			stop ring a
			answer a
			-> answered a
			hear a speech:next
			start play a 2h0m0s
		`},
		{"one leg is hung up by request", several, asks(core.Release{Leg: "anntab*"}), `
			end anntab 16
			start drain anntab 40s
			end annpad 16
			start drain annpad 40s
			-> ended anntab* 16
			done
		`},
		{"the caller is hung up", several, asks(core.Release{Leg: "a"}), `
			stop ring a
			end a 19 code=480
			start drain a 40s
			end 1001 16 caller_gone
			start drain 1001 40s
			-> ended 1001* 16 caller_gone
			end anntab 16 caller_gone
			start drain anntab 40s
			end annpad 16 caller_gone
			start drain annpad 40s
			-> ended anntab* 16 caller_gone
			end desk 16 caller_gone
			start drain desk 40s
			-> ended desk* 16 caller_gone
			done
		`},

		{"a user without a device", events(fromPSTN), instructs("a", 1, calls(appUser("ann"))), `
			stop ask a
			-> began 1bfb1fa3-7c41-411e-a46a-dd6a48d89474
			start ring a 1m0s
		`},
		{"who logs in later", events(runs(calls(appUser("ann")))), annTab, `
			ring anntab
		`},
		{"who never comes", runs(calls(appUser("ann")), say("next")), timedOut(core.TimerRing, "a"), `
			-> ended 1bfb1fa3-7c41-411e-a46a-dd6a48d89474 20 code=480
			answer a
			-> answered a
			hear a speech:next
			start play a 2h0m0s
		`},
		{"who logs in when it is over", events(annTab, runs(calls(appUser("ann"), phone("1001"))), gone("anntab", 21, 0)), annPad, ``},

		{"a group", events(desk, bobtab, fromPSTN), instructs("a", 1, flow.Call{Group: "turns", Ring: flow.Ringing{Strategy: route.Sequential, Hears: "de"}, Timeout: 40 * time.Second}), `
			stop ask a
			-> began desk*
			ring desk
			start ring a 15s
		`},
		{"a group's second turn", events(desk, bobtab, runs(flow.Call{Group: "turns", Ring: flow.Ringing{Strategy: route.Sequential}})), timedOut(core.TimerRing, "a"), `
			end desk 19 timeout
			start drain desk 40s
			-> began bobtab*
			ring bobtab
			start ring a 15s
			-> ended desk* 18 timeout code=408
		`},
		{"an unknown group", events(fromPSTN), instructs("a", 1, flow.Call{Group: "nobody"}, say("next")), `
			stop ask a
			error a Unknown group.
			answer a
			-> answered a
			hear a speech:next
			start play a 2h0m0s
		`},
		{"a key takes the call", events(runs(flow.Call{Endpoints: []flow.Endpoint{phone("1001"), phone("1002")}, Ring: flow.Ringing{Confirm: &route.Confirm{Key: "5"}}}), up("1001")), core.LegDigit{Leg: "1001", Digit: '5'}, `
			stop ring a
			-> answered 1001*
			end 1002 26 answered_elsewhere
			start drain 1002 40s
			-> ended 1002* 26 answered_elsewhere
			stop confirm 1001
			hear a 1001
			hear 1001 a
			answer a
			-> answered a
			-> bridged a 1001*
			-> bridged 1001* a
		`},

		{"our own number leads to a group: one leg", events(bobtab, fromPSTN), instructs("a", 1, calls(phone("27"))), `
			stop ask a
			-> began bobtab*
			ring bobtab
			start ring a 30s
		`},
		{"our own number leads to an application", events(fromPSTN), instructs("a", 1, calls(phone("42")), say("next")), `
			stop ask a
			-> began 42*
			ring 42
			start ring a 1m0s
		`},
		{"a call from ourselves", nil, fromOurselves(1), `
			-> began a
			rings a
			-> ringing a
			start ask a 1m0s
			consult a answer 1
		`},
		{"and on to the next number of ours", events(fromOurselves(2)), instructs("a", 1, calls(phone("42"))), `
			stop ask a
			-> began 42*
			ring 42
			start ring a 1m0s
		`},
		{"round and round", events(fromOurselves(3)), instructs("a", 1, calls(phone("42")), say("next")), `
			stop ask a
			-> began 1bfb1fa3-7c41-411e-a46a-dd6a48d89474
			-> ended 1bfb1fa3-7c41-411e-a46a-dd6a48d89474 3
			answer a
			-> answered a
			hear a speech:next
			start play a 2h0m0s
		`},
		{"a number that is ours no more", nil, core.Offered{Leg: "a", Edge: core.EdgeLoop, To: "4930999", Hops: 1}, `
			-> began a
			end a 1 code=404
			start drain a 40s
		`},
		{"an emergency number", events(fromPSTN), instructs("a", 1, calls(phone("112")), say("next")), `
			stop ask a
			-> began 1bfb1fa3-7c41-411e-a46a-dd6a48d89474
			-> ended 1bfb1fa3-7c41-411e-a46a-dd6a48d89474 57 code=403
			answer a
			-> answered a
			hear a speech:next
			start play a 2h0m0s
		`},
		{"no such user of the house", events(fromPSTN), instructs("a", 1, calls(flow.Endpoint{House: "zoe"}), say("next")), `
			stop ask a
			-> began 1bfb1fa3-7c41-411e-a46a-dd6a48d89474
			-> ended 1bfb1fa3-7c41-411e-a46a-dd6a48d89474 3
			answer a
			-> answered a
			hear a speech:next
			start play a 2h0m0s
		`},
		{"no such trunk", events(fromPSTN), instructs("a", 1, calls(flow.Endpoint{Phone: "1001", Trunk: "x"}), say("next")), `
			stop ask a
			-> began 1bfb1fa3-7c41-411e-a46a-dd6a48d89474
			-> ended 1bfb1fa3-7c41-411e-a46a-dd6a48d89474 3
			answer a
			-> answered a
			hear a speech:next
			start play a 2h0m0s
		`},
		{"a SIP URI", events(fromPSTN), instructs("a", 1, calls(flow.Endpoint{URI: "sip:bob@10.0.0.7"})), `
			stop ask a
			-> began sip:bob@10.0.0.7*
			ring sip:bob@10.0.0.7
			start ring a 1m0s
		`},
		{"no SIP URI", events(fromPSTN), instructs("a", 1, calls(flow.Endpoint{URI: "tel:5"}), say("next")), `
			stop ask a
			-> began 1bfb1fa3-7c41-411e-a46a-dd6a48d89474
			-> ended 1bfb1fa3-7c41-411e-a46a-dd6a48d89474 28 code=484
			answer a
			-> answered a
			hear a speech:next
			start play a 2h0m0s
		`},
		{"the next trunk: the same leg", events(runs(calls(phone("4930"))), core.LegRinging{Leg: "4930"}), gone("4930", 34, 503), `
			ring 4930@backup
			start ring a 8s
		`},

		{"a socket", events(fromPSTN), instructs("a", 1, calls(socket)), `
			stop ask a
			-> began wss://bot*
			ring wss://bot
			start ring a 1m0s
		`},
		{"a socket that closes", events(runs(calls(socket), say("next")), up("wss://bot")), core.LegClosed{Leg: "wss://bot"}, `
			start ask a 1m0s
			-> closed wss://bot* turn=2
		`},
		{"is gone, and the application thinks about it", events(runs(calls(socket), say("next")), up("wss://bot"), core.LegClosed{Leg: "wss://bot"}), gone("wss://bot", 16, 0), `
			-> ended wss://bot* 16
			hear a nothing
		`},
		{"and says what comes instead", events(runs(calls(socket), say("next")), up("wss://bot"), core.LegClosed{Leg: "wss://bot"}, gone("wss://bot", 16, 0)), instructs("a", 2, say("instead")), `
			stop ask a
			hear a speech:instead
			start play a 2h0m0s
		`},
		{"said before it is gone", events(runs(calls(socket), say("next")), up("wss://bot"), core.LegClosed{Leg: "wss://bot"}), instructs("a", 2, say("instead")), `
			stop ask a
		`},
		{"said before, and then gone", events(runs(calls(socket), say("next")), up("wss://bot"), core.LegClosed{Leg: "wss://bot"}, instructs("a", 2, say("instead"))), gone("wss://bot", 16, 0), `
			-> ended wss://bot* 16
			hear a nothing
			hear a speech:instead
			start play a 2h0m0s
		`},

		{"synchronous: the end waits for the application", runs(sync, say("next")), gone("1001", 17, 486), `
			start ask a 1m0s
			-> ended 1001* turn=2 17 code=486
			stop ring a
		`},
		{"synchronous: which says what comes instead", events(runs(sync, say("next")), gone("1001", 17, 486)), instructs("a", 2, say("busy?")), `
			stop ask a
			answer a
			-> answered a
			hear a speech:busy?
			start play a 2h0m0s
		`},
		{"synchronous: or nothing", events(runs(sync, say("next")), gone("1001", 17, 486)), says("a", 2, flow.Go), `
			stop ask a
			answer a
			-> answered a
			hear a speech:next
			start play a 2h0m0s
		`},
		{"synchronous: the first of two", runs(both, say("next")), gone("1001", 17, 486), `
			-> ended 1001* 17 code=486
		`},
		{"synchronous: the last of two", events(runs(both, say("next")), gone("1001", 17, 486)), gone("1002", 17, 486), `
			start ask a 1m0s
			-> ended 1002* turn=2 17 code=486
			stop ring a
		`},
		{"synchronous: nobody is asked about who talked", events(runs(sync, say("next")), up("1001")), gone("1001", 16, 0), `
			-> ended 1001* 16
			hear a nothing
			hear a speech:next
			start play a 2h0m0s
		`},

		{"a flow for the callee first", events(runs(prepared), core.LegAccepted{Leg: "1001"}), core.LegUp{Leg: "1001"}, `
			stop media 1001
			keys 1001 1p2
			hear a file:wait.mp3
			start ask 1001 1m0s
			consult 1001* on_answer 1 at x
		`},
		{"the callee hears it", events(runs(prepared), up("1001")), instructs("1001*", 1, say("a call for you")), `
			stop ask 1001
			hear 1001 speech:a_call_for_you
			start play 1001 2h0m0s
		`},
		{"and is joined", events(runs(prepared), up("1001"), instructs("1001*", 1, say("a call for you"))), spoken("1001"), `
			stop play 1001
			hear a 1001
			hear 1001 a
			stop answer a
			answer a
			-> answered a
			-> bridged a 1001*
			-> bridged 1001* a
		`},
		{"the callee's flow listens to who called", events(runs(prepared), up("1001")), instructs("1001*", 1, listens("a")), `
			stop ask 1001
			listen a
			start verb 1001 22s
		`},
		{"and he says something", events(runs(prepared), up("1001"), instructs("1001*", 1, listens("a"))), heardWords{result: core.SpeechResult{Reason: core.SpeechSilence}}, `
			stop verb 1001
			start ask 1001 1m0s
			consult 1001* input 3 reason=1
		`},
		{"listens to nobody of the call: to the callee", events(runs(prepared), up("1001")), instructs("1001*", 1, listens("z")), `
			stop ask 1001
			listen 1001
			start verb 1001 22s
		`},
		{"nothing for the callee", events(runs(prepared), up("1001")), says("1001*", 1, flow.Go), `
			stop ask 1001
			hear a 1001
			hear 1001 a
			stop answer a
			answer a
			-> answered a
			-> bridged a 1001*
			-> bridged 1001* a
		`},
		{"no answer about the callee", events(runs(prepared), up("1001")), timedOut(core.TimerAsk, "1001"), `
			hear a 1001
			hear 1001 a
			stop answer a
			answer a
			-> answered a
			-> bridged a 1001*
			-> bridged 1001* a
		`},
		{"the callee's flow goes nowhere else", events(runs(prepared), up("1001")), instructs("1001*", 1, inRoom(), calls(phone("1002")), flow.MoveAll{}), `
			stop ask 1001
			error 1001* Syntax error in NCCO. Invalid value type or action.
			error 1001* Syntax error in NCCO. Invalid value type or action.
			error 1001* Unknown conversation.
			hear a 1001
			hear 1001 a
			stop answer a
			answer a
			-> answered a
			-> bridged a 1001*
			-> bridged 1001* a
		`},
		{"the callee hangs up in it", events(runs(prepared, say("next")), up("1001"), instructs("1001*", 1, say("a call for you"))), gone("1001", 16, 0), `
			stop play 1001
			-> ended 1001* 16
			stop answer a
			hear a nothing
			answer a
			-> answered a
			hear a speech:next
			start play a 2h0m0s
		`},
		{"the caller hangs up meanwhile", events(runs(prepared), up("1001"), instructs("1001*", 1, say("a call for you"))), gone("a", 16, 0), `
			stop answer a
			-> ended a 16
			stop play 1001
			end 1001 16 caller_gone
			start drain 1001 40s
		`},
		{"the caller is answered meanwhile", events(runs(prepared), up("1001"), instructs("1001*", 1, say("a call for you"))), timedOut(core.TimerAnswer, "a"), `
			answer a
			-> answered a
		`},

		{"who answered is found out first", events(runs(first), core.LegAccepted{Leg: "1001"}), core.LegUp{Leg: "1001"}, `
			stop media 1001
			detect 1001
			start verb 1001 10s
			hear a ringback:us
		`},
		{"a human is joined", events(runs(first), up("1001")), knows(core.Human), `
			-> human 1001*
			stop verb 1001
			hear a 1001
			hear 1001 a
			stop answer a
			answer a
			-> answered a
			-> bridged a 1001*
			-> bridged 1001* a
		`},
		{"so is a machine", events(runs(first), up("1001")), knows(core.Machine), `
			-> machine 1001*
			stop verb 1001
			hear a 1001
			hear 1001 a
			stop answer a
			answer a
			-> answered a
			-> bridged a 1001*
			-> bridged 1001* a
		`},
		{"so is who cannot be told", events(runs(first), up("1001")), timedOut(core.TimerVerb, "1001"), `
			hear a 1001
			hear 1001 a
			stop answer a
			answer a
			-> answered a
			-> bridged a 1001*
			-> bridged 1001* a
		`},
		{"a beep is waited for", events(runs(beep), up("1001")), knows(core.Machine), `
			-> machine 1001*
			start verb 1001 55s
		`},
		{"the beep", events(runs(beep), up("1001"), knows(core.Machine)), knows(core.Beep), `
			-> beep 1001*
			stop verb 1001
			hear a 1001
			hear 1001 a
			stop answer a
			answer a
			-> answered a
			-> bridged a 1001*
			-> bridged 1001* a
		`},
		{"a beep of nobody", events(runs(beep), up("1001")), knows(core.Beep), ``},
		{"told twice", events(runs(beep), up("1001"), knows(core.Machine)), knows(core.Human), ``},
		{"found out aside", events(runs(aside), up("1001")), knows(core.Machine), `
			-> machine 1001* turn=2
		`},
		{"and another flow is the answer", events(runs(aside), up("1001"), knows(core.Machine)), instructs("a", 2, say("leave a message")), `
			end 1001 16
			start drain 1001 40s
			hear a nothing
			hear a speech:leave_a_message
			start play a 2h0m0s
		`},
		{"or none", events(runs(aside), up("1001"), knows(core.Machine)), says("a", 2, flow.Go), ``},
		{"a machine is hung up", events(runs(hangup, say("next")), up("1001")), knows(core.Machine), `
			-> machine 1001*
			end 1001 16
			start drain 1001 40s
			hear a nothing
			hear a speech:next
			start play a 2h0m0s
		`},
		{"a human is not", events(runs(hangup, say("next")), up("1001")), knows(core.Human), `
			-> human 1001*
		`},

		{"the caller is taken out", talk, asks(flow.Replace{Leg: "a", Verbs: []flow.Verb{inRoom()}}), `
			-> left a
			hear a nothing
			hear 1001 nothing
			-> moved a
			done
		`},
		{"the callee is taken out", talk, asks(flow.Replace{Leg: "1001*", Verbs: []flow.Verb{inRoom()}}), `
			-> left 1001*
			hear 1001 nothing
			hear a nothing
			hear a speech:next
			start play a 2h0m0s
			-> moved 1001*
			done
		`},
		{"the caller is taken out while it rings", one, asks(flow.Replace{Leg: "a", Verbs: []flow.Verb{say("else")}}), `
			stop ring a
			end 1001 16 caller_gone
			start drain 1001 40s
			-> ended 1001* 16 caller_gone
			answer a
			-> answered a
			hear a speech:else
			start play a 2h0m0s
			done
		`},
		{"the callee cannot be while it rings", one, asks(flow.Replace{Leg: "1001*", Verbs: []flow.Verb{say("else")}}), `
			refused conflict
		`},
		{"the callee is taken out of its own flow", events(runs(prepared, say("next")), up("1001"), instructs("1001*", 1, say("a call for you"))), asks(flow.Replace{Leg: "1001*", Verbs: []flow.Verb{say("else")}}), `
			stop play 1001
			hear 1001 nothing
			-> left 1001*
			stop answer a
			hear a nothing
			answer a
			-> answered a
			hear a speech:next
			start play a 2h0m0s
			hear 1001 speech:else
			start play 1001 2h0m0s
			done
		`},
		{"a phone cannot pick the call up", events(several, fromBob("b", "x")), asks(core.Pickup{Leg: "1001*", By: "b"}), `
			refused conflict
		`},
	})
}

// TestCallRate: an application begins five legs a second, whatever a Call rings.
func TestCallRate(t *testing.T) {
	s := newScript(t)
	for range 2 {
		for i := range 5 {
			leg := core.LegID("n" + string(rune('0'+i)))
			if got, _ := s.apply(asks(flow.Create{Leg: leg, App: appID, Endpoint: phone("1001")})); !slices.Contains(got, "done") {
				t.Fatalf("leg %d: %v", i, got)
			}
		}
		for range 3 {
			if got, history := s.apply(asks(flow.Create{Leg: "n5", App: appID, Endpoint: phone("1001")})); !slices.Equal(got, []string{"refused unavailable"}) || history != nil {
				t.Fatalf("the sixth: %v %v", got, history)
			}
		}
		s.apply(core.Broken{Leg: "n0"})
		s.now = s.now.Add(time.Second)
		for i := range 5 {
			s.apply(core.Broken{Leg: core.LegID("n" + string(rune('0'+i)))})
		}
	}
	for range 5 {
		s.apply(asks(flow.Create{Leg: core.LegID(s.x.newID()), App: appID, Endpoint: phone("1001")}))
	}
	s.apply(fromPSTN)
	got, _ := s.apply(instructs("a", 1, calls(phone("1002")), say("next")))
	if len(got) < 2 || got[1] != "error a "+core.ReasonCapacity {
		t.Errorf("a Call over the rate: %v", got)
	}
}

// Whom a callee talked with was taken out; when it has a flow of its own it talks with
// nobody, whatever conversation it will wait for.
func TestLeftBehindTalksWithNobody(t *testing.T) {
	s := newScript(t)
	for _, ev := range events(runs(calls(phone("1001"))), up("1001"),
		asks(flow.Replace{Leg: "a", Verbs: []flow.Verb{say("away")}}),
		asks(flow.Replace{Leg: "1001*", Verbs: []flow.Verb{flow.Converse{Name: "later"}}}),
	) {
		s.apply(ev)
	}
	l := s.x.legs[s.ids["1001"]]
	if l == nil || !l.inRoom() || l.joined {
		t.Errorf("the callee waits for its conversation and talks: %+v", l)
	}
}
