package exchange

import (
	"slices"
	"strconv"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/route"
)

// parkReturn is how long who parked a call is rung when nobody took it.
const parkReturn = 30 * time.Second

// slotNamed returns the slot that l means by to, "" for any that is free: that is
// the number before the first slot. Only users of the house have slots.
func (x *Exchange) slotNamed(l *leg, to string) (slot string, ok bool) {
	n, err := strconv.Atoi(to)
	user, slots := l.self().User, x.dir.Parking()
	if err != nil || user.IsZero() || user.App != "" || n < slots.First-1 || n > slots.Last {
		return "", false
	}
	if n == slots.First-1 {
		return "", true
	}
	return to, true
}

// freeSlot returns the first slot without a call, "" if there is none.
func (x *Exchange) freeSlot() string {
	slots := x.dir.Parking()
	for n := slots.First; n <= slots.Last; n++ {
		if slot := strconv.Itoa(n); x.slots[slot] == nil {
			return slot
		}
	}
	return ""
}

// park puts a leg that talks with one other into a slot. The other ends, and is
// told first if it asked by REFER; it is rung again when nobody takes the parked
// leg in time.
func (x *Exchange) park(l *leg, slot string, notify bool) (string, error) {
	c := l.call
	by := c.other(l)
	if by == nil || !c.talking() || c.programmed() {
		return "", refuse(core.Conflict, l, "the leg does not talk with exactly one other")
	}
	if slot == "" {
		slot = x.freeSlot()
	}
	slots := x.dir.Parking()
	switch n, err := strconv.Atoi(slot); {
	case slot == "":
		return "", refuse(core.Unavailable, l, "no park slot is free")
	case err != nil || n < slots.First || n > slots.Last || strconv.Itoa(n) != slot:
		return "", refuse(core.Invalid, l, "no such park slot: "+slot)
	case x.slots[slot] != nil:
		return "", refuse(core.Conflict, l, "park slot is taken: "+slot)
	}
	c.caller = l
	x.part(l)
	if notify {
		x.emit(core.TransferProgress{LegRef: by.LegRef, Code: 200, Final: true})
	}
	x.end(by, core.CauseNormal, core.ReasonNone, 0)
	c.flow = flow.New(flow.Park{Slot: slot, Timeout: time.Duration(slots.Timeout)}, flow.Connect{Dial: backTo(by)})
	x.run(c, c.flow.Current())
	return slot, nil
}

// parked starts the verb.
func (x *Exchange) parked(c *liveCall, verb flow.Park) {
	l := c.caller
	l.slot = verb.Slot
	x.slots[verb.Slot] = l
	change := l.change(core.ChangeParked)
	change.Slot = verb.Slot
	x.emit(core.Publish{Change: change})
	c.matrix.Play(l.Leg, core.Sound{Kind: core.SoundHold})
	x.hear(c)
	x.startTimer(l, core.TimerPark, verb.Timeout)
}

// backTo rings who parked a call, nobody if that was no user.
func backTo(by *leg) *route.Dial {
	d := &route.Dial{Timeout: parkReturn, Hears: core.Sound{Kind: core.SoundHold}}
	if user := by.self().User; !user.IsZero() {
		d.Branches = []route.Branch{{Target: core.Target{User: user}, Timeout: parkReturn}}
	}
	return d
}

// unpark frees a leg's slot. The music goes on until the leg hears something else.
func (x *Exchange) unpark(l *leg) {
	delete(x.slots, l.slot)
	l.slot = ""
	x.stopTimer(l, core.TimerPark)
}

func (x *Exchange) parkTimedOut(l *leg) {
	x.unpark(l)
	x.next(l.call, flow.Outcome{})
}

// retrieve lets by talk with who is parked in a slot.
func (x *Exchange) retrieve(by *leg, slot string) error {
	l := x.slots[slot]
	if l == nil {
		return refuse(core.NotFound, by, "nobody is parked in "+slot)
	}
	if !x.free(by) || by.app != nil {
		return refuse(core.Conflict, by, "the leg is in a call")
	}
	x.unpark(l)
	x.attach(by, l.call)
	x.talk(l.call, l, by)
	return nil
}

// unparkFor lets by talk with l, which is parked.
func (x *Exchange) unparkFor(by, l *leg) error {
	if l.slot == "" {
		return refuse(core.Conflict, l, "the leg is not parked")
	}
	return x.retrieve(by, l.slot)
}

// free reports whether a leg can be taken into another call: it was just offered,
// or has nobody to talk with.
func (x *Exchange) free(l *leg) bool {
	c := l.call
	if !l.live() || l.watches || l.virtual || l.face != nil || l.app != nil && !l.idle() || l.slot != "" || c.hunt != nil || c.winner != nil || c.referrer != nil {
		return false
	}
	alone := !slices.ContainsFunc(c.legs, func(o *leg) bool { return o != l && o.live() && !o.watches })
	return alone && (l.direction == core.Inbound || l.state == talking)
}

// attach moves a free leg into another call.
func (x *Exchange) attach(l *leg, to *liveCall) {
	x.stopTimer(l, core.TimerPlay)
	x.stopTimer(l, core.TimerAsk)
	l.call.matrix.Play(l.Leg, core.Sound{})
	from := l.call
	x.move(l, to)
	x.unwatch(from)
}

// unwatch ends the supervisors of a call whose parties have all gone elsewhere.
func (x *Exchange) unwatch(c *liveCall) {
	if slices.ContainsFunc(c.legs, func(o *leg) bool { return o.live() && !o.watches }) {
		return
	}
	for _, o := range slices.Clone(c.legs) {
		x.end(o, core.CauseNormal, core.ReasonNone, 0)
	}
}

// talk makes a conversation of two legs of a call, the first its caller.
func (x *Exchange) talk(c *liveCall, caller, l *leg) {
	c.caller, c.flow = caller, flow.New(flow.Talk{})
	x.join(c, caller, l)
	x.publishBridged(caller, l)
	x.publishBridged(l, caller)
}
