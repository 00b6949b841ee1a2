package native

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// collection is the five operations of one kind of resource with the body V.
type collection[V any] struct {
	kind route.Kind
	word string // one of them, for people
	// pick returns the resources of the kind, or those of a name if it is not "".
	pick func(r route.Resources, name string) []V
	// name returns the name of a resource, and keep what is stored of it.
	name func(*V) string
	keep func(*V) any
	// mark notes who keeps the resource.
	mark func(*V, Origin)

	// begin completes a new resource, made does what belongs to it once it is kept, and
	// show puts into the answer what is shown only then. Each may be nil.
	begin func(*V) error
	made  func(context.Context, *V) error
	show  func(answer, made *V)
	// retain completes a resource that replaces one of old. It may be nil.
	retain func(old route.Resources, v *V)
}

// Origin says who keeps a resource.
type Origin string

// The origins.
const (
	OriginFile Origin = "file"
	OriginAPI  Origin = "api"
)

// Kept is the part of every resource that clients cannot set.
type Kept struct {
	Origin Origin `json:"origin,omitempty" readOnly:"true" enum:"file,api" doc:"Who keeps it. What the configuration file keeps cannot be written here."`
}

// ByName is the name in a path. It is exported because huma fills no others.
type ByName struct {
	Name string `path:"name" maxLength:"64"`
}

type (
	listOf[V any] struct {
		Body struct {
			Items []V `json:"items" nullable:"false" doc:"All of them, in the order that counts."`
		}
	}
	oneOf[V any]   struct{ Body V }
	newOne[V any]  struct{ Body V }
	changed[V any] struct {
		ByName
		Body V
	}
)

// register adds the operations to h.
func (c collection[V]) register(a *API, h huma.API) {
	path := "/api/v1/" + string(c.kind)
	huma.Register(h, operation("list-"+string(c.kind), http.MethodGet, path, "List "+string(c.kind)),
		func(ctx context.Context, _ *struct{}) (*listOf[V], error) {
			items, err := c.all(ctx, a)
			if err != nil {
				return nil, a.problem(ctx, err)
			}
			out := &listOf[V]{}
			out.Body.Items = items
			return out, nil
		})
	huma.Register(h, operation("create-"+c.word, http.MethodPost, path, "Create a "+c.word, http.StatusConflict, http.StatusUnprocessableEntity),
		func(ctx context.Context, in *newOne[V]) (*oneOf[V], error) { return c.create(ctx, a, &in.Body) })
	path += "/{name}"
	huma.Register(h, operation("get-"+c.word, http.MethodGet, path, "Read a "+c.word, http.StatusNotFound),
		func(ctx context.Context, in *ByName) (*oneOf[V], error) { return c.one(ctx, a, in.Name) })
	huma.Register(h, operation("replace-"+c.word, http.MethodPut, path, "Replace a "+c.word, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity),
		func(ctx context.Context, in *changed[V]) (*oneOf[V], error) {
			if name := c.name(&in.Body); name != in.Name {
				return nil, huma.Error422UnprocessableEntity("a "+c.word+" keeps its name",
					&huma.ErrorDetail{Location: "body", Message: fmt.Sprintf("expected the name %q", in.Name), Value: name})
			}
			return c.written(ctx, a, in.Name, func(ctx context.Context) error {
				if c.retain != nil {
					old, err := a.known(ctx)
					if err != nil {
						return err
					}
					c.retain(old, &in.Body)
				}
				return a.cfg.Store.Replace(ctx, c.kind, in.Name, c.keep(&in.Body))
			})
		})
	huma.Register(h, operation("delete-"+c.word, http.MethodDelete, path, "Delete a "+c.word, http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in *ByName) (*struct{}, error) {
			return nil, a.change(ctx, func(ctx context.Context) error { return a.cfg.Store.Delete(ctx, c.kind, in.Name) })
		})
}

// create makes a resource, all of it or nothing.
func (c collection[V]) create(ctx context.Context, a *API, v *V) (*oneOf[V], error) {
	if c.begin != nil {
		if err := c.begin(v); err != nil {
			return nil, a.problem(ctx, err)
		}
	}
	name := c.name(v)
	out, err := c.written(ctx, a, name, func(ctx context.Context) error {
		if err := a.cfg.Store.Create(ctx, c.kind, name, c.keep(v)); err != nil || c.made == nil {
			return err
		}
		if err := c.made(ctx, v); err != nil {
			return errors.Join(err, a.cfg.Store.Delete(ctx, c.kind, name))
		}
		return nil
	})
	if err == nil && c.show != nil {
		c.show(&out.Body, v)
	}
	return out, err
}

// all returns the resources of the kind with who keeps them.
func (c collection[V]) all(ctx context.Context, a *API) ([]V, error) {
	r, err := a.known(ctx)
	if err != nil {
		return nil, err
	}
	file, err := a.cfg.Store.FromFile(ctx, c.kind)
	if err != nil {
		return nil, err
	}
	items, ofFile := c.pick(r, ""), set(file)
	for i := range items {
		origin := OriginAPI
		if ofFile[c.name(&items[i])] {
			origin = OriginFile
		}
		c.mark(&items[i], origin)
	}
	return items, nil
}

// set makes names quick to find; there may be ten thousand.
func set(names []string) map[string]bool {
	found := make(map[string]bool, len(names))
	for _, name := range names {
		found[name] = true
	}
	return found
}

// one returns a resource; it is looked up alone, for there may be ten thousand.
func (c collection[V]) one(ctx context.Context, a *API, name string) (*oneOf[V], error) {
	r, err := a.known(ctx)
	if err != nil {
		return nil, a.problem(ctx, err)
	}
	found := c.pick(r, name)
	if len(found) == 0 || name == "" {
		return nil, a.problem(ctx, &core.Error{Op: "native", Kind: core.NotFound, Err: fmt.Errorf("no %s %q", c.word, name)})
	}
	ofFile, err := a.cfg.Store.KeptByFile(ctx, c.kind, name)
	if err != nil {
		return nil, a.problem(ctx, err)
	}
	origin := OriginAPI
	if ofFile {
		origin = OriginFile
	}
	c.mark(&found[0], origin)
	return &oneOf[V]{found[0]}, nil
}

// written changes a resource and returns what it is now.
func (c collection[V]) written(ctx context.Context, a *API, name string, do func(context.Context) error) (*oneOf[V], error) {
	var only core.UserID
	if c.kind == route.KindUsers {
		only.Name = name
	}
	if err := a.changeOf(ctx, only, do); err != nil {
		return nil, err
	}
	return c.one(ctx, a, name)
}

// operation describes an operation; every one may also be refused for who asks.
func operation(id, method, path, summary string, errs ...int) huma.Operation {
	op := huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, MaxBodyBytes: maxBody,
		Errors: append([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusInternalServerError}, errs...),
	}
	switch method {
	case http.MethodPost:
		op.DefaultStatus = http.StatusCreated
	case http.MethodDelete:
		op.DefaultStatus = http.StatusNoContent
	}
	if method == http.MethodPost || method == http.MethodPut {
		// What JSON cannot be read, is too long, or has another type of content.
		op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	return op
}
