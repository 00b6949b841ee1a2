package voice

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// Config is what New needs. All fields but those said to be optional are required.
type Config struct {
	Exchange Exchange
	Apps     Apps
	Tokens   Tokens
	Hooks    Hooks
	Calls    Calls
	Users    Users
	Sessions Sessions
	Files    Files // nil: there are no recordings
	Settings Settings
	Log      *slog.Logger
}

// Settings are the choices of the operator.
type Settings struct {
	// Base is our own address as applications see it, "https://host:port", without
	// a slash at the end. Files, where recordings are fetched, and Region, which
	// answer webhooks carry, are Base if empty.
	Base, Files, Region string
	// LenientFinishedLeg answers requests to play to a leg that has ended as if it
	// had not.
	LenientFinishedLeg bool
	// TimedAside is Parser.TimedAside.
	TimedAside bool
	// Version is told in webhooks' User-Agent and the OpenAPI document.
	Version string
}

// Exchange is the loop that runs the exchange; package engine.
type Exchange interface {
	// Ask lets it carry out a request. Errors have a Kind.
	Ask(ctx context.Context, do core.Request) (core.Reply, error)
	// Post tells it of an event. It never blocks.
	Post(ev core.Event) error
}

// Apps knows the applications. Its answers come from memory: they are asked for with
// every webhook.
type Apps interface {
	// App returns an application; false if there is none of that name.
	App(id string) (Application, bool)
}

// Application is an application with what its webhooks are signed with.
type Application struct {
	route.Application
	// APIKey is the key of its account, and Signature the secret that webhooks are
	// signed with; empty, they are not signed.
	APIKey    string
	Signature core.Secret
	// Numbers are those that lead to it.
	Numbers []string
}

// Tokens checks the tokens of applications; package auth does it.
type Tokens interface {
	// App returns whom the token speaks for. Errors are Unauthorized, or Unavailable
	// for a source that failed too often.
	App(ctx context.Context, source netip.Addr, token core.Secret) (core.AppToken, error)
}

// Hooks delivers webhooks; package webhook does it.
type Hooks interface {
	// Send returns at once.
	Send(Job)
}

// Job is one webhook.
type Job struct {
	// Queue is the leg it is about: jobs of one leg are delivered in order, one at a
	// time; "" has no order.
	Queue string
	App   string
	Target
	Params []Param
	// Sign is nil for one that is not signed.
	Sign *Signer
	// Fallback is asked when Target gives no answer; nil is nobody. Event says that
	// the application was told something, else it was asked what to do with a leg.
	Fallback *Target
	Event    bool
	// Durable jobs survive the end of the program. They have no Fallback and no Done.
	Durable bool
	// Last is the end of the queue.
	Last bool
	// After is how long older jobs of the queue are waited for at most; 0 is for as
	// long as it takes. Jobs with Overtaken are not waited for.
	After     time.Duration
	Overtaken bool
	// Done takes the answer, once, on any goroutine; nil if nobody wants it.
	Done func(Result)
}

// Param is one parameter of a webhook: a member of the body, or of the query.
type Param struct {
	Name  string
	Value json.RawMessage // compact
}

// Signer says how a webhook is signed.
type Signer struct {
	Key    core.Secret
	APIKey string
	App    string
}

// Target is where a webhook goes.
type Target struct {
	URL, Method             string
	ConnectTimeout, Timeout time.Duration
	// Foreign is a URL whose host is not that of a webhook of the application's own
	// settings.
	Foreign bool
}

// Result is what came of a webhook.
type Result struct {
	Status int
	Body   []byte // at most 1 MB
	Err    error  // nil if there was a 2xx
	Reason string // Err for the application
}

// Calls reads call detail records of applications, of legs that began a moment ago
// too. Errors have a Kind.
type Calls interface {
	AppLeg(ctx context.Context, app string, leg core.LegID) (core.CDR, error)
	AppLegs(ctx context.Context, q core.AppLegQuery) (legs []core.CDR, total int, err error)
}

// Users keeps the users of applications. Errors have a Kind.
type Users interface {
	AppUser(ctx context.Context, app, idOrName string) (core.AppUser, error)
	AppUsers(ctx context.Context, q core.AppUserQuery) ([]core.AppUser, error)
	// CreateAppUser makes the identifier. A name that is taken is a Conflict.
	CreateAppUser(ctx context.Context, u core.AppUser) (core.AppUser, error)
	ReplaceAppUser(ctx context.Context, u core.AppUser) error
	DeleteAppUser(ctx context.Context, app, id string) error
}

// Sessions are the browsers of applications' users that are connected now.
type Sessions interface {
	// Sessions lists those of a user.
	Sessions(ctx context.Context, user core.UserID) ([]Session, error)
	// End ends one of an application; one that is not there is no error.
	End(ctx context.Context, app, id string) error
}

// Session is a browser that is connected.
type Session struct {
	ID    string // "SES-" and a UUID
	User  core.UserID
	Since time.Time
}

// Files keeps recordings and their texts.
type Files interface {
	// Open returns a file of an application; NotFound if it has none of that name.
	Open(ctx context.Context, app, file string) (io.ReadSeekCloser, File, error)
}

// File is what a file is.
type File struct {
	Name        string // as it is to be saved
	ContentType string
	Made        time.Time
}
