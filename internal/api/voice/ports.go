package voice

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/webhook"
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
	// Base returns our own address as applications see it, "https://host:port".
	Base func() string
	Log  *slog.Logger
}

// Settings are the choices of the operator.
type Settings struct {
	// Files is where recordings are fetched and Region what answer webhooks carry as
	// the address of the API, "https://host:port"; Config.Base if empty.
	Files, Region string
	// LenientFinishedLeg answers requests to play to a leg that has ended as if it
	// had not.
	LenientFinishedLeg bool
	// TimedAside is Parser.TimedAside.
	TimedAside bool
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

// Hooks delivers webhooks: *webhook.Deliverer.
type Hooks interface {
	// Send returns at once.
	Send(job webhook.Job)
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
