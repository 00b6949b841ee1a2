package voice

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/route"
)

// askTime bounds the wait for the exchange, which answers at once unless the
// machine is overloaded.
const askTime = 5 * time.Second

// createCall serves POST /v1/calls and /v2/calls. What is told of the new leg is
// kept back until the response is written: applications learn from it which leg
// the webhooks are about.
func (a *API) createCall(w http.ResponseWriter, r *request) error {
	body, err := r.body(w)
	if err != nil {
		return err
	}
	order := a.creation(r.app, body)
	fallback := core.Hook{URL: body.url("fallbackUrl"), Method: body.method("fallbackMethod")}
	if err := body.err(); err != nil {
		return err
	}
	a.legs.expect(order.Leg, fallback)
	tellIt := a.outbox.hold(order.Leg)
	reply, err := a.ask(r, order)
	if err != nil {
		a.legs.unexpect(order.Leg)
		tellIt(false)
		return err
	}
	defer tellIt(true)
	var p params
	p.text("uuid", string(order.Leg))
	p.text("status", statusStarted)
	p.text("direction", core.Outbound.String())
	p.text("conversation_uuid", conversation(a.callOf(r.app.ID, order.Leg, reply)))
	status := http.StatusCreated
	if isV2(r.URL.Path) {
		status = http.StatusAccepted
	}
	writeJSON(w, status, p.json())
	_ = http.NewResponseController(w).Flush() // a client that is gone waits for nothing
	return nil
}

func isV2(path string) bool { return len(path) > 3 && path[:4] == "/v2/" }

// callOf is the call that a new leg is in.
func (a *API) callOf(app string, id core.LegID, reply core.Reply) core.CallID {
	it, _ := a.legs.get(app, id)
	return cmp.Or(reply.Call, it.Call)
}

// ask lets the exchange do something for an application, also if the client does
// not wait for it.
func (a *API) ask(r *request, do core.Request) (core.Reply, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), askTime)
	defer cancel()
	return a.cfg.Exchange.Ask(ctx, do)
}

// creation reads what kind of leg to make.
func (a *API) creation(app Application, o object) flow.Create {
	c := flow.Create{
		Leg: newLegID(), App: app.ID,
		From:    o.from(app),
		Hook:    o.hook(),
		Timeout: seconds(float64(o.integer("ringingTimer", 60, 1, 120))),
		Limit:   seconds(float64(o.integer("lengthTimer", 7200, 1, 86400))),
		Detect:  o.detection(),
	}
	to, _ := o.list("to")
	if len(to) != 1 {
		o.fail("to", "must be a list of one endpoint")
		return c
	}
	endpoint := newObject(to[0], "to[0]", o.wrong)
	endpoint.at = "" // errors name its fields alone
	c.Endpoint = endpoint.endpoint(app.ID)
	a.instructions(app, o, &c)
	return c
}

// instructions reads what the leg shall do when it has answered.
func (a *API) instructions(app Application, o object, c *flow.Create) {
	c.Answer = core.Hook{URL: o.url("answerUrl"), Method: o.method("answerMethod")}
	ncco, inline := o.get("ncco")
	switch {
	case inline && c.Answer.URL != "":
		o.fail("ncco", "does not go with answer_url")
	case inline:
		verbs, err := a.parser(app).Parse(ncco)
		if err != nil {
			o.fail("ncco", detail(err))
		}
		c.Verbs = verbs
	case c.Answer.URL == "":
		o.fail("answer_url", "is required, or ncco")
	}
}

// from reads who calls, as the callee shall see it.
func (o object) from(app Application) core.Party {
	value, given := o.get("from")
	random := o.truth("randomFromNumber", false)
	switch {
	case random && given:
		o.fail("from", "does not go with random_from_number")
	case random:
		return core.Party{Number: anyOf(app.Numbers)}
	case !given:
		o.fail("from", "is required, or random_from_number")
	}
	if o.failed() {
		return core.Party{}
	}
	if text, err := asText(value); err == nil {
		return core.Party{Number: cmp.Or(route.Normalise(text), limited(text))}
	}
	from := newObject(value, "from", o.wrong)
	switch from.text("type") {
	case "app":
		return core.Party{User: core.UserID{App: app.ID, Name: from.needText(128, "user")}}
	case "sip", "websocket":
		return core.Party{Number: from.needText(maxName, "uri")}
	case "vbc":
		return core.Party{Number: from.needText(64, "extension")}
	case "phone", "":
	default:
		from.fail("type", "must be one of phone, app, sip, websocket, vbc")
	}
	number := from.text("number")
	if number == "" {
		from.fail("number", "is required")
	}
	return core.Party{Number: cmp.Or(route.Normalise(number), limited(number))}
}
