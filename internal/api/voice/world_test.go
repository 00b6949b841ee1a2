package voice

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/internal/webhook"
)

const (
	otherApp = "22222222-2222-3333-4444-555555555555"

	legIn    core.LegID = "aaaaaaaa-0000-4000-8000-000000000001" // a phone calls, rings
	legOut   core.LegID = "aaaaaaaa-0000-4000-8000-000000000002" // called, has answered
	legDone  core.LegID = "aaaaaaaa-0000-4000-8000-000000000003" // has ended
	legOther core.LegID = "aaaaaaaa-0000-4000-8000-000000000004" // of another application
	legApp   core.LegID = "aaaaaaaa-0000-4000-8000-000000000005" // a browser calls, has answered
	legWS    core.LegID = "aaaaaaaa-0000-4000-8000-000000000006" // a WebSocket, has answered
	legSIP   core.LegID = "aaaaaaaa-0000-4000-8000-000000000007" // called by SIP URI, rings

	callIn  core.CallID = "cccccccc-0000-4000-8000-000000000001"
	callOut core.CallID = "cccccccc-0000-4000-8000-000000000002"
	callWS  core.CallID = "cccccccc-0000-4000-8000-000000000006"
)

// jwt is a token that says of itself that it is of an application.
const jwt = "e30.eyJhcHBsaWNhdGlvbl9pZCI6IjExMTExMTExLTIyMjItMzMzMy00NDQ0LTU1NTU1NTU1NTU1NSJ9.c2ln"

// noon is when everything happens.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// exchanged plays the exchange: it knows some legs, makes others, and says no where
// it is told to.
type exchanged struct {
	api *API

	mu     sync.Mutex // guards all below
	refuse error
	asked  []core.Request
	posted []core.Event
}

func (e *exchanged) Ask(_ context.Context, do core.Request) (core.Reply, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, do)
	if e.refuse != nil {
		return core.Reply{}, e.refuse
	}
	switch do := do.(type) {
	case flow.Create:
		e.create(do)
		return core.Reply{Call: callOut}, nil
	case core.OfApp:
		if _, isCall := do.Do.(core.SuperviseCall); isCall {
			return core.Reply{Call: callIn}, nil
		}
		if _, ok := e.api.legs.get(do.App, do.LegID()); !ok && do.LegID() != "" {
			return core.Reply{}, &core.Error{Op: "test", Kind: core.NotFound}
		}
		return core.Reply{Call: callOut}, nil
	}
	return core.Reply{}, errors.New("not for an application")
}

// create tells of the new leg as the loop does: before the reply.
func (e *exchanged) create(do flow.Create) {
	to := core.Party{Number: do.Endpoint.Phone + do.Endpoint.URI + do.Endpoint.Socket.URI}
	if do.Endpoint.User != "" {
		to.User = core.UserID{App: do.App, Name: do.Endpoint.User}
	}
	change := core.LegChange{
		Kind: core.ChangeBegan, Leg: do.Leg, Call: callOut, App: do.App, Edge: core.EdgeSIP, Direction: core.Outbound,
		From: do.From, To: to, Hook: do.Hook, Headers: do.Endpoint.Headers,
	}
	e.api.Changed(noon, change)
	change.Kind = core.ChangeRinging
	e.api.Changed(noon.Add(time.Second), change)
}

func (e *exchanged) Post(ev core.Event) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.posted = append(e.posted, ev)
	return nil
}

// take returns what the exchange was asked and told, and forgets it.
func (e *exchanged) take() (asked []core.Request, posted []core.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	asked, posted = e.asked, e.posted
	e.asked, e.posted = nil, nil
	return asked, posted
}

// delivered plays the deliverer of webhooks.
type delivered struct {
	mu   sync.Mutex // guards all
	jobs []webhook.Job
}

func (d *delivered) Send(j webhook.Job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.jobs = append(d.jobs, j)
}

func (d *delivered) take() []webhook.Job {
	d.mu.Lock()
	defer d.mu.Unlock()
	jobs := d.jobs
	d.jobs = nil
	return jobs
}

// known are applications.
type known map[string]Application

func (k known) App(id string) (Application, bool) {
	app, ok := k[id]
	return app, ok
}

// tokens knows "app", "user" with the rights of a browser, "reader", and "other".
type tokens struct{}

func (tokens) App(_ context.Context, source netip.Addr, token core.Secret) (core.AppToken, error) {
	switch token.Reveal() {
	case "app", jwt:
		return core.AppToken{App: testApp}, nil
	case "user":
		return core.AppToken{App: testApp, Subject: "alice", ACL: core.UserACL()}, nil
	case "reader":
		return core.AppToken{App: testApp, ACL: []core.ACLPath{{Pattern: "/*/calls/**", Methods: []string{"GET"}}}}, nil
	case "other":
		return core.AppToken{App: otherApp}, nil
	case "gone":
		return core.AppToken{App: "33333333-2222-3333-4444-555555555555"}, nil
	case "broken":
		return core.AppToken{}, errors.New("the store is on fire")
	case "locked":
		return core.AppToken{}, &core.Error{Op: "test", Kind: core.Unavailable}
	}
	return core.AppToken{}, &core.Error{Op: "test", Kind: core.Unauthorized, Err: errors.New("secret reason")}
}

// kept plays the store.
type kept struct {
	mu    sync.Mutex // guards all
	users []core.AppUser
	ended []string // sessions
}

func (k *kept) legs() []core.CDR {
	done := core.CDR{
		Leg: legDone, Call: callOut, App: testApp, Edge: core.EdgeSIP, Direction: core.Outbound,
		From: core.Party{Number: "12995558888"}, To: core.Party{Number: "12995551111", Trunk: "carrier"},
		Begun: noon, Answered: noon.Add(2 * time.Second), Ended: noon.Add(4 * time.Second), Talk: 2 * time.Second, Status: statusCompleted,
	}
	list := []core.CDR{done}
	for i := range 24 {
		one := done
		one.Leg = core.LegID("bbbbbbbb-0000-4000-8000-0000000000" + string(rune('0'+i/10)) + string(rune('0'+i%10)))
		one.Begun = one.Begun.Add(time.Duration(i+1) * time.Minute)
		if i%2 == 0 {
			one.Answered, one.Talk, one.Status = time.Time{}, 0, statusBusy
		}
		list = append(list, one)
	}
	return list
}

func (k *kept) AppLeg(_ context.Context, app string, id core.LegID) (core.CDR, error) {
	for _, one := range k.legs() {
		if one.Leg == id && one.App == app {
			return one, nil
		}
	}
	return core.CDR{}, &core.Error{Op: "test", Kind: core.NotFound}
}

func (k *kept) AppLegs(_ context.Context, q core.AppLegQuery) ([]core.CDR, int, error) {
	list := slices.DeleteFunc(k.legs(), func(c core.CDR) bool {
		return c.App != q.App || q.Status != "" && c.Status != q.Status || q.Call != "" && c.Call != q.Call ||
			!q.Since.IsZero() && c.Begun.Before(q.Since) || !q.Until.IsZero() && c.Begun.After(q.Until)
	})
	if q.Desc {
		slices.Reverse(list)
	}
	total := len(list)
	list = list[min(q.Offset, total):]
	return list[:min(q.Limit, len(list))], total, nil
}

func (k *kept) AppUser(_ context.Context, app, idOrName string) (core.AppUser, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, u := range k.users {
		if u.App == app && (u.ID == idOrName || u.Name == idOrName) {
			return u, nil
		}
	}
	return core.AppUser{}, &core.Error{Op: "test", Kind: core.NotFound}
}

func (k *kept) AppUsers(_ context.Context, q core.AppUserQuery) ([]core.AppUser, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(k.users), func(u core.AppUser) bool { return u.App != q.App || q.Name != "" && u.Name != q.Name })
	if q.Desc {
		slices.Reverse(list)
	}
	if i := slices.IndexFunc(list, func(u core.AppUser) bool { return u.ID == q.After }); i >= 0 {
		list = list[i+1:]
	}
	return list[:min(q.Limit, len(list))], nil
}

func (k *kept) CreateAppUser(ctx context.Context, u core.AppUser) (core.AppUser, error) {
	if _, err := k.AppUser(ctx, u.App, u.Name); err == nil {
		return u, &core.Error{Op: "test", Kind: core.Conflict}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	u.ID = "USR-" + string(newLegID())
	k.users = append(k.users, u)
	return u, nil
}

func (k *kept) ReplaceAppUser(ctx context.Context, u core.AppUser) error {
	if same, err := k.AppUser(ctx, u.App, u.Name); err == nil && same.ID != u.ID {
		return &core.Error{Op: "test", Kind: core.Conflict}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, old := range k.users {
		if old.ID == u.ID {
			k.users[i] = u
		}
	}
	return nil
}

func (k *kept) DeleteAppUser(_ context.Context, app, id string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.users = slices.DeleteFunc(k.users, func(u core.AppUser) bool { return u.App == app && u.ID == id })
	return nil
}

func (k *kept) Sessions(_ context.Context, user core.UserID) ([]Session, error) {
	if user.Name != "alice" {
		return nil, nil
	}
	return []Session{{ID: "SES-eeeeeeee-0000-4000-8000-000000000001", User: user, Since: noon}}, nil
}

func (k *kept) End(_ context.Context, _, id string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = append(k.ended, id)
	return nil
}

// recording is the only file there is.
const recording = "ffffffff-0000-4000-8000-000000000001"

func (k *kept) Open(_ context.Context, app, file string) (io.ReadSeekCloser, File, error) {
	if app != testApp || file != recording {
		return nil, File{}, &core.Error{Op: "test", Kind: core.NotFound}
	}
	return struct {
		io.ReadSeeker
		io.Closer
	}{strings.NewReader("0123456789"), io.NopCloser(nil)}, File{Name: recording + ".mp3", ContentType: "audio/mpeg", Made: noon}, nil
}

// world is the API with everything around it.
type world struct {
	*testing.T
	api      *API
	exchange *exchanged
	hooks    *delivered
	store    *kept
	apps     known
}

// newWorld makes one in which some legs live.
func newWorld(t *testing.T) *world {
	t.Helper()
	testkit.CheckLeaks(t)
	w := &world{T: t, exchange: &exchanged{}, hooks: &delivered{}, store: &kept{}}
	app := Application{
		Application: route.Application{
			ID: testApp, Account: "abcd1234",
			Answer:   route.Webhook{URL: "http://app.test:8000/answer"},
			Event:    route.Webhook{URL: "http://app.test:8000/event?x=1"},
			Fallback: route.Webhook{URL: "http://fallback.test/"},
		},
		APIKey: "abcd1234", Signature: "thirty-two bytes of a secret key", Numbers: []string{"12995558888"},
	}
	other := app
	other.ID = otherApp
	w.apps = known{testApp: app, otherApp: other}
	w.store.users = []core.AppUser{{ID: "USR-dddddddd-0000-4000-8000-000000000001", App: testApp, Name: "alice", DisplayName: "Alice"}}
	w.api = New(Config{
		Exchange: w.exchange, Apps: w.apps, Tokens: tokens{}, Hooks: w.hooks, Calls: w.store, Users: w.store, Sessions: w.store,
		Files: w.store, Base: func() string { return "https://phone.test" }, Log: slog.New(slog.DiscardHandler),
		Settings: Settings{LenientFinishedLeg: true},
	})
	w.exchange.api = w.api
	t.Cleanup(w.api.Close)
	w.settle()
	return w
}

// lives are the legs that live, as they began.
func lives() map[core.LegID]core.LegChange {
	carrier := core.Party{Number: "+14155550100", Trunk: "carrier"}
	ours := core.Party{Number: "12995558888"}
	return map[core.LegID]core.LegChange{
		legIn:    {Call: callIn, App: testApp, Edge: core.EdgeSIP, Direction: core.Inbound, From: carrier, To: ours},
		legOut:   {Call: callOut, App: testApp, Edge: core.EdgeSIP, Direction: core.Outbound, From: ours, To: core.Party{Number: "12995551111", Trunk: "carrier"}, Hook: core.Hook{URL: "https://app.test/event_multi?peer_uuid=x"}},
		legOther: {Call: callIn, App: otherApp, Edge: core.EdgeSIP, Direction: core.Inbound, From: carrier, To: ours},
		legApp:   {Call: callIn, App: testApp, Edge: core.EdgeBrowser, Direction: core.Inbound, From: core.Party{User: core.UserID{App: testApp, Name: "alice"}}, To: core.Party{Number: "12995551111"}},
		legWS:    {Call: callWS, App: testApp, Edge: core.EdgeSocket, Direction: core.Outbound, From: ours, To: core.Party{Number: "wss://bot.test/s"}, Headers: []core.Header{{Name: "prompt", Value: `"be nice"`}, {Name: "n", Value: "1"}}},
		legSIP:   {Call: callWS, App: testApp, Edge: core.EdgeSIP, Direction: core.Outbound, From: ours, To: core.Party{Number: "sip:bob@pbx.test"}, Headers: []core.Header{{Name: "X-Tier", Value: "gold"}}},
	}
}

// settle lets the legs begin and forgets what was told of that.
func (w *world) settle() {
	w.Helper()
	legs := lives()
	for i, id := range slices.Sorted(maps.Keys(legs)) {
		change := legs[id]
		change.Leg = id
		at := noon.Add(time.Duration(i) * time.Millisecond)
		states := []core.ChangeKind{core.ChangeBegan, core.ChangeRinging}
		if id == legOut || id == legApp || id == legWS {
			states = append(states, core.ChangeAnswered)
		}
		for _, change.Kind = range states {
			w.api.Changed(at, change)
		}
	}
	w.api.Flush()
	w.hooks.take()
}

// do asks the API for something.
func (w *world) do(method, path, token, body string) *httptest.ResponseRecorder {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), method, "https://api.nexmo.com"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	} else {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	out := httptest.NewRecorder()
	w.api.ServeHTTP(out, r)
	return out
}
