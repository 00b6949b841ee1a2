package exchange

import (
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/route"
)

// offered takes in a new incoming leg, in a call of its own.
func (x *Exchange) offered(ev core.Offered) {
	if ev.Leg == "" || x.leg(ev.Leg) != nil {
		return // two legs never have one name; an edge that repeats itself changes nothing
	}
	l := &leg{
		LegRef:    core.LegRef{Leg: ev.Leg, Edge: ev.Edge},
		direction: core.Inbound, contact: ev.Contact,
		from: x.dir.Caller(ev.From, core.Target{}, ""), to: core.Party{Number: ev.To}, hops: ev.Hops,
	}
	if ev.Edge == core.EdgeLoop {
		x.follow(l, ev, x.dir.PlanOwn(x.request(ev.From, ev.To)))
		return
	}
	if !x.draining && x.feature(l, ev) {
		return
	}
	x.follow(l, ev, x.plan(ev.From, ev.To))
}

// follow lets an incoming leg go where its plan leads.
func (x *Exchange) follow(l *leg, ev core.Offered, plan route.Plan) {
	l.to = plan.To
	if plan.App != "" && !x.draining {
		x.offeredTo(plan.App, l, ev)
		return
	}
	c := x.newCall(l, x.verbs(plan)...)
	x.run(c, c.flow.Current())
}

// plan asks the directory whom a call of from reaches.
func (x *Exchange) plan(from core.Party, dialled string) route.Plan {
	return x.dir.Plan(x.request(from, dialled))
}

func (x *Exchange) request(from core.Party, dialled string) route.Request {
	return route.Request{
		Now: x.now, From: from, Dialled: dialled,
		Down:   func(trunk string) bool { return x.down[trunk] },
		Random: x.dice.IntN,
	}
}

// verbs turns a plan into the caller's flow.
func (x *Exchange) verbs(plan route.Plan) []flow.Verb {
	switch {
	case x.draining:
		return []flow.Verb{flow.Hangup{Cause: core.CauseTempFailure, Code: 503}}
	case plan.Dial != nil:
		return []flow.Verb{flow.Connect{Dial: plan.Dial, Dialled: plan.To.Number}}
	case plan.Refusal == nil:
		return []flow.Verb{flow.Hangup{}}
	}
	hangup := flow.Hangup{Cause: plan.Refusal.Cause, Code: plan.Refusal.Code}
	if plan.Refusal.Sound.IsZero() {
		return []flow.Verb{hangup}
	}
	return []flow.Verb{flow.Announce{Sound: plan.Refusal.Sound}, hangup}
}
