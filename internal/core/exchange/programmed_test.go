package exchange

import (
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// programmedCase is what happens to a call of an application: the events before, the
// event, all that the exchange says then, a line each.
type programmedCase struct {
	name  string
	given []core.Event
	when  core.Event
	want  string
}

func runProgrammed(t *testing.T, tests []programmedCase) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t)
			for _, ev := range tt.given {
				s.apply(ev)
			}
			got := strings.Join(s.applyAll(tt.when), "\n")
			if want := strings.TrimSpace(strings.ReplaceAll(tt.want, "\t", "")); got != want {
				t.Errorf("\n got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// events puts what happens before together.
func events(parts ...any) (all []core.Event) {
	for _, part := range parts {
		switch part := part.(type) {
		case core.Event:
			all = append(all, part)
		case []core.Event:
			all = append(all, part...)
		}
	}
	return all
}

func asks(do core.Request) core.Asked { return core.Asked{Ask: 1, Do: do} }

func say(text string) flow.Verb { return flow.Say{Sound: speech(text)} }

func phone(number string) flow.Endpoint { return flow.Endpoint{Phone: number} }

// create rings an endpoint for the application as leg n.
func create(e flow.Endpoint, verbs ...flow.Verb) flow.Create {
	return flow.Create{Leg: "n", App: appID, Endpoint: e, Verbs: verbs, Timeout: 20 * time.Second}
}

// TestAnswer: a call that reaches an application, and what the application says to it.
func TestAnswer(t *testing.T) {
	offered := events(fromPSTN)
	runProgrammed(t, []programmedCase{
		{"a number that leads to an application", nil, fromPSTN, `
			-> began a
			rings a
			-> ringing a
			start ask a 1m0s
			consult a answer 1
		`},
		{"a flow answers the call", offered, instructs("a", 1, say("hello")), `
			stop ask a
			answer a
			-> answered a
			hear a speech:hello
			start play a 2h0m0s
		`},
		{"a flow that needs no answer yet", offered, instructs("a", 1, flow.Call{Endpoints: []flow.Endpoint{phone("1001")}}), `
			stop ask a
			-> began 1001*
			ring 1001
			start ring a 1m0s
		`},
		{"an empty flow ends it", offered, instructs("a", 1), `
			stop ask a
			end a 19 code=480
			start drain a 40s
		`},
		{"204 leaves it ringing", offered, says("a", 1, flow.Idle), `
			stop ask a
			start ask a 3m0s
		`},
		{"for three minutes", events(offered, says("a", 1, flow.Idle)), timedOut(core.TimerAsk, "a"), `
			end a 19 code=480
			start drain a 40s
		`},
		{"no flow that anybody understands", offered, flow.Instructed{Turn: core.Turn{Leg: "a", No: 1}, Kind: flow.Failed, Reason: core.ReasonSyntax}, `
			stop ask a
			error a Syntax error in NCCO. Invalid value type or action.
			end a 19 code=480
			start drain a 40s
		`},
		{"no answer at all", offered, timedOut(core.TimerAsk, "a"), `
			end a 19 code=480
			start drain a 40s
		`},
		{"an answer after that", events(offered, timedOut(core.TimerAsk, "a")), instructs("a", 1, say("hello")), ``},
		{"an answer twice", events(offered, instructs("a", 1, say("hello"))), instructs("a", 1, say("again")), ``},
		{"an answer to no question", offered, instructs("a", 2, say("hello")), ``},
		{"the caller gives up first", offered, gone("a", 16, 487), `
			stop ask a
			-> ended a 16 code=487
		`},
		{"the last verb is done", events(offered, instructs("a", 1, say("hello"))), spoken("a"), `
			stop play a
			end a 16
			start drain a 40s
		`},
	})
}
