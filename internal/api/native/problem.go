package native

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

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

// unknownPath answers what no operation has, in the words of the others: a path that
// has operations by other methods says which (RFC 9110 section 15.5.6).
func (a *API) unknownPath(w http.ResponseWriter, r *http.Request) {
	allowed := a.methods(r)
	if len(allowed) == 0 {
		writeProblem(w, http.StatusNotFound, "no such path: see /api/openapi.json")
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	writeProblem(w, http.StatusMethodNotAllowed, r.Method+" means nothing here, but "+strings.Join(allowed, ", ")+": see /api/openapi.json")
}

// methods returns those that the path of r has operations for.
func (a *API) methods(r *http.Request) (allowed []string) {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := a.mux.Handler(other); pattern != everyPath {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

// withoutBodies leaves out of an error what it quotes of the request but single values:
// the rest may be megabytes, and may hold passwords.
func withoutBodies(_ huma.Context, _ string, answer any) (any, error) {
	p, ok := answer.(*huma.ErrorModel)
	if !ok {
		return answer, nil
	}
	for _, e := range p.Errors {
		switch value := e.Value.(type) {
		case string:
			if len(value) > maxQuoted || e.Location == "body" || isSecret(e.Location) {
				e.Value = nil
			}
		case bool, float64, int, int64, nil:
		default:
			e.Value = nil
		}
	}
	return p, nil
}

// maxQuoted is the longest text of a request that an error repeats, in bytes.
const maxQuoted = 200

// isSecret reports whether what stands at a place of a request is nobody's business.
func isSecret(location string) bool {
	return strings.HasSuffix(location, "password") || strings.HasSuffix(location, "secret") || strings.HasSuffix(location, "key")
}

// writeProblem answers with problem details before any operation is known.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	p := huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail}
	json.NewEncoder(w).Encode(p) //nolint:errcheck,errchkjson // the client went away
}
