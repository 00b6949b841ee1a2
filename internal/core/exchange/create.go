package exchange

import (
	"cmp"
	"math"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/route"
)

// rate is how many legs an application may begin at the moment.
type rate struct {
	left float64
	at   time.Time
}

// mayBegin takes the right to begin a leg, if the application has one: as many a
// second as its rate says, of which those of one second may come at once. A Call
// is one, however many it rings.
func (x *Exchange) mayBegin(app string) bool {
	a, _ := x.dir.Application(app)
	perSecond := a.CallsRate()
	most := max(1, math.Ceil(perSecond))
	r := x.rates[app]
	if r == nil {
		r = &rate{left: most, at: x.now}
		x.rates[app] = r
	}
	if passed := x.now.Sub(r.at); passed > 0 {
		r.left, r.at = min(most, r.left+passed.Seconds()*perSecond), x.now
	}
	if r.left < 1 {
		return false
	}
	r.left--
	return true
}

// create rings somebody for an application; the leg begins in a call of its own.
func (x *Exchange) create(req flow.Create) (*leg, error) {
	_, known := x.dir.Application(req.App)
	switch {
	case !known:
		return nil, refuse(core.NotFound, nil, "no such application")
	case req.Leg == "" || x.leg(req.Leg) != nil:
		return nil, refuse(core.Conflict, nil, "the leg has no name of its own")
	case x.draining:
		return nil, refuse(core.Unavailable, nil, "the node takes no new calls")
	case !x.mayBegin(req.App):
		return nil, &core.Error{Op: "exchange", Kind: core.Unavailable, Err: core.ErrTooFast}
	}
	l := x.newVirtual(req.Leg, req.App, &dialled{
		endpoint: req.Endpoint, detect: req.Endpoint.Detects(req.Detect), limit: req.Limit,
		created: true, verbs: req.Verbs, answer: req.Answer,
	})
	l.app.hook = req.Hook
	l.from, l.app.from = req.From, req.From
	l.from.Number = x.dir.Shown(req.App, req.From.Number)
	timeout := cmp.Or(req.Timeout, route.DefaultAppRingTimeout)
	branch := x.dir.AppBranch(x.request(l.from, ""), req.App, req.Endpoint.Target(), timeout)
	c := x.newCall(l, flow.Talk{})
	x.connect(c, flow.Connect{Dial: route.AppDial(req.App, []route.Branch{branch}, timeout)})
	return l, nil
}

// doProgrammed dispatches the requests of applications.
func (x *Exchange) doProgrammed(req core.Request, reply *core.Reply) (*leg, error) {
	switch req := req.(type) {
	case core.OfApp:
		if l := x.leg(req.Do.LegID()); l == nil || l.app == nil || l.app.app != req.App || !x.allOf(req.App, req.Do) {
			return nil, &core.Error{Op: "exchange", Leg: req.Do.LegID(), Kind: core.NotFound, Err: errNoLeg}
		}
		return x.do(req.Do, reply)
	case flow.Create:
		return x.create(req)
	case flow.Replace:
		return x.with(req.Leg, func(l *leg) error { return x.replaceFlow(l, req.Verbs) })
	case core.Earmuff:
		return x.with(req.Leg, func(l *leg) error {
			x.earmuff(l, req.On)
			x.showSilenced(l, true, req.On)
			return nil
		})
	case core.Inject:
		return x.with(req.Leg, func(l *leg) error { return x.inject(l, req) })
	case core.Key:
		return x.with(req.Leg, func(l *leg) error { return x.sendKeys(l, req.Digits) })
	case core.WatchKeys:
		return x.with(req.Leg, func(l *leg) error { return x.watchKeys(l, req) })
	}
	return nil, refuse(core.Invalid, nil, "no such request")
}

// allOf reports whether the other legs that a request names are an application's.
func (x *Exchange) allOf(app string, do core.Request) bool {
	var others []core.LegID
	switch do := do.(type) {
	case core.Supervise:
		others = []core.LegID{do.Leg}
	case core.SuperviseCall:
		others = []core.LegID{do.Leg}
	case core.SetHear:
		for _, p := range do.Pairs {
			others = append(others, p.From, p.To)
		}
	case core.Merge:
		others = []core.LegID{do.With}
	case core.Transfer:
		others = []core.LegID{do.Replaces}
	case core.Pickup:
		others = []core.LegID{do.Leg, do.By}
	case core.Retrieve:
		others = []core.LegID{do.Leg, do.By}
	}
	for _, id := range others {
		if l := x.leg(id); id != "" && (l == nil || l.app == nil || l.app.app != app) {
			return false
		}
	}
	return true
}
