package native

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

type (
	doNotDisturbIn struct {
		ByName
		Body struct {
			On bool `json:"on"`
		}
	}
	overrideIn struct {
		ByName
		Body struct {
			Open  bool      `json:"open"`
			Until time.Time `json:"until,omitzero" required:"false" doc:"When the schedule holds again; left out, until the override is deleted."`
		}
	}
	scheduleState struct {
		ByName
		At time.Time `query:"at" doc:"The time asked about. Default: now."`
	}
	stateOut struct {
		Body struct {
			Open bool `json:"open"`
		}
	}
)

// switches registers what people turn by hand. It also works on what the
// configuration file keeps, and survives a restart.
func (a *API) switches(h huma.API) {
	huma.Register(h, noContent(operation("set-do-not-disturb", http.MethodPut, "/api/v1/users/{name}/do_not_disturb",
		"Stop ringing a user, or ring again", http.StatusNotFound, http.StatusUnprocessableEntity)),
		func(ctx context.Context, in *doNotDisturbIn) (*struct{}, error) {
			return nil, a.change(ctx, func(ctx context.Context) error {
				return a.cfg.Store.SetDoNotDisturb(ctx, core.UserID{Name: in.Name}, in.Body.On)
			})
		})
	const override = "/api/v1/schedules/{name}/override"
	huma.Register(h, noContent(operation("set-override", http.MethodPut, override,
		"Open or close a schedule by hand", http.StatusNotFound, http.StatusUnprocessableEntity)),
		func(ctx context.Context, in *overrideIn) (*struct{}, error) {
			return nil, a.change(ctx, func(ctx context.Context) error {
				return a.cfg.Store.SetOverride(ctx, route.Override{Schedule: in.Name, Open: in.Body.Open, Until: in.Body.Until})
			})
		})
	huma.Register(h, operation("delete-override", http.MethodDelete, override, "Let a schedule hold again", http.StatusNotFound),
		func(ctx context.Context, in *ByName) (*struct{}, error) {
			return nil, a.change(ctx, func(ctx context.Context) error { return a.cfg.Store.ClearOverride(ctx, in.Name) })
		})
	huma.Register(h, operation("get-schedule-state", http.MethodGet, "/api/v1/schedules/{name}/state",
		"Say whether a schedule is open", http.StatusNotFound, http.StatusUnprocessableEntity),
		func(ctx context.Context, in *scheduleState) (*stateOut, error) {
			d, out := a.dir.Load(), &stateOut{}
			if !d.HasSchedule(in.Name) {
				return nil, a.problem(ctx, &core.Error{Op: "native", Kind: core.NotFound, Err: fmt.Errorf("no schedule %q", in.Name)})
			}
			if in.At.IsZero() {
				in.At = time.Now()
			}
			out.Body.Open = d.Open(in.Name, in.At)
			return out, nil
		})
}
