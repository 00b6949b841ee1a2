package native

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/offhook/offhook/internal/core"
)

// Call is a live call: the legs that hear each other, or ring for each other.
type Call struct {
	ID    core.CallID `json:"id"`
	Begun time.Time   `json:"begun"`
	Legs  []Leg       `json:"legs" nullable:"false"`
}

// Leg is one party's connection.
type Leg struct {
	ID        core.LegID `json:"id"`
	Edge      string     `json:"edge" enum:"sip,browser,none"`
	Direction string     `json:"direction" enum:"inbound,outbound,"`
	From      Party      `json:"from"`
	To        Party      `json:"to"`
	State     string     `json:"state" enum:"ringing,answered"`
	Begun     time.Time  `json:"begun"`
	Answered  *time.Time `json:"answered,omitempty"`
}

type byCall struct {
	ID core.CallID `path:"id" maxLength:"64"`
}

// maxLegs bounds what one request reads.
const maxLegs = 10_000

// calls registers the operations on live calls. They are read from the records of
// legs without an end, which follow the exchange within milliseconds.
func (a *API) calls(h huma.API) {
	huma.Register(h, operation("list-calls", http.MethodGet, "/api/v1/calls", "List live calls"),
		func(ctx context.Context, _ *struct{}) (*listOf[Call], error) {
			calls, err := a.live(ctx)
			if err != nil {
				return nil, a.problem(ctx, err)
			}
			out := &listOf[Call]{}
			out.Body.Items = calls
			return out, nil
		})
	huma.Register(h, operation("get-call", http.MethodGet, "/api/v1/calls/{id}", "Read a live call", http.StatusNotFound),
		func(ctx context.Context, in *byCall) (*oneOf[Call], error) {
			c, err := a.liveCall(ctx, in.ID)
			if err != nil {
				return nil, a.problem(ctx, err)
			}
			return &oneOf[Call]{c}, nil
		})
	huma.Register(h, operation("hang-up-call", http.MethodDelete, "/api/v1/calls/{id}", "Hang up every leg of a call", http.StatusNotFound),
		func(ctx context.Context, in *byCall) (*struct{}, error) {
			c, err := a.liveCall(ctx, in.ID)
			if err != nil {
				return nil, a.problem(ctx, err)
			}
			return nil, a.hangUp(ctx, c)
		})
}

// hangUp releases every leg of c. One that went by itself meanwhile is what was
// asked for.
func (a *API) hangUp(ctx context.Context, c Call) error {
	var errs []error
	for _, l := range c.Legs {
		if err := a.cfg.Calls.Release(ctx, l.ID); err != nil && core.KindOf(err) != core.NotFound {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return a.problem(ctx, errors.Join(errs...))
	}
	return nil
}

func (a *API) liveCall(ctx context.Context, id core.CallID) (Call, error) {
	calls, err := a.live(ctx)
	if err != nil {
		return Call{}, err
	}
	for _, c := range calls {
		if c.ID == id {
			return c, nil
		}
	}
	return Call{}, &core.Error{Op: "native", Kind: core.NotFound, Err: fmt.Errorf("no live call %q", id)}
}

// live returns the live calls, the oldest first.
func (a *API) live(ctx context.Context) ([]Call, error) {
	legs, err := a.cfg.Store.OpenCDRs(ctx, maxLegs)
	if err != nil {
		return nil, err
	}
	calls := []Call{}
	at := make(map[core.CallID]int)
	for _, r := range legs {
		i, known := at[r.Call]
		if !known {
			i = len(calls)
			at[r.Call] = i
			calls = append(calls, Call{ID: r.Call, Begun: r.Begun.UTC()})
		}
		l := Leg{
			ID: r.Leg, Edge: r.Edge.String(), Direction: r.Direction.String(), From: toParty(r.From), To: toParty(r.To),
			State: "ringing", Begun: r.Begun.UTC(), Answered: orNil(r.Answered),
		}
		if l.Answered != nil {
			l.State = "answered"
		}
		calls[i].Legs = append(calls[i].Legs, l)
	}
	return calls, nil
}
