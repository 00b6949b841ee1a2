package native

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/offhook/offhook/internal/core"
)

// Moved says where a leg is after it was moved.
type Moved struct {
	Call core.CallID `json:"call" doc:"The call that the leg, or whom it sent on, is in now."`
	Slot string      `json:"slot,omitempty" doc:"Where it is parked."`
}

// The bodies of the operations on legs.
type (
	onIn struct {
		ByLeg
		Body struct {
			On bool `json:"on"`
		}
	}
	transferIn struct {
		ByLeg
		Body struct {
			To   string     `json:"to,omitempty" minLength:"1" maxLength:"128" doc:"Blind: a number or user, or a park slot."`
			With core.LegID `json:"with,omitempty" minLength:"1" maxLength:"64" doc:"Attended: another leg of the same party, whose other party is to be connected."`
		}
	}
	parkIn struct {
		ByLeg
		Body struct {
			Slot string `json:"slot,omitempty" maxLength:"16" pattern:"^[0-9]*$" doc:"Left out, the first free one."`
		}
	}
	takeIn struct {
		ByLeg
		Body struct {
			By core.LegID `json:"by" minLength:"1" maxLength:"64" doc:"The leg that shall talk with them: one that called and talks with nobody."`
		}
	}
	addIn struct {
		ByCall
		Body struct {
			By core.LegID `json:"by" minLength:"1" maxLength:"64" doc:"The leg of the call in whose name, and with whose rights, the party is rung."`
			To string     `json:"to" minLength:"1" maxLength:"128" doc:"A number or user."`
		}
	}
	mergeIn struct {
		ByCall
		Body struct {
			Leg  core.LegID `json:"leg" minLength:"1" maxLength:"64" doc:"A leg of this call."`
			With core.LegID `json:"with" minLength:"1" maxLength:"64" doc:"A leg of the other; it is released if it is of the same device."`
		}
	}
	superviseIn struct {
		ByCall
		Body struct {
			Leg    core.LegID `json:"leg,omitempty" minLength:"1" maxLength:"64" doc:"The supervisor: a leg that called and talks with nobody, or that supervises this call already."`
			To     string     `json:"to,omitempty" minLength:"1" maxLength:"128" doc:"Or whom to ring as supervisor: a number or user."`
			Mode   string     `json:"mode" enum:"monitor,whisper,barge" doc:"Who hears the supervisor: nobody, the target, everybody."`
			Target core.LegID `json:"target,omitempty" minLength:"1" maxLength:"64" doc:"Whom to supervise. Left out, the one user of the house who talks."`
		}
	}
	hearIn struct {
		ByCall
		Body struct {
			Pairs []Pair `json:"pairs" minItems:"1" maxItems:"100" nullable:"false"`
		}
	}
	movedOut struct{ Body Moved }
)

// Pair is one field of the hear/speak matrix.
type Pair struct {
	From  core.LegID `json:"from" minLength:"1" maxLength:"64" doc:"Who speaks."`
	To    core.LegID `json:"to" minLength:"1" maxLength:"64" doc:"Who hears it, or not."`
	Hears bool       `json:"hears"`
}

// moves registers what changes live calls.
func (a *API) moves(h huma.API) {
	const call, leg = "/api/v1/calls/{call}", "/api/v1/calls/{call}/legs/{leg}"
	errs := []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}
	put := func(id, path, summary string) huma.Operation {
		return noContent(operation(id, http.MethodPut, path, summary, errs...))
	}
	post := func(id, path, summary string) huma.Operation {
		op := operation(id, http.MethodPost, path, summary, errs...)
		op.DefaultStatus = http.StatusOK
		return op
	}
	huma.Register(h, operation("hang-up-leg", http.MethodDelete, leg, "Hang up one leg", http.StatusNotFound, http.StatusServiceUnavailable),
		func(ctx context.Context, in *ByLeg) (*struct{}, error) {
			return nil, a.order(ctx, in.within(core.Release{Leg: in.Leg}))
		})
	huma.Register(h, put("set-hold", leg+"/hold", "Let a leg put the others on hold, or take them back"),
		func(ctx context.Context, in *onIn) (*struct{}, error) {
			return nil, a.order(ctx, in.within(core.Hold{Leg: in.Leg, Held: in.Body.On}))
		})
	huma.Register(h, noContent(operation("set-mute", http.MethodPut, leg+"/mute", "Let nobody hear a leg, or all again",
		http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)),
		func(ctx context.Context, in *onIn) (*struct{}, error) {
			return nil, a.order(ctx, in.within(core.Mute{Leg: in.Leg, Muted: in.Body.On}))
		})
	huma.Register(h, post("transfer-leg", leg+"/transfer", "Send whom a leg talks with elsewhere"), a.transfer)
	huma.Register(h, post("park-leg", leg+"/park", "Park a leg; whom it talked with is released"),
		func(ctx context.Context, in *parkIn) (*movedOut, error) {
			return a.move(ctx, in.within(core.Park{Leg: in.Leg, Slot: in.Body.Slot}))
		})
	huma.Register(h, post("retrieve-leg", leg+"/retrieve", "Let another leg talk with a parked one"),
		func(ctx context.Context, in *takeIn) (*movedOut, error) {
			return a.move(ctx, in.within(core.Retrieve{Leg: in.Leg, By: in.Body.By}))
		})
	huma.Register(h, post("pick-up-leg", leg+"/pickup", "Let another leg take the call that a leg rings for"),
		func(ctx context.Context, in *takeIn) (*movedOut, error) {
			return a.move(ctx, in.within(core.Pickup{Leg: in.Leg, By: in.Body.By}))
		})
	huma.Register(h, post("add-party", call+"/legs", "Ring somebody who joins the call"),
		func(ctx context.Context, in *addIn) (*movedOut, error) {
			return a.move(ctx, in.within(core.AddParty{Leg: in.Body.By, To: in.Body.To}))
		})
	huma.Register(h, post("merge-calls", call+"/merge", "Make one call of two"),
		func(ctx context.Context, in *mergeIn) (*movedOut, error) {
			return a.move(ctx, in.within(core.Merge{Leg: in.Body.Leg, With: in.Body.With}))
		})
	supervise := put("supervise-call", call+"/supervise", "Let somebody hear a call, and be heard as the mode says; asked again, change the mode")
	supervise.DefaultStatus = http.StatusOK
	huma.Register(h, supervise, a.supervise)
	huma.Register(h, operation("stop-supervising", http.MethodDelete, call+"/supervise/{leg}", "Hang a supervisor up",
		http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable),
		func(ctx context.Context, in *ByLeg) (*struct{}, error) {
			return nil, a.order(ctx, in.within(core.Dismiss{Leg: in.Leg}))
		})
	huma.Register(h, put("set-hear", call+"/hear", "Say who hears whom"),
		func(ctx context.Context, in *hearIn) (*struct{}, error) {
			order := core.SetHear{Call: in.Call}
			for _, p := range in.Body.Pairs {
				order.Pairs = append(order.Pairs, core.HearPair(p))
			}
			return nil, a.order(ctx, order)
		})
}

func (a *API) transfer(ctx context.Context, in *transferIn) (*movedOut, error) {
	if (in.Body.To == "") == (in.Body.With == "") {
		return nil, eitherOr("to", "with")
	}
	return a.move(ctx, in.within(core.Transfer{Leg: in.Leg, To: in.Body.To, Replaces: in.Body.With}))
}

func (a *API) supervise(ctx context.Context, in *superviseIn) (*movedOut, error) {
	b := in.Body
	if (b.To == "") == (b.Leg == "") {
		return nil, eitherOr("leg", "to")
	}
	return a.move(ctx, core.SuperviseCall{Call: in.Call, Leg: b.Leg, To: b.To, Target: b.Target, Mode: superviseMode(b.Mode)})
}

// eitherOr refuses a body with both of two fields, or none.
func eitherOr(a, b string) error {
	return huma.Error422UnprocessableEntity("validation failed",
		&huma.ErrorDetail{Location: "body", Message: "expected exactly one of " + a + " and " + b})
}

// superviseMode reads a word that the description lets through.
func superviseMode(word string) core.SuperviseMode {
	for _, m := range []core.SuperviseMode{core.Monitor, core.Whisper} {
		if m.String() == word {
			return m
		}
	}
	return core.Barge
}

// within binds an order to the call of the path.
func (c ByCall) within(do core.Request) core.Request { return core.Within{Call: c.Call, Do: do} }

// order lets the exchange do something.
func (a *API) order(ctx context.Context, do core.Request) error {
	_, err := a.move(ctx, do)
	return err
}

// move lets the exchange do something and says where the leg is then.
func (a *API) move(ctx context.Context, do core.Request) (*movedOut, error) {
	r, err := a.cfg.Calls.Ask(ctx, do)
	if err != nil {
		return nil, a.problem(ctx, err)
	}
	return &movedOut{Moved{Call: r.Call, Slot: r.Slot}}, nil
}
