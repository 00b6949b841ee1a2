package voice

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/webhook"
)

// The default time-outs of webhooks.
const (
	connectTime = time.Second
	answerTime  = 5 * time.Second
	eventTime   = 10 * time.Second
	// answerWaits is how long the question what to do with a leg waits until what was
	// told of the leg before has arrived.
	answerWaits = 2 * time.Second
)

// target is where a webhook goes: where the application wanted it, or else where
// it wants all of them. The URL is "" if it wants none.
func (app Application) target(hook core.Hook, own route.Webhook, method string, timeout time.Duration) webhook.Target {
	if hook.URL != "" {
		return webhook.Target{
			URL: hook.URL, Method: cmp.Or(hook.Method, method), ConnectTimeout: connectTime, Timeout: timeout,
			Foreign: !app.trusted(hook.URL),
		}
	}
	return webhook.Target{
		URL: own.URL, Method: cmp.Or(own.Method, method),
		ConnectTimeout: cmp.Or(time.Duration(own.ConnectTimeout), connectTime),
		Timeout:        cmp.Or(time.Duration(own.Timeout), timeout),
	}
}

// trusted says whether a URL leads where the application may lead us, wherever that is.
func (app Application) trusted(text string) bool {
	u, err := url.Parse(text)
	return err == nil && app.Trusts(u.Hostname(), route.PortOf(u), false)
}

// job is a webhook about a leg.
func job(app Application, about core.LegID, to webhook.Target, body params) webhook.Job {
	j := webhook.Job{Queue: string(about), App: app.ID, Target: to, Params: body}
	if !app.Unsigned && app.Signature != "" {
		j.Sign = &webhook.Signer{Key: []byte(app.Signature.Reveal()), APIKey: app.APIKey, App: app.ID}
	}
	return j
}

// The kinds of questions, as a fallback hears of them.
const (
	askedAnswer = "answer"
	askedEvent  = "event"
)

// question is a job whose answer may be an NCCO for the leg named of. If there is no
// answer, whom the request that made the leg named is asked, or else whom the
// application names.
func (a *API) question(app Application, kind string, about, of core.LegID, to webhook.Target, body params) webhook.Job {
	j := job(app, about, to, body)
	it, _ := a.legs.get(app.ID, of)
	if next := app.target(it.fallback, app.Fallback, http.MethodGet, to.Timeout); next.URL != "" {
		j.Fallback = &webhook.Fallback{Target: next, Type: kind}
	}
	return j
}

// event is a job whose answer means nothing. It survives the end of the program.
func event(app Application, about core.LegID, hook core.Hook, body params) []webhook.Job {
	to := app.target(hook, app.Event, http.MethodPost, eventTime)
	if to.URL == "" {
		return nil
	}
	j := job(app, about, to, body)
	j.Durable = true
	return []webhook.Job{j}
}

// failed says, for the application, why it gave no answer.
func failed(r webhook.Result) string {
	return "Webhook failed: " + strings.TrimSuffix(cmp.Or(r.Reason, "no answer"), ".") + "."
}

// instructed passes on what an application answered to a question that it need not
// answer with an NCCO.
func (a *API) instructed(app Application, turn core.Turn, r webhook.Result) {
	switch {
	case r.Err != nil:
		a.instruct(turn, flow.Failed, nil, failed(r))
	case !isArray(r.Body):
		a.instruct(turn, flow.Go, nil, "")
	default:
		a.run(app, turn, r.Body)
	}
}

// run lets a leg run an NCCO.
func (a *API) run(app Application, turn core.Turn, ncco []byte) {
	verbs, err := a.parser(app).Parse(ncco)
	if err != nil {
		a.cfg.Log.Warn("application answered with an NCCO that is wrong", "app", app.ID, "leg", turn.Leg, "error", err)
		a.instruct(turn, flow.Failed, nil, reasonOf(err))
		return
	}
	a.instruct(turn, flow.Run, verbs, "")
}

// isArray says whether a text looks like an NCCO.
func isArray(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(text, []byte(byteOrderMark))), []byte{'['})
}

// anyOf returns one of numbers, "" if there is none.
func anyOf(numbers []string) string {
	if len(numbers) == 0 {
		return ""
	}
	return numbers[rand.IntN(len(numbers))]
}
