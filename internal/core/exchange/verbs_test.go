package exchange

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// runs is a call a whose application lets it run verbs.
func runs(verbs ...flow.Verb) []core.Event { return events(fromPSTN, instructs("a", 1, verbs...)) }

// asking is a question with words that a key or speech may cut short.
func asking(text string) flow.Verb { return flow.Say{Sound: speech(text), BargeIn: true} }

func keys(most int) flow.Input {
	return flow.Input{Keys: &flow.KeyInput{Timeout: 3 * time.Second, MaxDigits: most}}
}

func press(leg core.LegID, keys string) (all []core.Event) {
	for _, key := range []byte(keys) {
		all = append(all, core.LegDigit{Leg: leg, Digit: key})
	}
	return all
}

// TestSay: sounds, pauses and notices.
func TestSay(t *testing.T) {
	runProgrammed(t, []programmedCase{
		{"one after the other", runs(say("one"), say("two")), spoken("a"), `
			stop play a
			hear a speech:two
			start play a 2h0m0s
		`},
		{"one that fails is told, and the next is said", runs(say("one"), say("two")), unspoken("a", "text to speech is not installed"), `
			error a text to speech is not installed
			stop play a
			hear a speech:two
			start play a 2h0m0s
		`},
		{"the end of a sound before it means nothing", events(runs(say("one"), say("two")), spoken("a")), core.Played{Leg: "a", Sound: core.Sound{Kind: core.SoundSpeech, Name: "one", No: 1}}, ``},
		{"one whose end is never reported", runs(say("one"), say("two")), timedOut(core.TimerPlay, "a"), `
			hear a speech:two
			start play a 2h0m0s
		`},
		{"one for ever", events(fromPSTN), instructs("a", 1, flow.Say{Sound: core.Sound{Kind: core.SoundFile, Name: "x.mp3", Loop: core.LoopForever}}, say("never")), `
			stop ask a
			answer a
			-> answered a
			hear a file:x.mp3
		`},
		{"a pause", events(fromPSTN), instructs("a", 1, flow.Wait{For: 2 * time.Second}, say("then")), `
			stop ask a
			answer a
			-> answered a
			start verb a 2s
		`},
		{"after the pause", runs(flow.Wait{For: 2 * time.Second}, say("then")), timedOut(core.TimerVerb, "a"), `
			hear a speech:then
			start play a 2h0m0s
		`},
		{"the party hangs up", runs(say("one")), gone("a", 16, 0), `
			stop play a
			-> ended a 16
		`},
		{"a notice needs no answered call", events(fromPSTN), instructs("a", 1, flow.Notify{Payload: "{}"}, say("then")), `
			stop ask a
			start ask a 1m0s
			consult a notify 2
		`},
		{"a notice is answered with a flow", runs(flow.Notify{}, say("old")), instructs("a", 2, say("new")), `
			stop ask a
			answer a
			-> answered a
			hear a speech:new
			start play a 2h0m0s
		`},
		{"a notice is answered with nothing", runs(flow.Notify{}, say("old")), says("a", 2, flow.Go), `
			stop ask a
			answer a
			-> answered a
			hear a speech:old
			start play a 2h0m0s
		`},
		{"a notice is not answered", runs(flow.Notify{}, say("old")), timedOut(core.TimerAsk, "a"), `
			answer a
			-> answered a
			hear a speech:old
			start play a 2h0m0s
		`},
		{"a notice is answered with nonsense", runs(flow.Notify{}, say("old")), flow.Instructed{Turn: core.Turn{Leg: "a", No: 2}, Kind: flow.Failed, Reason: core.ReasonSyntax}, `
			stop ask a
			error a Syntax error in NCCO. Invalid value type or action.
			answer a
			-> answered a
			hear a speech:old
			start play a 2h0m0s
		`},
		{"a notice is the last", runs(flow.Notify{}), says("a", 2, flow.Go), `
			stop ask a
			end a 19 code=480
			start drain a 40s
		`},
	})
}

// listens is an input of what a leg says.
func listens(to core.LegID) flow.Input {
	return flow.Input{Speaker: to, Speech: &core.Speech{StartTimeout: 5 * time.Second, MaxDuration: 5 * time.Second, EndOnSilence: 2 * time.Second}}
}

// TestInput: keys and speech, with and without a question before.
func TestInput(t *testing.T) {
	both := flow.Input{Keys: keys(4).Keys, Speech: &core.Speech{StartTimeout: 10 * time.Second, MaxDuration: 60 * time.Second, EndOnSilence: 2 * time.Second}}
	words := flow.Input{Speech: both.Speech}
	hash := flow.Input{Keys: &flow.KeyInput{Timeout: 3 * time.Second, MaxDigits: 4, SubmitOnHash: true}}
	heard := heardWords{result: core.SpeechResult{Reason: core.SpeechSilence, Results: []core.SpeechText{{Text: "sales"}}}}
	silence := heardWords{result: core.SpeechResult{Reason: core.SpeechNone}}
	broken := heardWords{result: core.SpeechResult{Error: "no_recogniser"}}
	runProgrammed(t, []programmedCase{
		{"keys are waited for", events(fromPSTN), instructs("a", 1, keys(4)), `
			stop ask a
			answer a
			-> answered a
			start verb a 3s
		`},
		{"a key", runs(keys(4)), press("a", "1")[0], `
			start verb a 3s
		`},
		{"the last key", events(runs(keys(2)), press("a", "1")), press("a", "2")[0], `
			stop verb a
			start ask a 1m0s
			consult a input 2 keys="12" timed_out=false
		`},
		{"no key in time", runs(keys(2)), timedOut(core.TimerVerb, "a"), `
			start ask a 1m0s
			consult a input 2 keys="" timed_out=true
		`},
		{"too few keys in time", events(runs(keys(4)), press("a", "12")), timedOut(core.TimerVerb, "a"), `
			start ask a 1m0s
			consult a input 2 keys="12" timed_out=true
		`},
		{"# is a key", events(runs(keys(2)), press("a", "1")), press("a", "#")[0], `
			stop verb a
			start ask a 1m0s
			consult a input 2 keys="1#" timed_out=false
		`},
		{"# submits", events(runs(hash), press("a", "12")), press("a", "#")[0], `
			stop verb a
			start ask a 1m0s
			consult a input 2 keys="12" timed_out=false
		`},
		{"A is no key", runs(keys(1)), press("a", "A")[0], ``},
		{"keys after the end", events(runs(keys(1)), press("a", "1")), press("a", "2")[0], ``},
		{"answered with a flow", events(runs(keys(1), say("old")), press("a", "1")), instructs("a", 2, say("new")), `
			stop ask a
			hear a speech:new
			start play a 2h0m0s
		`},
		{"answered with nothing", events(runs(keys(1), say("old")), press("a", "1")), says("a", 2, flow.Go), `
			stop ask a
			hear a speech:old
			start play a 2h0m0s
		`},
		{"a question that a key may end", events(fromPSTN), instructs("a", 1, asking("your number?"), keys(4)), `
			stop ask a
			answer a
			-> answered a
			hear a speech:your_number?
			start play a 2h0m0s
		`},
		{"the time begins after the question", runs(asking("your number?"), keys(4)), spoken("a"), `
			stop play a
			start verb a 3s
			hear a nothing
		`},
		{"a key ends the question", runs(asking("your number?"), keys(4)), press("a", "1")[0], `
			stop play a
			hear a nothing
			start verb a 3s
		`},
		{"two sounds are said one after the other", runs(asking("one"), asking("two"), keys(4)), spoken("a"), `
			stop play a
			hear a speech:two
			start play a 2h0m0s
		`},
		{"a key ends them all", runs(asking("one"), asking("two"), keys(4)), press("a", "1")[0], `
			stop play a
			hear a nothing
			start verb a 3s
		`},
		{"a key during a question that must be heard", runs(say("listen"), keys(1)), press("a", "1")[0], ``},
		{"keys before a question are no answer", events(runs(say("listen"), keys(1)), press("a", "1")), spoken("a"), `
			stop play a
			start verb a 3s
			hear a nothing
		`},
		{"music that never ends lets the time run", events(fromPSTN), instructs("a", 1, flow.Say{Sound: core.Sound{Kind: core.SoundFile, Name: "x.mp3", Loop: core.LoopForever}, BargeIn: true}, keys(1)), `
			stop ask a
			answer a
			-> answered a
			hear a file:x.mp3
			start verb a 3s
		`},

		{"speech is waited for", events(fromPSTN), instructs("a", 1, words), `
			stop ask a
			answer a
			-> answered a
			listen a
			start verb a 1m22s
		`},
		{"somebody speaks", runs(words), heard, `
			stop verb a
			start ask a 1m0s
			consult a input 3 reason=1 said=sales
		`},
		{"nobody speaks", runs(words), silence, `
			stop verb a
			start ask a 1m0s
			consult a input 3 reason=3
		`},
		{"the recogniser never reports", runs(words), timedOut(core.TimerVerb, "a"), `
			unlisten a
			start ask a 1m0s
			consult a input 3 reason=3
		`},
		{"speech ends the question", runs(asking("yes?"), words), heardWords{began: true}, `
			stop play a
			hear a nothing
			start verb a 1m22s
		`},
		{"silence during the question", runs(asking("yes?"), words), silence, `
			listen a
		`},
		{"silence after it", events(runs(asking("yes?"), words), silence, spoken("a")), silence, `
			stop verb a
			start ask a 1m0s
			consult a input 4 reason=3
		`},
		{"keys or speech: speech", runs(both), heard, `
			stop verb a
			start ask a 1m0s
			consult a input 3 keys="" timed_out=false reason=1 said=sales
		`},
		{"keys or speech: the time for keys is over", runs(both), timedOut(core.TimerVerb, "a"), `
			start verb a 1m22s
		`},
		{"keys or speech: and then somebody speaks", events(runs(both), timedOut(core.TimerVerb, "a")), heard, `
			stop verb a
			start ask a 1m0s
			consult a input 3 keys="" timed_out=true reason=1 said=sales
		`},
		{"keys or speech: speech that began is not cut short", runs(both), heardWords{began: true}, `
			start verb a 1m22s
		`},
		{"keys or speech: a key ends the listening", runs(both), press("a", "1")[0], `
			unlisten a
			start verb a 3s
		`},
		{"keys or speech: and then keys decide", events(runs(both), press("a", "1")), timedOut(core.TimerVerb, "a"), `
			start ask a 1m0s
			consult a input 3 keys="1" timed_out=true reason=0
		`},
		{"keys or speech: a broken recogniser leaves the keys", runs(both), broken, ``},
		{"keys or speech: and they are told together", events(runs(both), broken), timedOut(core.TimerVerb, "a"), `
			start ask a 1m0s
			consult a input 3 keys="" timed_out=true reason=0 error=no_recogniser
		`},
		{"a broken recogniser alone", runs(words), broken, `
			stop verb a
			start ask a 1m0s
			consult a input 3 reason=0 error=no_recogniser
		`},
		{"a result of a recogniser that was stopped", events(runs(both), press("a", "1")), heard, ``},

		{"every key, from now on", events(runs(flow.Input{Async: true}, say("go on"))), press("a", "7")[0], `
			digit a 7
		`},
		{"every key, by request", events(runs(say("x")), asks(core.WatchKeys{Leg: "a", On: true})), press("a", "7")[0], `
			digit a 7
		`},
		{"no key any more", events(runs(say("x")), asks(core.WatchKeys{Leg: "a", On: true}), asks(core.WatchKeys{Leg: "a"})), press("a", "7")[0], ``},
		{"the party hangs up while a recogniser listens", runs(words), gone("a", 16, 0), `
			stop verb a
			unlisten a
			-> ended a 16
		`},
	})
}

// TestRecord: recordings of a leg.
func TestRecord(t *testing.T) {
	behind := flow.Record{Background: true}
	waited := flow.Record{EndOnKey: '#', Timeout: time.Minute}
	split := flow.Record{Background: true, Channels: 2, Split: true}
	many := flow.Record{Background: true, Channels: 3, Split: true}
	talk := flow.Call{Endpoints: []flow.Endpoint{phone("1001")}}
	room := flow.Converse{Name: "r", StartOnEnter: true}
	runProgrammed(t, []programmedCase{
		{"in the background", events(fromPSTN), instructs("a", 1, behind, say("recorded")), `
			stop ask a
			answer a
			-> answered a
			record 1 [a]
			hear a speech:recorded
			set 1 [a + speech:recorded]
			start play a 2h0m0s
		`},
		{"what is heard is recorded too", runs(behind, say("one"), say("two")), spoken("a"), `
			stop play a
			hear a speech:two
			set 1 [a + speech:two]
			start play a 2h0m0s
		`},
		{"who comes is recorded", events(runs(behind, talk), up("1001")[:2]), up("1001")[2], `
			stop media 1001
			hear a 1001
			hear 1001 a
			set 1 [a+1001]
			-> bridged a 1001*
			-> bridged 1001* a
		`},
		{"apart", events(runs(split, talk), up("1001")[:2]), up("1001")[2], `
			stop media 1001
			hear a 1001
			hear 1001 a
			set 1 [a] [1001]
			-> bridged a 1001*
			-> bridged 1001* a
		`},
		{"each in a channel, who comes late in the last", events(runs(many, room), fromTab("t"), instructs("t", 1, room), fromTab("u")), instructs("u", 1, room), `
			stop ask u
			answer u
			-> answered u
			hear a t+u
			hear t a+u
			hear u a+t
			set 1 [a] [t] [u]
			-> moved u
		`},
		{"who is muted is not recorded", runs(behind, flow.Wait{For: time.Minute}), asks(core.Mute{Leg: "a", Muted: true}), `
			set 1 [nothing]
			done
		`},
		{"a flow that waits for it", events(fromPSTN), instructs("a", 1, waited, say("thanks")), `
			stop ask a
			answer a
			-> answered a
			record 1 [a]
		`},
		{"until a key", runs(waited, say("thanks")), press("a", "#")[0], `
			save 1
			hear a speech:thanks
			start play a 2h0m0s
		`},
		{"another key", runs(waited, say("thanks")), press("a", "1")[0], ``},
		{"until it ends by itself", runs(waited, say("thanks")), recordOver{n: 1}, `
			hear a speech:thanks
			start play a 2h0m0s
		`},
		{"its end after the key", events(runs(waited, say("thanks")), press("a", "#")), recordOver{n: 1}, ``},
		{"one in the background ends by itself", runs(behind, say("x")), recordOver{n: 1}, ``},
		{"and is not ended again", events(runs(behind, say("x")), recordOver{n: 1}), gone("a", 16, 0), `
			stop play a
			-> ended a 16
		`},
		{"who is recorded hangs up", runs(behind, split, say("x")), gone("a", 16, 0), `
			stop play a
			save 1
			save 2
			-> ended a 16
		`},
		{"a beep first", events(fromPSTN), instructs("a", 1, flow.Record{Background: true, Beep: true}, say("x")), `
			stop ask a
			answer a
			-> answered a
			hear a beep
			start play a 2h0m0s
		`},
		{"after the beep", runs(flow.Record{Background: true, Beep: true}, say("x")), spoken("a"), `
			stop play a
			record 1 [a + beep]
			hear a speech:x
			set 1 [a + speech:x]
			start play a 2h0m0s
		`},
		{"after a beep that failed", runs(flow.Record{EndOnKey: '#', Beep: true}, say("x")), unspoken("a", "no beep"), `
			error a no beep
			stop play a
			record 1 [a + beep]
			hear a nothing
			set 1 [a]
		`},
		{"another flow ends one that is waited for", runs(waited, say("thanks")), asks(flow.Replace{Leg: "a", Verbs: []flow.Verb{say("new")}}), `
			save 1
			hear a speech:new
			start play a 2h0m0s
			done
		`},
		{"and leaves one in the background", runs(behind, say("x")), asks(flow.Replace{Leg: "a", Verbs: []flow.Verb{say("new")}}), `
			stop play a
			hear a nothing
			set 1 [a]
			hear a speech:new
			set 1 [a + speech:new]
			start play a 2h0m0s
			done
		`},
	})
}

// fromTab is a call of a user of the application.
func fromTab(leg core.LegID) core.Offered {
	return core.Offered{Leg: leg, Edge: core.EdgeBrowser, From: core.Party{User: core.UserID{App: appID, Name: "ann"}}, Contact: core.ContactID(leg), To: "support"}
}
