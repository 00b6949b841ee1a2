package exchange

import (
	"errors"
	"slices"

	"github.com/offhook/offhook/internal/core"
)

// asked carries out a request about legs that exist, and replies.
func (x *Exchange) asked(ev core.Asked) {
	reply := core.Reply{Ask: ev.Ask}
	l, err := x.do(ev.Do, &reply)
	if l != nil {
		reply.Call = l.call.id
	}
	reply.Err = err
	if ev.Ask != 0 {
		x.emit(reply)
	}
}

// do dispatches a request. It returns the leg that it is about.
func (x *Exchange) do(req core.Request, reply *core.Reply) (l *leg, err error) {
	switch req := req.(type) {
	case core.Transfer:
		l, err = x.with(req.Leg, func(l *leg) error { return x.transfer(l, req.To, req.Replaces, false) })
		if place := x.leg(req.Replaces); err == nil && place != nil {
			l = place // in whose call the others meet
		}
		return l, err
	case core.Pickup:
		return x.withTwo(req.By, req.Leg, x.pickup)
	case core.Park:
		return x.with(req.Leg, func(l *leg) (err error) {
			reply.Slot, err = x.park(l, req.Slot, false)
			return err
		})
	case core.Retrieve:
		if req.Leg != "" {
			return x.withTwo(req.By, req.Leg, x.unparkFor)
		}
		return x.with(req.By, func(by *leg) error { return x.retrieve(by, req.Slot) })
	case core.Merge:
		return x.withTwo(req.Leg, req.With, x.merge)
	case core.AddParty:
		return x.with(req.Leg, func(l *leg) error { return x.addParty(l, req.To, req.Mode) })
	case core.Supervise:
		return x.withTwo(req.Leg, req.Target, func(l, target *leg) error { return x.supervise(l, target, req.Mode) })
	case core.Release:
		return x.with(req.Leg, func(l *leg) error {
			x.letGo(l)
			return nil
		})
	case core.Hold:
		return x.with(req.Leg, func(l *leg) error {
			if !l.joined {
				return refuse(core.Conflict, l, "the leg is in no conversation")
			}
			x.legHeld(l, req.Held)
			return nil
		})
	case core.Mute:
		return x.with(req.Leg, func(l *leg) error {
			x.mute(l, req.Muted)
			x.showSilenced(l, false, req.Muted)
			return nil
		})
	case core.SuperviseCall:
		return x.superviseCall(req, reply)
	case core.Dismiss:
		return x.with(req.Leg, x.dismiss)
	case core.ReleaseCall:
		return nil, x.inCall(req.Call, func(c *liveCall) error {
			x.release(c, core.CauseNormal, core.ReasonNone)
			return nil
		})
	case core.SetHear:
		return nil, x.inCall(req.Call, func(c *liveCall) error { return x.setHear(c, req.Pairs) })
	case core.Snapshot:
		reply.Calls, reply.More, err = x.snapshot(req)
		return nil, err
	case core.Within:
		if l := x.leg(req.Do.LegID()); l == nil || l.call.id != req.Call {
			return nil, &core.Error{Op: "exchange", Call: req.Call, Leg: req.Do.LegID(), Kind: core.NotFound, Err: errNoLeg}
		}
		return x.do(req.Do, reply)
	}
	return x.doProgrammed(req, reply)
}

var (
	errNoCall = errors.New("no such call")
	errNoLeg  = errors.New("no such leg")
)

// inCall does something to a call with a leg that lives.
func (x *Exchange) inCall(id core.CallID, do func(*liveCall) error) error {
	c := x.calls[id]
	if c == nil || !slices.ContainsFunc(c.legs, (*leg).live) {
		return &core.Error{Op: "exchange", Call: id, Kind: core.NotFound, Err: errNoCall}
	}
	return do(c)
}

// with does something to a leg that lives.
func (x *Exchange) with(id core.LegID, do func(*leg) error) (*leg, error) {
	l := x.leg(id)
	if l == nil || !l.live() || l.face != nil {
		return nil, &core.Error{Op: "exchange", Leg: id, Kind: core.NotFound, Err: errNoLeg}
	}
	return l, do(l)
}

func (x *Exchange) withTwo(a, b core.LegID, do func(l, m *leg) error) (*leg, error) {
	return x.with(a, func(l *leg) error {
		_, err := x.with(b, func(m *leg) error { return do(l, m) })
		return err
	})
}

// hangup ends a leg as if its party had hung up.
func (x *Exchange) hangup(l *leg, cause core.Cause) { x.finish(l, cause, core.ReasonNone, 0) }
