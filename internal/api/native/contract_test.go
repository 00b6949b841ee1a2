package native_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/offhook/offhook/internal/api/native"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/store"
	"github.com/offhook/offhook/internal/store/sqlite"
)

// tokens knows the users by the tokens "for-NAME", and locks out "locked".
type tokens struct{}

func (tokens) Token(_ context.Context, source netip.Addr, token core.Secret) (core.UserID, error) {
	if !source.IsLoopback() {
		return core.UserID{}, errors.New("source is lost")
	}
	if token.Reveal() == "locked" {
		return core.UserID{}, &core.Error{Op: "test", Kind: core.Unavailable}
	}
	name, ok := strings.CutPrefix(token.Reveal(), "for-")
	if !ok {
		return core.UserID{}, &core.Error{Op: "test", Kind: core.Unauthorized, Err: errors.New("secret reason")}
	}
	return core.ParseUserID(name), nil
}

// world is the API over a real store, with a client that holds every request and
// every answer against the OpenAPI description.
type world struct {
	*testing.T
	store  *store.Store
	calls  *exchanged
	events *published
	api    *native.API
	server *httptest.Server
	router routers.Router
	doc    *openapi3.T
	token  string
	latest *route.Directory // the last that Changed was given
	only   core.UserID      // and which user it was about
	refuse bool             // Changed fails
	done   map[string]map[int]bool
}

func newWorld(t *testing.T, file store.Resources) *world {
	t.Helper()
	return newLimitedWorld(t, file, native.Rate{})
}

func newLimitedWorld(t *testing.T, file store.Resources, rate native.Rate) *world {
	t.Helper()
	s := openStore(t, file)
	d, err := s.Directory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, store: s, calls: newExchanged(t, d), events: &published{}, token: "for-boss", done: make(map[string]map[int]bool)}
	a := native.New(native.Config{
		Store: s, Tokens: tokens{}, Calls: w.calls, Audio: line{}, Events: w.events, Realm: "house", Version: "test", Log: slog.New(slog.DiscardHandler), Rate: rate,
		Changed: func(_ context.Context, d *route.Directory, only core.UserID) error {
			if w.refuse {
				return errors.New("nobody listens")
			}
			w.latest, w.only = d, only
			return nil
		},
	}, d)
	w.api = a
	w.server = httptest.NewServer(a)
	t.Cleanup(w.server.Close)
	w.describe()
	return w
}

// openStore returns a store that a file has filled.
func openStore(t testing.TB, file store.Resources) *store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "offhook.db"), store.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.ApplyFile(t.Context(), file, "house"); err != nil {
		t.Fatal(err)
	}
	return s
}

// describe reads the description as any client would.
func (w *world) describe() {
	w.Helper()
	status, _, text := w.raw(http.MethodGet, "/api/openapi.json", "")
	if status != http.StatusOK {
		w.Fatalf("no description: %d %s", status, text)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		w.Fatal(err)
	}
	if err := doc.Validate(w.Context()); err != nil {
		w.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		w.Errorf("OpenAPI %s", doc.OpenAPI)
	}
	doc.Servers = openapi3.Servers{{URL: w.server.URL}}
	w.doc = doc
	if w.router, err = gorillamux.NewRouter(doc); err != nil {
		w.Fatal(err)
	}
}

// raw does a request and returns the answer.
func (w *world) raw(method, path, body string) (int, http.Header, []byte) {
	w.Helper()
	req := w.request(method, path, body)
	resp, err := w.server.Client().Do(req)
	if err != nil {
		w.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		w.Fatal(err)
	}
	return resp.StatusCode, resp.Header, text
}

func (w *world) request(method, path, body string) *http.Request {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	if body == "" {
		req.Body, req.ContentLength = http.NoBody, 0
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	if w.token != "" {
		req.Header.Set("Authorization", "Bearer "+w.token)
	}
	return req
}

// do does a request that fits the description, and wants this status. The answer
// must fit too. It returns the decoded body.
func (w *world) do(method, path, body string, want int) map[string]any {
	w.Helper()
	return w.exchange(method, path, body, want, true)
}

// bad does a request that the description refuses, as the server must: 422 with
// the places of the mistakes.
func (w *world) bad(method, path, body string) {
	w.Helper()
	problem := w.exchange(method, path, body, http.StatusUnprocessableEntity, false)
	if errs, _ := problem["errors"].([]any); len(errs) == 0 {
		w.Errorf("%s %s does not say what is wrong with %s: %v", method, path, body, problem)
	}
}

// exchange does a request, wants this status, and holds request and answer
// against the description.
func (w *world) exchange(method, path, body string, want int, fits bool) map[string]any {
	w.Helper()
	req := w.request(method, path, body)
	at, params, err := w.router.FindRoute(req)
	if err != nil {
		w.Fatalf("%s %s: %v", method, path, err)
	}
	input := &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params, Route: at,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, ExcludeReadOnlyValidations: true},
	}
	switch err := openapi3filter.ValidateRequest(w.Context(), input); {
	case fits && err != nil:
		w.Errorf("%s %s: the request does not fit: %v", method, path, err)
	case !fits && err == nil:
		w.Errorf("%s %s %s: the description does not refuse it", method, path, body)
	}
	status, header, text := w.raw(method, path, body)
	if status != want {
		w.Fatalf("%s %s %s: %d %s, want %d", method, path, body, status, text, want)
	}
	response := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: status, Header: header, Body: io.NopCloser(bytes.NewReader(text)), Options: input.Options,
	}
	if err := openapi3filter.ValidateResponse(w.Context(), response); err != nil {
		w.Errorf("%s %s: the answer does not fit: %v\n%s", method, path, err, text)
	}
	id := at.Operation.OperationID
	if w.done[id] == nil {
		w.done[id] = make(map[int]bool)
	}
	w.done[id][status] = true
	return w.decode(method, path, status, header, text)
}

// decode reads a body; that of an error must be a problem (RFC 9457).
func (w *world) decode(method, path string, status int, header http.Header, text []byte) map[string]any {
	w.Helper()
	if status == http.StatusNoContent {
		if len(text) > 0 {
			w.Errorf("%s %s: 204 with a body", method, path)
		}
		return nil
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		w.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
	if status >= 400 {
		if got := header.Get("Content-Type"); got != "application/problem+json" {
			w.Errorf("%s %s: content type %q", method, path, got)
		}
		if out["status"] != float64(status) || out["title"] != http.StatusText(status) || out["detail"] == "" {
			w.Errorf("%s %s: no problem details: %s", method, path, text)
		}
		if strings.Contains(string(text), "secret reason") {
			w.Errorf("%s %s tells too much: %s", method, path, text)
		}
	}
	return out
}

// items returns the field of each item of a list.
func items(body map[string]any, field string) (all []string) {
	list, _ := body["items"].([]any)
	for _, item := range list {
		value, _ := item.(map[string]any)[field].(string)
		all = append(all, value)
	}
	return all
}

// complete wants each operation to have been done well, and refused where it can be.
func (w *world) complete() {
	w.Helper()
	for path, item := range w.doc.Paths.Map() {
		for method, op := range item.Operations() {
			seen := slices.Sorted(maps.Keys(w.done[op.OperationID]))
			if len(seen) == 0 || seen[0] >= 300 {
				w.Errorf("%s %s was never done well", method, path)
			}
			for _, want := range []int{400, 404, 409, 413, 422, 503} {
				if op.Responses.Status(want) != nil && !slices.Contains(seen, want) {
					w.Errorf("%s %s never answered %d", method, path, want)
				}
			}
		}
	}
}

// line is the audio of every leg.
type line struct{}

func (line) Quality(core.LegID) (core.Quality, bool) {
	return core.Quality{Received: 500, Lost: 5, Sent: 505, Jitter: 2 * time.Millisecond, RoundTrip: 40 * time.Millisecond, MOS: 4.3, FarMOS: 4.4}, true
}
