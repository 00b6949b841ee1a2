package native

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/offhook/offhook/internal/api"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// refusal returns how an error is told to the client. Faults of ours are logged
// in full and told in two words.
func (a *API) refusal(ctx context.Context, err error) (status int, detail string) {
	status = api.Status(core.KindOf(err))
	if status == http.StatusInternalServerError {
		a.cfg.Log.ErrorContext(ctx, "request failed", "error", err)
		return status, "internal error"
	}
	if e, ok := errors.AsType[*core.Error](err); ok && e.Err != nil {
		return status, e.Err.Error()
	}
	return status, http.StatusText(status)
}

// problem turns an error into problem details (RFC 9457).
func (a *API) problem(ctx context.Context, err error) error {
	status, detail := a.refusal(ctx, err)
	p := &huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail}
	for _, m := range misfits(err) {
		where := m.Kind
		if m.Name != "" {
			where += "/" + m.Name
		}
		if m.Field != "" {
			where += "." + m.Field
		}
		p.Errors = append(p.Errors, &huma.ErrorDetail{Message: m.Message, Location: where})
	}
	if len(p.Errors) > 0 {
		p.Detail = "the resources would not fit each other"
	}
	return p
}

// misfits returns the mistakes that err joins.
func misfits(err error) (all []route.MisfitError) {
	e, ok := errors.AsType[*core.Error](err)
	if !ok {
		return nil
	}
	joined, ok := e.Err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, one := range joined.Unwrap() {
		if m, ok := errors.AsType[route.MisfitError](one); ok {
			all = append(all, m)
		}
	}
	return all
}

// unknownPath answers what no operation has, in the words of the others.
func unknownPath(w http.ResponseWriter, _ *http.Request) {
	writeProblem(w, http.StatusNotFound, "no such path or method: see /api/openapi.json")
}

// writeProblem answers with problem details before any operation is known.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	p := huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail}
	json.NewEncoder(w).Encode(p) //nolint:errcheck,errchkjson // the client went away
}
