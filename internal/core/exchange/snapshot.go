package exchange

import (
	"cmp"
	"slices"

	"github.com/offhook/offhook/internal/core"
)

// maxSnapshot bounds how many calls one Snapshot copies: the loop waits for it.
const maxSnapshot = 1000

// snapshot returns live calls by value, the oldest first.
func (x *Exchange) snapshot(req core.Snapshot) (calls []core.LiveCall, more bool, err error) {
	if req.Call != "" {
		err = x.inCall(req.Call, func(c *liveCall) error {
			call, _ := c.live()
			calls = append(calls, call)
			return nil
		})
		return calls, false, err
	}
	if req.Limit < 1 || req.Limit > maxSnapshot {
		return nil, false, refuse(core.Invalid, nil, "a snapshot has 1 to 1000 calls")
	}
	later := make([]*liveCall, 0, len(x.calls))
	for _, c := range x.calls {
		if c.seq > req.After {
			later = append(later, c)
		}
	}
	slices.SortFunc(later, func(a, b *liveCall) int { return cmp.Compare(a.seq, b.seq) })
	for _, c := range later {
		call, lives := c.live()
		switch {
		case !lives:
		case len(calls) == req.Limit:
			return calls, true, nil
		default:
			calls = append(calls, call)
		}
	}
	return calls, false, nil
}

// live returns the call as it stands, and whether any of its legs was not told to end.
func (c *liveCall) live() (call core.LiveCall, lives bool) {
	call = core.LiveCall{ID: c.id, Seq: c.seq, Begun: c.begun, Legs: make([]core.LiveLeg, 0, len(c.legs))}
	for _, l := range c.legs {
		if l.live() && l.face == nil {
			call.Legs = append(call.Legs, l.stands())
		}
	}
	return call, len(call.Legs) > 0
}

// stands returns the leg as it stands.
func (l *leg) stands() core.LiveLeg {
	out := l.call.matrix.Look(l.Leg)
	if l.call.programmed() {
		out.Hears.From = l.call.names(out.Hears.From)
	}
	out.LegRef, out.Direction, out.From, out.To = l.LegRef, l.direction, l.from, l.to
	out.Leg = l.name()
	out.Silence, out.Diagnosis = l.silence, l.diagnosis
	out.State, out.Begun, out.Answered, out.Slot = l.standing(), l.begun, l.answered, l.slot
	return out
}

// standing says how far the leg is.
func (l *leg) standing() core.LegState {
	c := l.call
	switch {
	case l.slot != "":
		return core.StateParked
	case l.watches:
		return core.StateSupervising
	case c.hunt != nil && c.hunt.Confirms(l.Leg).Key != 0:
		return core.StateConfirming
	case l.state == accepted || l.state == talking:
		return core.StateAnswered
	case l.early:
		return core.StateEarly
	case l.rang:
		return core.StateRinging
	}
	return core.StateTrying
}
