package voice

import (
	"net/http"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/webhook"
)

// modifyCall serves PUT /v1/calls/{uuid}.
func (a *API) modifyCall(w http.ResponseWriter, r *request) error {
	body, err := r.body(w)
	if err != nil {
		return err
	}
	var do core.Request
	switch body.text("action") {
	case "hangup":
		do = core.Release{Leg: r.leg()}
	case "mute", "unmute":
		do = core.Mute{Leg: r.leg(), Muted: body.text("action") == "mute"}
	case "earmuff", "unearmuff":
		do = core.Earmuff{Leg: r.leg(), On: body.text("action") == "earmuff"}
	case "transfer":
		return a.transfer(w, r, body)
	default:
		return &mistake{name: "action", reason: "must be one of hangup, mute, unmute, earmuff, unearmuff, transfer"}
	}
	if err := a.order(r, do); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// order lets the exchange do something with a leg of the application.
func (a *API) order(r *request, do core.Request) error {
	_, err := a.ask(r, core.OfApp{App: r.app.ID, Do: do})
	return err
}

// transfer gives a leg another NCCO. One that has to be fetched is fetched after
// the response: an application that does one thing at a time could not give it
// before.
func (a *API) transfer(w http.ResponseWriter, r *request, body object) error {
	to, ok := body.object("destination")
	if !ok {
		return &mistake{name: "destination", reason: "is required"}
	}
	to.word("type", "ncco")
	ncco, inline := to.get("ncco")
	fetch := to.url("url")
	switch {
	case to.failed():
		return to.err()
	case inline == (fetch != ""):
		return &mistake{name: "destination", reason: "must have either url or ncco"}
	case !inline:
		return a.transferByURL(w, r, fetch)
	}
	verbs, err := a.parser(r.app).Parse(ncco)
	if err != nil {
		return &mistake{name: "destination.ncco", reason: detail(err)}
	}
	if err := a.order(r, flow.Replace{Leg: r.leg(), Verbs: verbs}); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) transferByURL(w http.ResponseWriter, r *request, url string) error {
	it, ok := a.legs.get(r.app.ID, r.leg())
	if !ok {
		return notFound()
	}
	about := core.Consult{
		Kind: core.ConsultAnswer, Leg: it.Leg, Call: it.Call, Edge: it.Edge, Direction: it.Direction,
		From: it.From, To: it.To, Headers: it.headers,
	}
	to := r.app.target(core.Hook{URL: url}, r.app.Answer, http.MethodGet, answerTime)
	j := a.question(r.app, askedAnswer, it.Leg, it.Leg, to, a.answerBody(about))
	j.After = answerWaits
	j.Done = func(res webhook.Result) { a.replace(r, it, res) }
	w.WriteHeader(http.StatusNoContent)
	a.cfg.Hooks.Send(j)
	return nil
}

// replace gives a leg the NCCO that was fetched, or tells what is wrong with it.
func (a *API) replace(r *request, it leg, res webhook.Result) {
	reason := failed(res)
	if res.Err == nil {
		verbs, err := a.parser(r.app).Parse(res.Body)
		if err == nil {
			if err = a.order(r, flow.Replace{Leg: it.Leg, Verbs: verbs}); err != nil {
				a.cfg.Log.Info("a leg is gone before its new NCCO came", "leg", it.Leg, "error", err)
			}
			return
		}
		a.cfg.Log.Warn("application answered with an NCCO that is wrong", "app", r.app.ID, "leg", it.Leg, "error", err)
		reason = reasonOf(err)
	}
	a.outbox.put(outgoing{leg: it.Leg, do: tell, job: func() []webhook.Job {
		if _, lives := a.legs.get(r.app.ID, it.Leg); !lives {
			return nil // nothing is told after its end
		}
		return event(r.app, it.Leg, it.Hook, errorBody(time.Now(), it.Leg, it.Call, reason))
	}})
}
