package exchange

import (
	"slices"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/ring"
)

// To an application each endpoint that it rings is one leg, whatever rings for it: a
// user's devices, one trunk after the other, a group that our own number leads to.
// That leg is virtual: it has a history and no connection. The legs that ring for
// it have connections and no history. Who of them wins takes its name and
// history over.

// virtualFor returns the virtual leg that a node of the hunt in c rings for, nil in a
// call of the house. It begins with the first that rings for it.
func (x *Exchange) virtualFor(c *liveCall, node *ring.Node) *leg {
	if c.added || c.caller.app == nil {
		return nil
	}
	node = node.Endpoint()
	if c.caller.virtual {
		c.caller.node = node
		return c.caller
	}
	for _, l := range c.legs {
		if l.virtual && l.node == node {
			return l
		}
	}
	v, ok := c.caller.app.verb.(flow.Call)
	if !ok {
		return nil
	}
	d := &dialled{limit: v.Limit}
	if i := node.Branch.Endpoint; i > 0 {
		d.endpoint = v.Endpoints[i-1]
	}
	d.detect = d.endpoint.Detects(v.Detect)
	l := x.newVirtual(core.LegID(x.newID()), c.caller.app.app, d)
	l.app.hook, l.node, l.from = v.Hook, node, x.shown(c.caller, v.From, d.endpoint)
	if v.From != "" {
		l.app.from = core.Party{Number: v.From}
	}
	if node.Branch.Endpoint == 0 {
		l.to = x.dir.Callee(node.Target(), "")
		l.app.to = l.to
	}
	x.begin(l, c)
	return l
}

// newVirtual makes a leg without a connection for an endpoint.
func (x *Exchange) newVirtual(id core.LegID, app string, d *dialled) *leg {
	to, edge := d.endpoint.Party(app)
	return &leg{
		LegRef: core.LegRef{Leg: id, Edge: edge}, direction: core.Outbound, virtual: true, to: to,
		app: &programmed{app: app, name: id, headers: d.endpoint.Headers, dialled: d, to: to},
	}
}

// ringsFor notes that the party of a leg which rings for another is alerted.
func (x *Exchange) ringsFor(l *leg) {
	if f := l.face; f != nil && f.virtual && !f.rang {
		f.rang = true
		x.publish(f, core.ChangeRinging)
	}
}

// embody makes l, which won, the leg that it rang for.
func (x *Exchange) embody(f, l *leg) {
	c := f.call
	x.stopTimers(f)
	delete(x.legs, f.Leg)
	c.legs = slices.DeleteFunc(c.legs, func(o *leg) bool { return o == f })
	l.app, l.face, l.begun, l.from, l.rang = f.app, nil, f.begun, f.from, f.rang
	f.virtual = false
	x.named[l.app.name] = l
	if c.caller == f {
		c.caller = l
	}
	x.speaks(l)
}

// vanish is the end of a virtual leg, and of all that rings for it.
func (x *Exchange) vanish(l *leg) {
	c := l.call
	if c.hunt != nil && l.node != nil {
		_, queued := c.hunt.Cancel(l.node)
		x.unqueue(c, queued)
	}
	for _, o := range slices.Clone(c.legs) {
		if o.face == l {
			x.end(o, l.cause, l.reason, 0)
		}
	}
	x.leave(l)
	c.legs = slices.DeleteFunc(c.legs, func(o *leg) bool { return o == l })
	delete(x.legs, l.Leg)
	x.publish(l, core.ChangeEnded)
	x.sweep(l)
	if len(c.legs) == 0 {
		delete(x.calls, c.id)
	}
}

// endVirtual ends all endpoints that still ring in a call.
func (x *Exchange) endVirtual(c *liveCall, cause core.Cause, reason core.Reason) {
	if !c.programmed() {
		return
	}
	for _, l := range slices.Clone(c.legs) {
		if l.virtual {
			x.end(l, cause, reason, 0)
		}
	}
}

// endEndpoints ends the virtual legs whose endpoints nobody can answer any more,
// but the one that a hunt is all about. What the application says to the end of the
// last of them may go on in place of the caller's flow.
func (x *Exchange) endEndpoints(c *liveCall) {
	if !c.programmed() {
		return
	}
	left := 0
	for _, l := range c.legs {
		if l.virtual {
			left++
		}
	}
	for _, l := range slices.Clone(c.legs) {
		if !l.virtual || l == c.caller || !l.node.Over() {
			continue
		}
		cause, code, late := l.node.Outcome()
		v, _ := c.caller.app.verb.(flow.Call)
		if left--; left == 0 && c.hunt.Over() && v.Sync {
			l.app.tells = x.await(c.caller, core.ConsultNotify)
		}
		x.endUnanswered(l, cause, code, late)
	}
}

// endUnanswered ends a virtual leg as its endpoint said, or because its time is over.
func (x *Exchange) endUnanswered(l *leg, cause core.Cause, code int, late bool) {
	if late && cause != core.CauseUnreachable {
		x.end(l, cause, core.ReasonTimeout, code)
		return
	}
	l.app.refused = true
	x.end(l, cause, core.ReasonNone, code)
}
