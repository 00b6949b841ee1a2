package voice

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/offhook/offhook/internal/core"
)

// failure is an answer that says why a request failed.
type failure struct {
	status int
	body   params
}

// Error implements error.
func (f *failure) Error() string { return fmt.Sprintf("%d %s", f.status, http.StatusText(f.status)) }

// unauthorized never says why.
func unauthorized() *failure {
	var p params
	p.text("type", "UNAUTHORIZED")
	p.text("error_title", "Unauthorized")
	return &failure{http.StatusUnauthorized, p}
}

// notFound is the answer for what is not there, or is somebody else's.
func notFound() *failure {
	var p params
	p.text("type", "NOT_FOUND")
	p.text("error_title", "Not Found")
	return &failure{http.StatusNotFound, p}
}

// badRequest says what is wrong with a request.
func badRequest(detail string) *failure {
	p := badParams()
	p.text("detail", detail)
	return &failure{http.StatusBadRequest, p}
}

// badParameter says which field is wrong.
func badParameter(name, reason string) *failure {
	p := badParams()
	var one params
	one.text("name", name)
	one.text("reason", reason)
	p.raw("invalid_parameters", "["+one.json()+"]")
	return &failure{http.StatusBadRequest, p}
}

func badParams() params {
	var p params
	p.number("type", http.StatusBadRequest)
	p.text("title", "Bad Request")
	return p
}

// problem is an answer in the form of RFC 9457.
func problem(status int, kind, title, detail string) *failure {
	var p params
	p.text("type", kind)
	p.text("title", title)
	p.text("detail", detail)
	p.text("instance", strings.ReplaceAll(uuid.NewString(), "-", ""))
	return &failure{status, p}
}

// apiErrors is where the names of general errors are documented.
const apiErrors = "https://developer.vonage.com/api-errors"

func forbidden() *failure {
	return problem(http.StatusForbidden, apiErrors+"#forbidden", "Forbidden", "The token does not allow this.")
}

func throttled() *failure {
	return problem(http.StatusTooManyRequests, apiErrors+"#throttled", "Rate Limit Hit", "Too many requests a second: try again soon.")
}

func tooLong() *failure {
	return problem(http.StatusRequestEntityTooLarge, apiErrors+"#too-large", "Request Entity Too Large", fmt.Sprintf("The body is longer than %d bytes.", maxBody))
}

func unavailable() *failure {
	return problem(http.StatusServiceUnavailable, apiErrors+"#unavailable", "Service Unavailable", "Not now: try again later.")
}

// failureOf is the answer for an error of those that we ask. What has no kind is a
// fault of ours, of which the client hears nothing.
func (a *API) failureOf(r *http.Request, err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if m, ok := errors.AsType[*mistake](err); ok {
		return badParameter(m.name, m.reason)
	}
	switch core.KindOf(err) {
	case core.NotFound:
		return notFound()
	case core.Unauthorized:
		return unauthorized()
	case core.Forbidden:
		return forbidden()
	case core.Invalid, core.Conflict:
		return badRequest(cause(err))
	case core.Unavailable:
		if errors.Is(err, core.ErrTooFast) {
			return throttled()
		}
		return unavailable()
	case core.Internal:
	}
	a.cfg.Log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	return problem(http.StatusInternalServerError, apiErrors+"#internal", "Internal Error", "Internal error.")
}

// cause is what a client is told of an error: not where in the program it arose.
func cause(err error) string {
	if e, ok := errors.AsType[*core.Error](err); ok && e.Err != nil {
		return e.Err.Error()
	}
	return "The request does not fit the state of the call."
}
