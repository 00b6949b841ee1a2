package voice

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/webhook"
)

// consult asks an application what the exchange wants to know.
func (a *API) consult(now time.Time, c core.Consult) []webhook.Job {
	app, ok := a.cfg.Apps.App(c.App)
	if !ok {
		a.instruct(c.Turn, flow.Failed, nil, "Unknown application.")
		return nil
	}
	switch c.Kind {
	case core.ConsultAnswer, core.ConsultOnAnswer:
		return a.askAnswer(app, c)
	case core.ConsultInput:
		return a.askEvent(app, c, a.inputBody(now, c))
	case core.ConsultNotify:
		return a.askEvent(app, c, notifyBody(now, c))
	}
	a.instruct(c.Turn, flow.Go, nil, "")
	return nil
}

// askAnswer asks what to do with a leg.
func (a *API) askAnswer(app Application, c core.Consult) []webhook.Job {
	own := app.Answer
	if c.Kind == core.ConsultOnAnswer {
		own = route.Webhook{}
	}
	to := app.target(c.Hook, own, http.MethodGet, answerTime)
	if to.URL == "" {
		a.instruct(c.Turn, flow.Failed, nil, "The application has no answer_url.")
		return nil
	}
	j := a.question(app, askedAnswer, c.Leg, c.Turn.Leg, to, a.answerBody(c))
	j.After = answerWaits
	j.Done = func(r webhook.Result) { a.answer(app, c, r) }
	return []webhook.Job{j}
}

// answer passes on what an application wants done with a leg.
func (a *API) answer(app Application, c core.Consult, r webhook.Result) {
	switch {
	case r.Err != nil:
		a.instruct(c.Turn, flow.Failed, nil, failed(r))
	case r.Status == http.StatusNoContent && c.Kind == core.ConsultOnAnswer:
		a.instruct(c.Turn, flow.Go, nil, "")
	case r.Status == http.StatusNoContent:
		a.instruct(c.Turn, flow.Idle, nil, "")
	default:
		a.run(app, c.Turn, r.Body)
	}
}

// answerBody is what the question about a leg tells of it.
func (a *API) answerBody(c core.Consult) params {
	var p params
	p.text("to", dialled(c))
	if isAppUser(c.From) {
		p.text("from_user", c.From.User.Name)
	} else {
		p.text("from", partyText(c.From))
	}
	p.text("conversation_uuid", conversation(c.Call))
	p.text("uuid", string(c.Leg))
	party := c.From
	if c.Direction == core.Outbound {
		party = c.To
	}
	p.text("endpoint_type", endpointType(party, c.Edge))
	p.text("region_url", a.regionBase())
	for _, h := range c.Headers {
		p.text("SipHeader_"+h.Name, h.Value)
	}
	if c.Custom != "" && json.Valid([]byte(c.Custom)) {
		p.raw("custom_data", compact([]byte(c.Custom)))
	}
	return p
}

// dialled is what was called: what a browser sent as to, as it is, or else the
// party.
func dialled(c core.Consult) string {
	if c.To == (core.Party{}) {
		var custom struct {
			To string `json:"to"`
		}
		if json.Unmarshal([]byte(c.Custom), &custom) == nil {
			return custom.To
		}
	}
	return partyText(c.To)
}

// askEvent tells something that an application may answer with an NCCO.
func (a *API) askEvent(app Application, c core.Consult, body params) []webhook.Job {
	to := app.target(c.Hook, app.Event, http.MethodPost, eventTime)
	if to.URL == "" {
		a.instruct(c.Turn, flow.Go, nil, "")
		return nil
	}
	j := a.question(app, askedEvent, c.Leg, c.Turn.Leg, to, body)
	j.After = answerWaits
	j.Done = func(r webhook.Result) { a.instructed(app, c.Turn, r) }
	return []webhook.Job{j}
}

// notifyBody is what a flow wanted told.
func notifyBody(now time.Time, c core.Consult) params {
	var p params
	p.raw("payload", c.Payload)
	p.text("conversation_uuid", conversation(c.Call))
	p.time("timestamp", now)
	return p
}

// inputBody is what a party keyed or said.
func (a *API) inputBody(now time.Time, c core.Consult) params {
	in := c.Input
	var p params
	if in.Legacy {
		p.text("uuid", string(c.Leg))
		p.text("conversation_uuid", conversation(c.Call))
		p.truth("timed_out", in.TimedOut)
		p.text("dtmf", in.Digits)
		p.time("timestamp", now)
		return p
	}
	p.object("speech", a.speechBody(in))
	var dtmf params
	if in.Keys {
		dtmf.text("digits", in.Digits)
	} else {
		dtmf.null("digits")
	}
	dtmf.truth("timed_out", in.Keys && in.TimedOut)
	p.object("dtmf", dtmf)
	p.party(now, c.From, c.To, c.Leg, c.Call)
	return p
}

// digitBody is one key of which the application wants to know at once.
func digitBody(now time.Time, n core.Notice) params {
	var p, dtmf params
	p.raw("speech", `{"results":[]}`)
	dtmf.text("digits", string(rune(n.Digit)))
	dtmf.truth("timed_out", false)
	p.object("dtmf", dtmf)
	p.party(now, n.From, n.To, n.Leg, n.Call)
	return p
}

func (p *params) party(now time.Time, from, to core.Party, leg core.LegID, call core.CallID) {
	p.text("from", partyText(from))
	p.text("to", partyText(to))
	p.text("uuid", string(leg))
	p.text("conversation_uuid", conversation(call))
	p.time("timestamp", now)
}

// speechBody is what was made of what a party said.
func (a *API) speechBody(in core.InputResult) params {
	var p params
	if !in.Spoken {
		p.raw("results", "[]")
		return p
	}
	switch in.Speech.Reason {
	case core.SpeechSilence:
		p.text("timeout_reason", "end_on_silence_timeout")
	case core.SpeechTooLong:
		p.text("timeout_reason", "max_duration")
	case core.SpeechNone:
		p.text("timeout_reason", "start_timeout")
	}
	if in.Speech.Error != "" {
		p.text("error", in.Speech.Error)
	}
	p.raw("results", jsonList(in.Speech.Results, func(r core.SpeechText) string {
		var one params
		one.text("confidence", strconv.FormatFloat(r.Confidence, 'f', -1, 64))
		one.text("text", r.Text)
		return one.json()
	}))
	if in.Speech.Recording != "" {
		p.text("recording_url", a.fileURL(in.Speech.Recording))
	}
	return p
}
