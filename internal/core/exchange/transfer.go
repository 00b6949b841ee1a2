package exchange

import (
	"cmp"
	"errors"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/route"
)

// transferAsked serves a REFER. What becomes of it is told by TransferProgress.
// While one is under way another from the same leg means nothing.
func (x *Exchange) transferAsked(l *leg, ev core.TransferAsked) {
	if l == l.call.referrer && l.call.notify {
		return
	}
	if err := x.transfer(l, ev.To, ev.Replaces, true); err != nil {
		x.emit(core.TransferProgress{LegRef: l.LegRef, Code: statusFor(err), Final: true})
	}
}

// statusFor is what a phone is told about a request that failed.
func statusFor(err error) int {
	switch core.KindOf(err) {
	case core.Invalid:
		return 400
	case core.Forbidden, core.Unauthorized:
		return 403
	case core.NotFound:
		return 404
	case core.Conflict:
		return 481
	case core.Unavailable:
		return 480
	case core.Internal:
	}
	return 500
}

// transfer sends whom l talks with elsewhere: into a park slot, to whom another
// leg of the same party talks with, or to a number or user. What l may reach is
// what it may dial.
func (x *Exchange) transfer(l *leg, to string, replaces core.LegID, notify bool) error {
	c := l.call
	other := c.other(l)
	if c.programmed() {
		return refuse(core.Conflict, l, "the call is an application's")
	}
	if other == nil || !c.talking() {
		return refuse(core.Conflict, l, "the leg does not talk with exactly one other")
	}
	if replaces != "" {
		return x.transferAttended(l, other, x.leg(replaces), notify)
	}
	if slot, ok := x.slotNamed(l, to); ok {
		_, err := x.park(other, slot, notify)
		return err
	}
	plan := x.plan(l.self(), to)
	if plan.Dial == nil {
		return refuse(kindOf(plan), l, "not to be reached from here: "+to)
	}
	c.caller, c.referrer, c.notify = other, l, notify
	x.part(l)
	x.part(other)
	x.hear(c)
	x.transferring(c, 100, false)
	c.diverts = 0
	c.flow = flow.New(flow.Connect{Dial: plan.Dial, Dialled: plan.To.Number})
	x.run(c, c.flow.Current())
	if c.referrer != l && !notify {
		return refuse(core.Unavailable, l, "nobody is there: "+to)
	}
	return nil
}

// kindOf is the kind of error that a plan which rings nobody is.
func kindOf(plan route.Plan) core.Kind {
	if plan.Refusal == nil {
		return core.NotFound // an application decides, and takes no transferred calls
	}
	switch plan.Refusal.Code {
	case 403:
		return core.Forbidden
	case 404, 484:
		return core.NotFound
	}
	return core.Unavailable
}

// transferAttended connects whom l talks with and whom place, another leg of
// the same party, talks with or rings for. Both of the party's legs end.
func (x *Exchange) transferAttended(l, other, place *leg, notify bool) error {
	switch {
	case place == nil || !place.live() || place.call == l.call:
		return refuse(core.NotFound, l, "no other leg to replace")
	case !sameParty(l, place):
		return refuse(core.Forbidden, l, "the leg to replace is somebody else's")
	case !x.replaceable(place):
		return refuse(core.Conflict, l, "the leg to replace neither talks nor waits for an answer")
	}
	if notify {
		x.emit(core.TransferProgress{LegRef: l.LegRef, Code: 200, Final: true})
	}
	x.takeOver(place, other)
	x.end(l, core.CauseNormal, core.ReasonNone, 0)
	return nil
}

// sameParty reports whether two legs are the same user's or trunk's.
func sameParty(a, b *leg) bool {
	p, q := a.self(), b.self()
	return p.User == q.User && p.Trunk == q.Trunk && p != (core.Party{})
}

// replaceable reports whether another leg can take the place of l: it talks, or
// is a caller for whom somebody rings.
func (x *Exchange) replaceable(l *leg) bool {
	c := l.call
	if c.referrer != nil || c.winner != nil || c.added || c.programmed() {
		return false
	}
	return l.joined && c.hunt == nil || l == c.caller && c.hunt != nil
}

// takeOver lets by, which talks or has just been offered, take the place of a
// replaceable leg in its call; place ends.
func (x *Exchange) takeOver(place, by *leg) {
	c := place.call
	talks, peer := place.joined, c.other(place)
	x.move(by, c)
	if c.caller == place {
		x.stopTimer(place, core.TimerRing)
		c.caller = by
	}
	x.part(place)
	x.end(place, core.CauseNormal, core.ReasonNone, 0)
	if !talks { // by waits for the answer now
		x.part(by)
		x.answer(by)
		x.rearm(c)
		x.ringback(c)
		return
	}
	if c.caller == by {
		c.flow = flow.New(flow.Talk{})
	}
	x.join(c, by)
	if peer != nil && peer != by {
		x.publishBridged(by, peer)
		x.publishBridged(peer, by)
	}
}

// transferring tells who asked for a transfer how it goes.
func (x *Exchange) transferring(c *liveCall, code int, final bool) {
	if c.referrer != nil && c.notify {
		x.emit(core.TransferProgress{LegRef: c.referrer.LegRef, Code: code, Final: final})
	}
}

// transferred ends the leg that sent the caller on, who is connected now.
func (x *Exchange) transferred(c *liveCall) {
	if l := c.referrer; l != nil {
		x.transferring(c, 200, true)
		c.referrer = nil
		x.end(l, core.CauseNormal, core.ReasonNone, 0)
	}
}

// returned gives the caller back to who sent it on, for nobody took the call.
func (x *Exchange) returned(c *liveCall, o flow.Outcome) {
	x.transferring(c, cmp.Or(o.Code, 480), true)
	l := c.referrer
	c.referrer = nil
	c.flow = flow.New(flow.Talk{})
	x.join(c, c.caller, l)
}

// refuse makes the error for a request that does not fit.
func refuse(kind core.Kind, l *leg, why string) error {
	e := &core.Error{Op: "exchange", Kind: kind, Err: errors.New(why)}
	if l != nil {
		e.Leg, e.Call = l.Leg, l.call.id
	}
	return e
}
