package exchange

import (
	"strings"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// pickupCode, dialled before a user's name, picks up a call that rings there.
const pickupCode = "*8"

// feature serves a new leg that does not call somebody but joins a call that
// exists: INVITE with Replaces (RFC 3891), or a code dialled by a user of the
// house. It reports false for every other leg.
func (x *Exchange) feature(l *leg, ev core.Offered) bool {
	user := ev.From.User
	house := !user.IsZero() && user.App == ""
	name, picksUp := strings.CutPrefix(ev.To, pickupCode)
	switch {
	case ev.Replaces != "":
		x.feat(l, func() error { return x.replace(l, x.leg(ev.Replaces)) }, 481)
	case house && x.slots[ev.To] != nil:
		x.feat(l, func() error { return x.retrieve(l, ev.To) }, 480)
	case house && picksUp && name != "":
		x.feat(l, func() error { return x.pickupUser(l, core.UserID{Name: name}) }, 480)
	default:
		return false
	}
	return true
}

// feat takes a leg in and does what it wants; otherwise it is refused with code.
func (x *Exchange) feat(l *leg, do func() error, code int) {
	c := x.newCall(l, flow.Hangup{Cause: core.CauseNoRoute, Code: code})
	if do() != nil {
		x.run(c, c.flow.Current())
	}
}

// replace lets an offered leg pick up one that rings, or take the place of
// another leg of the same user.
func (x *Exchange) replace(by, place *leg) error {
	switch {
	case place == nil || !place.live() || by.self().User.IsZero() || by.self().User.App != place.call.app():
		return refuse(core.NotFound, by, "no such leg")
	case place.call.hunt != nil && place.call.hunt.Ringing(place.Leg):
		return x.pickup(by, place)
	case !sameParty(by, place) || !x.replaceable(place):
		return refuse(core.Forbidden, by, "not the same user's leg")
	}
	x.takeOver(place, by)
	return nil
}

// app returns the application whose users meet in the call, "" for the house.
func (c *liveCall) app() string {
	for _, l := range c.legs {
		if app := l.self().User.App; app != "" {
			return app
		}
	}
	return ""
}

// pickupUser picks up the oldest call that rings at a user.
func (x *Exchange) pickupUser(by *leg, user core.UserID) error {
	calls := x.callsWhere(func(c *liveCall) bool { return c.hunt != nil && !c.added && c.ringsAt(user) != nil })
	if len(calls) == 0 {
		return refuse(core.NotFound, by, "nothing rings there")
	}
	return x.pickup(by, calls[0].ringsAt(user))
}

// ringsAt returns a leg that rings at user, nil if there is none.
func (c *liveCall) ringsAt(user core.UserID) *leg {
	for _, l := range c.legs {
		if l.live() && l.direction == core.Outbound && l.to.User == user && c.hunt.Ringing(l.Leg) {
			return l
		}
	}
	return nil
}
