package voice

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/webhook"
)

// noMoney is what a leg costs here.
const noMoney = "0.00000000"

// changed makes the webhook of a change. An application that waits for its answer
// is asked with it.
func (a *API) changed(now time.Time, it leg) []webhook.Job {
	app, ok := a.cfg.Apps.App(it.App)
	var body params
	if ok {
		body = changeBody(now, it)
	}
	if body == nil {
		if it.Turn != (core.Turn{}) {
			a.instruct(it.Turn, flow.Go, nil, "")
		}
		return nil
	}
	if it.Turn != (core.Turn{}) {
		return a.askWith(app, it, body)
	}
	var jobs []webhook.Job
	if it.handedOver && it.Kind != core.ChangeEnded {
		jobs = event(app, it.Leg, it.Hook, statusBody(now, it, statusStarted)) // as of any other leg
	}
	jobs = append(jobs, event(app, it.Leg, it.Hook, body)...)
	for i := range jobs {
		jobs[i].Overtaken = it.Kind == core.ChangeAnswered
		jobs[i].Last = it.Kind == core.ChangeEnded
	}
	return jobs
}

// askWith tells of a change and takes an NCCO for an answer.
func (a *API) askWith(app Application, it leg, body params) []webhook.Job {
	to := app.target(it.Hook, app.Event, http.MethodPost, eventTime)
	if to.URL == "" {
		a.instruct(it.Turn, flow.Go, nil, "")
		return nil
	}
	j := a.question(app, askedEvent, it.Leg, it.Turn.Leg, to, body)
	j.Durable, j.Last = true, it.Kind == core.ChangeEnded // after a kill nobody asks any more, but it is told
	j.Done = func(r webhook.Result) { a.instructed(app, it.Turn, r) }
	return []webhook.Job{j}
}

// changeBody is what is told of a change; nil is nothing.
func changeBody(now time.Time, it leg) params {
	switch it.Kind {
	case core.ChangeMoved:
		return transferBody(now, it)
	case core.ChangeBegan, core.ChangeRinging:
		return statusBody(now, it, it.status)
	case core.ChangeAnswered:
		p := statusBody(now, it, statusAnswered)
		p.null("start_time", "rate", "network")
		return p
	case core.ChangeHuman:
		return answererBody(now, it, statusHuman, "")
	case core.ChangeMachine:
		return answererBody(now, it, statusMachine, "")
	case core.ChangeBeep:
		return answererBody(now, it, statusMachine, "beep_start")
	case core.ChangeNoBeep:
		return answererBody(now, it, statusMachine, "beep_timeout")
	case core.ChangeClosed:
		return statusBody(now, it, statusDisconnected)
	case core.ChangeEnded:
		return endBody(now, it)
	default:
		return nil
	}
}

// statusBody is what all events with a status have.
func statusBody(now time.Time, it leg, status string) params {
	var p params
	p.text("from", partyText(it.From))
	p.text("to", partyText(it.To))
	p.text("uuid", string(it.Leg))
	p.text("conversation_uuid", conversation(it.Call))
	p.text("status", status)
	p.text("direction", it.Direction.String())
	p.time("timestamp", now)
	p.raw("headers", headers(it.headers, it.Edge))
	return p
}

// answererBody tells who answered. Some read the leg from call_uuid, as it is
// documented for these events alone, some from uuid.
func answererBody(now time.Time, it leg, status, sub string) params {
	p := statusBody(now, it, status)
	p.text("call_uuid", string(it.Leg))
	if sub != "" {
		p.text("sub_state", sub)
	}
	return p
}

// transferBody tells that a leg is in another conversation now. It has no status:
// applications know the event by that.
func transferBody(now time.Time, it leg) params {
	var p params
	p.text("conversation_uuid_from", conversation(it.Left))
	p.text("type", "transfer")
	p.text("uuid", string(it.Leg))
	p.text("conversation_uuid_to", conversation(it.Call))
	p.time("timestamp", now)
	return p
}

// endBody is the last that is told of a leg.
func endBody(now time.Time, it leg) params {
	status, detail := outcome(it.LegChange)
	p := statusBody(now, it, status)
	if status == statusCompleted {
		p.optionalTime("start_time", it.answered)
		p.time("end_time", now)
		p.text("duration", duration(it.talked))
		p.text("rate", noMoney)
		p.text("price", noMoney)
		p.text("network", "")
		p.text("disconnected_by", disconnectedBy(it.ByUs))
	}
	if detail != "" {
		p.text("detail", detail)
	}
	if code := sipCode(it.LegChange, status); code != 0 {
		p.number("sip_code", int64(code))
	}
	return p
}

func disconnectedBy(us bool) string {
	if us {
		return "platform"
	}
	return "user"
}

// duration is how long a leg talked, in whole seconds.
func duration(talked time.Duration) string {
	return strconv.FormatInt(int64(math.Round(talked.Seconds())), 10)
}

func (p *params) optionalTime(name string, at time.Time) {
	if at.IsZero() {
		p.null(name)
		return
	}
	p.time(name, at)
}

// notice makes the webhook of what an application is not asked about.
func (a *API) notice(now time.Time, n core.Notice) []webhook.Job {
	app, ok := a.cfg.Apps.App(n.App)
	if !ok {
		return nil
	}
	if n.Kind == core.NoticeDigit {
		return event(app, n.Leg, n.Hook, digitBody(now, n))
	}
	return event(app, n.Leg, n.Hook, errorBody(now, n.Leg, n.Call, n.Reason))
}

// errorBody tells that something went wrong.
func errorBody(now time.Time, leg core.LegID, call core.CallID, reason string) params {
	var p params
	p.text("reason", reason)
	p.text("conversation_uuid", conversation(call))
	p.text("uuid", string(leg))
	p.time("timestamp", now)
	return p
}
