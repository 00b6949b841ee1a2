package voice

import (
	"net/http"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/webhook"
)

// API is the Voice API of a node: an http.Handler, and the engine.AppDriver.
type API struct {
	cfg    Config
	mux    http.Handler
	legs   legs
	outbox *outbox
	rates  rates
}

// New returns the API. Close ends it.
func New(cfg Config) *API {
	a := &API{cfg: cfg, outbox: newOutbox()}
	a.mux = a.routes()
	go a.outbox.run(cfg.Hooks.Send)
	return a
}

// Close hands on what is still to be told. Nothing may be told after it.
func (a *API) Close() { a.outbox.close() }

// Flush returns when all that the loop told before is with the deliverer, after 1 s
// at most.
func (a *API) Flush() { a.outbox.flush(time.Second) }

// Changed implements engine.AppDriver.
func (a *API) Changed(now time.Time, change core.LegChange) {
	it := a.legs.change(now, change)
	a.outbox.put(outgoing{leg: change.Leg, do: tell, job: func() []webhook.Job { return a.changed(now, it) }})
}

// Do implements engine.AppDriver.
func (a *API) Do(now time.Time, cmd core.AppCommand) {
	switch cmd := cmd.(type) {
	case core.Consult:
		a.outbox.put(outgoing{leg: cmd.Leg, do: tell, job: func() []webhook.Job { return a.consult(now, cmd) }})
	case core.Notice:
		a.outbox.put(outgoing{leg: cmd.Leg, do: tell, job: func() []webhook.Job { return a.notice(now, cmd) }})
	}
}

// instruct answers a question of the exchange.
func (a *API) instruct(turn core.Turn, kind flow.AnswerKind, verbs []flow.Verb, reason string) {
	err := a.cfg.Exchange.Post(flow.Instructed{Turn: turn, Kind: kind, Verbs: verbs, Reason: reason})
	if err != nil { // the node has stopped, and the leg with it
		a.cfg.Log.Debug("nobody takes an answer", "leg", turn.Leg, "error", err)
	}
}

// parser reads the NCCOs of an application.
func (a *API) parser(app Application) Parser {
	return Parser{App: app.ID, Number: func() string { return anyOf(app.Numbers) }, TimedAside: a.cfg.Settings.TimedAside}
}
