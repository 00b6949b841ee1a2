package native

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// The bodies of what there is one of.
type (
	// Limits is the guard against toll fraud.
	Limits struct {
		route.Limits
		Kept
	}
	// Dialling says how people here write numbers.
	Dialling struct {
		route.Dialling
		Kept
	}
	// Parking are the slots where calls wait.
	Parking struct {
		route.Parking
		Kept
	}
)

// settings registers the operations of what there is one of.
func (a *API) settings(h huma.API) {
	setting[Limits]{
		name: route.SettingLimits, word: "the guard against toll fraud",
		pick: func(r route.Resources) Limits { return Limits{Limits: r.Limits} },
		keep: func(v *Limits) any { return v.Limits },
		mark: func(v *Limits, o Origin) { v.Origin = o },
	}.register(a, h)
	setting[Dialling]{
		name: route.SettingDialling, word: "how numbers are written here",
		pick: func(r route.Resources) Dialling { return Dialling{Dialling: r.Dialling} },
		keep: func(v *Dialling) any { return v.Dialling },
		mark: func(v *Dialling, o Origin) { v.Origin = o },
	}.register(a, h)
	setting[Parking]{
		name: route.SettingParking, word: "the slots where calls wait",
		pick: func(r route.Resources) Parking { return Parking{Parking: r.Parking} },
		keep: func(v *Parking) any { return v.Parking },
		mark: func(v *Parking, o Origin) { v.Origin = o },
	}.register(a, h)
}

// setting is the three operations of what there is one of: read, set, and go back
// to the default.
type setting[V any] struct {
	name, word string
	pick       func(route.Resources) V
	keep       func(*V) any
	mark       func(*V, Origin)
}

func (s setting[V]) register(a *API, h huma.API) {
	path := "/api/v1/" + s.name
	huma.Register(h, operation("get-"+s.name, http.MethodGet, path, "Read "+s.word),
		func(ctx context.Context, _ *struct{}) (*oneOf[V], error) { return s.one(ctx, a) })
	huma.Register(h, operation("set-"+s.name, http.MethodPut, path, "Set "+s.word, http.StatusConflict, http.StatusUnprocessableEntity),
		func(ctx context.Context, in *newOne[V]) (*oneOf[V], error) {
			err := a.change(ctx, func(ctx context.Context) error {
				err := a.cfg.Store.Replace(ctx, route.KindSettings, s.name, s.keep(&in.Body))
				if core.KindOf(err) == core.NotFound {
					err = a.cfg.Store.Create(ctx, route.KindSettings, s.name, s.keep(&in.Body))
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			return s.one(ctx, a)
		})
	huma.Register(h, operation("reset-"+s.name, http.MethodDelete, path, "Go back to the default of "+s.word, http.StatusConflict),
		func(ctx context.Context, _ *struct{}) (*struct{}, error) {
			return nil, a.change(ctx, func(ctx context.Context) error {
				err := a.cfg.Store.Delete(ctx, route.KindSettings, s.name)
				if core.KindOf(err) == core.NotFound {
					return nil // it is the default already
				}
				return err
			})
		})
}

func (s setting[V]) one(ctx context.Context, a *API) (*oneOf[V], error) {
	r, err := a.known(ctx)
	if err != nil {
		return nil, a.problem(ctx, err)
	}
	file, err := a.cfg.Store.FromFile(ctx, route.KindSettings)
	if err != nil {
		return nil, a.problem(ctx, err)
	}
	out := &oneOf[V]{s.pick(r)}
	origin := OriginAPI
	if slices.Contains(file, s.name) {
		origin = OriginFile
	}
	s.mark(&out.Body, origin)
	return out, nil
}
