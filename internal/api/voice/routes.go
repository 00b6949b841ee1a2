package voice

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/offhook/offhook/internal/core"
)

// maxBody is the longest body of a request, in bytes.
const maxBody = maxNCCO

// request is a request of an application that may make it.
type request struct {
	*http.Request
	app   Application
	token core.AppToken
}

// endpointFunc serves one method of one path. What it returns is said by failureOf.
type endpointFunc func(w http.ResponseWriter, r *request) error

// methods are the endpoints of one path.
type methods map[string]endpointFunc

// routes puts the paths together.
func (a *API) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(path string, m methods) { mux.Handle(path, a.serve(m)) }
	handle("/v1/calls", methods{http.MethodPost: a.createCall, http.MethodGet: a.listCalls})
	handle("/v2/calls", methods{http.MethodPost: a.createCall})
	handle("/v1/calls/{uuid}", methods{http.MethodGet: a.getCall, http.MethodPut: a.modifyCall})
	handle("/v1/calls/{uuid}/stream", methods{http.MethodPut: a.startStream, http.MethodDelete: a.stopStream})
	handle("/v1/calls/{uuid}/talk", methods{http.MethodPut: a.startTalk, http.MethodDelete: a.stopTalk})
	handle("/v1/legs/{uuid}/talk", methods{http.MethodPut: ofOwnLeg(a, a.startTalk), http.MethodDelete: ofOwnLeg(a, a.stopTalk)})
	handle("/v1/calls/{uuid}/dtmf", methods{http.MethodPut: a.sendKeys})
	handle("/v1/calls/{uuid}/input/dtmf", methods{http.MethodPut: a.watchKeys, http.MethodDelete: a.unwatchKeys})
	handle("/v1/files/{id}", methods{http.MethodGet: a.getFile})
	handle("/v3/files/{id}", methods{http.MethodGet: a.getFile})
	a.userRoutes(handle)
	mux.HandleFunc("/api/voice/openapi.json", serveOpenAPI)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { a.fail(w, r, notFound()) })
	return mux
}

// ServeHTTP implements http.Handler. Any host is right, any origin may ask, and a
// slash at the end means nothing.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Access-Control-Allow-Origin", "*")
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		h.Set("Access-Control-Allow-Headers", allowedHeaders(r))
		h.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if r.URL.Path != "/" && strings.HasSuffix(r.URL.Path, "/") {
		r2 := *r
		u := *r.URL
		u.Path = strings.TrimRight(u.Path, "/")
		r2.URL = &u
		r = &r2
	}
	a.mux.ServeHTTP(w, r)
}

// allowedHeaders are those that a page may send: the usual ones, and what it asks
// for, which no cookie of ours makes dangerous.
func allowedHeaders(r *http.Request) string {
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" && len(asked) < 1024 {
		return asked
	}
	return "Authorization, Content-Type"
}

// serve lets who may use a path in, and answers for what goes wrong.
func (a *API) serve(m methods) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		do, ok := m[r.Method]
		if !ok && r.Method == http.MethodHead {
			do, ok = m[http.MethodGet] // the server leaves the body out (RFC 9110 section 9.3.2)
		}
		if !ok {
			w.Header().Set("Allow", allowed(m))
			a.fail(w, r, problem(http.StatusMethodNotAllowed, apiErrors+"#method", "Method Not Allowed", "This path does not know the method."))
			return
		}
		req, err := a.admit(r)
		if err == nil {
			err = do(w, req)
		}
		if err != nil {
			a.fail(w, r, err)
		}
	})
}

func allowed(m methods) string {
	var out []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		switch {
		case m[method] == nil:
		case method == http.MethodGet:
			out = append(out, http.MethodGet, http.MethodHead)
		default:
			out = append(out, method)
		}
	}
	return strings.Join(append(out, http.MethodOptions), ", ")
}

// admit says who asks, if that may.
func (a *API) admit(r *http.Request) (*request, error) {
	if r.ContentLength > maxBody {
		return nil, tooLong() // before anything of it is read
	}
	token, err := a.login(r)
	if err != nil {
		return nil, err
	}
	app, ok := a.cfg.Apps.App(token.App)
	if !ok {
		return nil, unauthorized()
	}
	if !token.Allows(r.Method, r.URL.Path) {
		return nil, forbidden()
	}
	if !a.rates.allow(app, r) {
		return nil, throttled()
	}
	return &request{Request: r, app: app, token: token}, nil
}

// login checks the token of a request.
func (a *API) login(r *http.Request) (core.AppToken, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return core.AppToken{}, unauthorized()
	}
	source, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return core.AppToken{}, err
	}
	who, err := a.cfg.Tokens.App(r.Context(), source.Addr().Unmap(), core.Secret(strings.TrimSpace(token)))
	if core.KindOf(err) == core.Unavailable && err != nil {
		return core.AppToken{}, unauthorized() // locked out: that is nobody's business
	}
	return who, err
}

// fail answers with an error.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := a.failureOf(r, err)
	switch f.status {
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "1")
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="offhook"`)
	case http.StatusRequestEntityTooLarge:
		w.Header().Set("Connection", "close") // what is left of the body is nobody's wish
	}
	writeJSON(w, f.status, f.body.json())
}

// writeJSON answers with a JSON text. A client that is gone needs no answer.
func writeJSON(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text))) // so that it is whole when it is flushed
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// body reads the JSON object of a request. Clients that leave the type out mean
// JSON, too.
func (r *request) body(w http.ResponseWriter) (object, error) {
	if kind := mediaType(r.Header.Get("Content-Type")); kind != "" && kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return object{}, problem(http.StatusUnsupportedMediaType, apiErrors+"#media-type", "Unsupported Media Type", "The body must be application/json.")
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return object{}, tooLong()
	}
	if err != nil {
		return object{}, badRequest("The body could not be read.")
	}
	if err := checkDepth(text); err != nil {
		return object{}, badRequest("The body is " + err.Error() + ".")
	}
	o := newObject(text, "", &mistakes{strict: true})
	if o.failed() {
		return object{}, badRequest("The body must be a JSON object.")
	}
	return o, nil
}

// err is the first mistake of an object, nil if there is none.
func (o object) err() error {
	if o.wrong.first == nil {
		return nil
	}
	return o.wrong.first
}

func mediaType(text string) string {
	kind, _, _ := strings.Cut(text, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// leg is the leg in the path.
func (r *request) leg() core.LegID { return core.LegID(strings.ToLower(r.PathValue("uuid"))) }
