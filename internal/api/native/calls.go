package native

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/offhook/offhook/internal/core"
)

// Call is a live call: the legs that hear each other, or ring for each other.
type Call struct {
	ID    core.CallID `json:"id"`
	Begun time.Time   `json:"begun"`
	Legs  []Leg       `json:"legs" nullable:"false" doc:"In the order in which they came."`
}

// Leg is one party's connection, as it stands.
type Leg struct {
	ID         core.LegID   `json:"id"`
	Edge       string       `json:"edge" enum:"sip,browser,websocket,loop" doc:"loop: one of a pair, where a call to a number of ours comes back in as another call."`
	Direction  string       `json:"direction" enum:"inbound,outbound"`
	From       Party        `json:"from"`
	To         Party        `json:"to"`
	State      string       `json:"state" enum:"trying,ringing,early,confirming,answered,parked,supervising" doc:"early: has audio before the answer. confirming: answered, and is asked for the key that takes the call."`
	Begun      time.Time    `json:"begun"`
	Answered   *time.Time   `json:"answered,omitempty"`
	Held       bool         `json:"held,omitempty" doc:"It put the others on hold."`
	Muted      bool         `json:"muted,omitempty" doc:"Nobody hears it."`
	Slot       string       `json:"slot,omitempty" doc:"Where it is parked."`
	Supervises *Supervised  `json:"supervises,omitempty"`
	Hears      []core.LegID `json:"hears" nullable:"false" doc:"The legs that its party hears."`
	Sound      string       `json:"sound,omitempty" doc:"What it hears instead: ringback:us, prompt:closed, music, file:NAME."`
	Silence    core.Silence `json:"silence,omitempty" doc:"Why its party is not heard, and should be: no_rtp, stopped, source_blocked, wrong_payload_type, malformed, srtp_failed, no_ice, no_dtls, no_consent."`
	Diagnosis  string       `json:"diagnosis,omitempty" doc:"The same for people, with addresses and counts."`
	Quality    *Quality     `json:"quality,omitempty" doc:"How its audio fares."`
}

// Supervised says whom a supervisor supervises, and who hears the supervisor.
type Supervised struct {
	Leg  core.LegID `json:"leg"`
	Mode string     `json:"mode" enum:"monitor,whisper,barge"`
}

type (
	callsIn struct {
		Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		Cursor string `query:"cursor" maxLength:"20" pattern:"^[0-9]*$" doc:"The field next of the page before."`
	}
	callsOut struct {
		Body struct {
			Items []Call `json:"items" nullable:"false" doc:"The oldest first."`
			Next  string `json:"next,omitempty" doc:"Cursor of the next page; left out on the last."`
		}
	}
	// ByCall is the call in a path. It is exported because huma fills no others.
	ByCall struct {
		Call core.CallID `path:"call" maxLength:"64"`
	}
	// ByLeg is a leg in a path, which must be in the call.
	ByLeg struct {
		ByCall
		Leg core.LegID `path:"leg" maxLength:"64"`
	}
)

// calls registers what reads live calls and ends them. All of it asks the
// exchange, which answers with what is now.
func (a *API) calls(h huma.API) {
	const path = "/api/v1/calls"
	huma.Register(h, operation("list-calls", http.MethodGet, path, "List live calls, page by page",
		http.StatusUnprocessableEntity, http.StatusServiceUnavailable), a.listCalls)
	huma.Register(h, operation("get-call", http.MethodGet, path+"/{call}", "Read a live call",
		http.StatusNotFound, http.StatusServiceUnavailable),
		func(ctx context.Context, in *ByCall) (*oneOf[Call], error) {
			r, err := a.cfg.Calls.Ask(ctx, core.Snapshot{Call: in.Call})
			if err != nil {
				return nil, a.problem(ctx, err)
			}
			return &oneOf[Call]{a.toCall(r.Calls[0])}, nil
		})
	huma.Register(h, operation("hang-up-call", http.MethodDelete, path+"/{call}", "Hang up every leg of a call",
		http.StatusNotFound, http.StatusServiceUnavailable),
		func(ctx context.Context, in *ByCall) (*struct{}, error) {
			return nil, a.order(ctx, core.ReleaseCall{Call: in.Call})
		})
}

func (a *API) listCalls(ctx context.Context, in *callsIn) (*callsOut, error) {
	q := core.Snapshot{Limit: in.Limit}
	if in.Cursor != "" {
		var err error
		if q.After, err = strconv.ParseUint(in.Cursor, 10, 64); err != nil {
			return nil, huma.Error422UnprocessableEntity("validation failed", &huma.ErrorDetail{Location: "query.cursor", Message: "not a cursor of ours"})
		}
	}
	r, err := a.cfg.Calls.Ask(ctx, q)
	if err != nil {
		return nil, a.problem(ctx, err)
	}
	out := &callsOut{}
	out.Body.Items = make([]Call, len(r.Calls))
	for i, c := range r.Calls {
		out.Body.Items[i] = a.toCall(c)
	}
	if r.More {
		out.Body.Next = strconv.FormatUint(r.Calls[len(r.Calls)-1].Seq, 10)
	}
	return out, nil
}

func (a *API) toCall(c core.LiveCall) Call {
	out := Call{ID: c.ID, Begun: c.Begun.UTC(), Legs: make([]Leg, len(c.Legs))}
	for i, l := range c.Legs {
		out.Legs[i] = a.toLeg(l)
	}
	return out
}

func (a *API) toLeg(l core.LiveLeg) Leg {
	out := Leg{
		ID: l.Leg, Edge: l.Edge.String(), Direction: l.Direction.String(), From: toParty(l.From), To: toParty(l.To),
		State: l.State.String(), Begun: l.Begun.UTC(), Answered: orNil(l.Answered),
		Held: l.Held, Muted: l.Muted, Slot: l.Slot, Hears: append([]core.LegID{}, l.Hears.From...), Sound: soundWord(l.Hears.Sound),
		Silence: l.Silence, Diagnosis: l.Diagnosis,
	}
	if q, ok := a.cfg.Audio.Quality(l.Leg); ok {
		out.Quality = toQuality(q)
	}
	if l.Mode != 0 {
		out.Supervises = &Supervised{Leg: l.Target, Mode: l.Mode.String()}
	}
	return out
}

// soundWord writes a sound as the configuration does where it can.
func soundWord(s core.Sound) string {
	word := ""
	switch s.Kind {
	case core.SoundNone:
		return ""
	case core.SoundRingback:
		word = "ringback"
	case core.SoundBusy:
		word = "busy"
	case core.SoundPrompt:
		word = "prompt"
	case core.SoundHold, core.SoundMusic:
		word = "music"
	case core.SoundFile:
		word = "file"
	case core.SoundSpeech:
		return "speech"
	case core.SoundBeep:
		return "beep"
	}
	if s.Name == "" {
		return word
	}
	return word + ":" + s.Name
}
