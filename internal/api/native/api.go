package native

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/offhook/offhook/internal/api"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// Store keeps what the API shows and changes. Errors are NotFound, Conflict or
// Invalid, the last two with a route.MisfitError for each thing that does not fit.
type Store interface {
	// Directory returns all resources; it is at hand and need not be read.
	Directory(ctx context.Context) (*route.Directory, error)
	FromFile(ctx context.Context, kind route.Kind) ([]string, error)
	KeptByFile(ctx context.Context, kind route.Kind, name string) (bool, error)
	// Apply creates or replaces, all of it or nothing, and returns which were created.
	Apply(ctx context.Context, edits []route.Edit, realm string) (created []bool, err error)
	Create(ctx context.Context, kind route.Kind, name string, body any) error
	Replace(ctx context.Context, kind route.Kind, name string, body any) error
	Delete(ctx context.Context, kind route.Kind, name string) error
	SetPassword(ctx context.Context, user string, password core.Secret, realm string) error
	SetTrunkPassword(ctx context.Context, trunk string, password core.Secret) error
	SetAccountSecrets(ctx context.Context, key string, secret, signature core.Secret, realm string) error
	SetOverride(ctx context.Context, o route.Override) error
	ClearOverride(ctx context.Context, schedule string) error
	SetDoNotDisturb(ctx context.Context, user core.UserID, on bool) error
	CDRs(ctx context.Context, q core.CDRQuery) ([]core.CDR, error)
	CDR(ctx context.Context, leg core.LegID) (core.CDR, error)
}

// Calls is the exchange; package engine asks it.
type Calls interface {
	// Ask lets it carry out a request and returns what came of it. Errors have a Kind.
	Ask(ctx context.Context, do core.Request) (core.Reply, error)
}

// Config is what New needs.
type Config struct {
	Store  Store
	Tokens api.Tokens
	Calls  Calls
	Audio  Audio
	Events Events
	// Realm is what phones log in to.
	Realm string
	// Changed takes the new directory to the exchange and the edges, and makes
	// logins know the new passwords. If nothing changed but one user, only says which
	// one. It is called in the order of the changes.
	Changed func(ctx context.Context, d *route.Directory, only core.UserID) error
	// Rate bounds what one client may ask.
	Rate    Rate
	Version string
	Log     *slog.Logger
}

// API serves /api/.
type API struct {
	cfg Config
	mux *http.ServeMux
	dir atomic.Pointer[route.Directory]
	// changing serialises changes with the reload behind each, so that an older
	// directory never follows a newer one.
	changing sync.Mutex
	untold   bool // guarded by changing: the rest of the program does not know the last change
	clients  *clients
	streams  atomic.Int32  // event streams that are open
	over     chan struct{} // closed by Close
}

// maxBody is the longest request body, in bytes: a schedule of many years.
const maxBody = 256 << 10

// New returns the API. d is the directory of the moment.
func New(cfg Config, d *route.Directory) *API {
	a := &API{cfg: cfg, mux: http.NewServeMux(), clients: newClients(cfg.Rate), over: make(chan struct{})}
	a.dir.Store(d)
	h := humago.New(a.mux, description(cfg.Version))
	describeText(h.OpenAPI().Components.Schemas)
	h.UseMiddleware(a.admit(h))
	a.resources(h)
	a.bundles(h)
	a.credentials(h)
	a.switches(h)
	a.settings(h)
	a.calls(h)
	a.moves(h)
	a.records(h)
	a.events(h)
	a.mux.HandleFunc(everyPath, a.unknownPath)
	return a
}

// description is the head of the OpenAPI document.
func description(version string) huma.Config {
	c := huma.DefaultConfig("offhook", version)
	c.Info.Description = "Resources, live calls and call detail records of an offhook exchange. " +
		"Every operation needs the bearer token of a user with the role admin; offhook token --user NAME makes one."
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "/api/openapi", "", ""
	c.CreateHooks = nil // no $schema in bodies
	c.Transformers = []huma.Transformer{withoutBodies}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{bearer: {Type: "http", Scheme: "bearer", BearerFormat: "JWT"}}
	c.Security = []map[string][]string{{bearer: {}}}
	return c
}

// everyPath is the pattern of what has no operation.
const everyPath = "/api/"

// bearer is the name of the one security scheme.
const bearer = "token"

// Close ends the event streams, which the end of the server would wait for. It is
// called once.
func (a *API) Close() { close(a.over) }

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if wait := a.clients.wait(r.RemoteAddr, time.Now()); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		writeProblem(w, http.StatusTooManyRequests, "too many requests: slow down")
		return
	}
	a.mux.ServeHTTP(w, r)
}

// admit lets in who may use the API, before anything of the request is read.
func (a *API) admit(h huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		user, err := api.Login(ctx.Context(), a.cfg.Tokens, ctx.Header("Authorization"), ctx.RemoteAddr())
		if err == nil {
			err = a.mayUse(user)
		}
		if err == nil {
			next(ctx)
			return
		}
		status, detail := a.notAdmitted(ctx, err)
		if err := huma.WriteErr(h, ctx, status, detail); err != nil {
			a.cfg.Log.Debug("client went away", "error", err)
		}
	}
}

// notAdmitted says that somebody is not let in; why the login failed is nobody's
// business.
func (a *API) notAdmitted(ctx huma.Context, err error) (status int, detail string) {
	switch status, detail = a.refusal(ctx.Context(), err); status {
	case http.StatusUnauthorized:
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="offhook"`)
		detail = "a bearer token of this exchange is needed"
	case http.StatusForbidden:
		detail = "only users with the role admin may do this"
	case http.StatusServiceUnavailable: // locked out
		ctx.SetHeader("Retry-After", "600")
		return http.StatusTooManyRequests, "too many failed logins: try again later"
	}
	return status, detail
}

// mayUse says why a user may not use the API.
func (a *API) mayUse(user core.UserID) error {
	if u, ok := a.dir.Load().User(user); ok && u.App == "" && u.Role == route.RoleAdmin {
		return nil
	}
	return &core.Error{Op: "native", Kind: core.Forbidden}
}

// change does one change and takes it to the rest of the program. A change that
// was made stands, also if nobody can be told of it: that is logged and told at
// the next change.
func (a *API) change(ctx context.Context, do func(context.Context) error) error {
	return a.changeOf(ctx, core.UserID{}, do)
}

// changeOf is change; only is the one user that it changes, if it is not zero.
func (a *API) changeOf(ctx context.Context, only core.UserID, do func(context.Context) error) error {
	a.changing.Lock()
	defer a.changing.Unlock()
	if err := do(ctx); err != nil {
		return a.problem(ctx, err)
	}
	if a.untold { // of the change before
		only = core.UserID{}
	}
	// The client may be gone by now; the change is not.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	d, err := a.cfg.Store.Directory(ctx)
	if err == nil {
		a.dir.Store(d)
		err = a.cfg.Changed(ctx, d, only)
	}
	if a.untold = err != nil; a.untold {
		return a.problem(ctx, err)
	}
	return nil
}

// known returns all resources, which must not be changed.
func (a *API) known(ctx context.Context) (route.Resources, error) {
	d, err := a.cfg.Store.Directory(ctx)
	if err != nil {
		return route.Resources{}, err
	}
	return d.Resources(), nil
}
