package exchange

import (
	"slices"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/call"
	"github.com/offhook/offhook/internal/core/flow"
)

// roomName names a conversation of an application.
type roomName struct{ app, name string }

// room is what a call has that is a conversation of an application.
type room struct {
	roomName
	started bool         // who enters talks; before, everybody waits
	wanted  *flow.Record // a recording to begin when it starts
	wants   *leg         // who wants it
	record  *recording
}

// inRoom reports whether a leg is a member of the conversation that its call is.
func (l *leg) inRoom() bool { return l.app != nil && l.app.room != nil }

// members returns who is in a conversation.
func (c *liveCall) members() (legs []*leg) {
	for _, l := range c.legs {
		if l.live() && l.inRoom() {
			legs = append(legs, l)
		}
	}
	return legs
}

// converse takes a leg into the conversation of a name, where it stays.
func (x *Exchange) converse(l *leg, v flow.Converse) (waits bool) {
	if l == l.call.winner {
		x.complain(l, core.ReasonSyntax) // a callee is to be joined with who called
		return false
	}
	name := roomName{l.app.app, v.Name}
	c := x.rooms[name]
	if c == nil {
		c = x.newRoom(name)
	}
	x.enter(l, c, v)
	return l.inRoom()
}

func (x *Exchange) newRoom(name roomName) *liveCall {
	c := x.openCall(nil, flow.Talk{})
	c.room = &room{roomName: name}
	x.rooms[name] = c
	return c
}

// enter takes a leg into a conversation, unless that is full. Who is in it already
// only gets what v says.
func (x *Exchange) enter(l *leg, c *liveCall, v flow.Converse) {
	from := l.call
	app, _ := x.dir.Application(c.room.app)
	if from != c && len(c.members()) >= app.MostMembers() {
		x.complain(l, core.ReasonCrowded)
		return
	}
	if from != c {
		x.relocate(l, c)
		x.unwatch(from)
	}
	if c.caller == nil {
		c.caller = l
	}
	l.app.room = &v
	c.room.started = c.room.started || v.StartOnEnter
	x.speaks(l)
	x.wantRecord(l, v)
	x.mingle(c)
	if from != c {
		x.publishMoved(l, core.ChangeMoved, from)
	}
}

// mingle lets the members of a conversation talk, or wait until it starts, and
// orders who hears whom. Members may name each other before they are there, so
// all is said anew whenever somebody enters.
func (x *Exchange) mingle(c *liveCall) {
	for _, l := range c.members() {
		v := l.app.room
		switch {
		case !c.room.started:
			c.matrix.Play(l.Leg, v.Music)
		case !l.joined:
			l.joined = true
			c.matrix.Join(l.Leg)
		}
		c.matrix.Encircle(l.Leg, x.circle(v.Speaks), x.circle(v.Hears))
	}
	x.startRoomRecord(c)
	x.hear(c)
}

// circle finds the legs that are named in a circle of a conversation.
func (x *Exchange) circle(c *flow.Circle) *call.Circle {
	if c == nil {
		return nil
	}
	legs := make(call.Circle, 0, len(c.Legs))
	for _, id := range c.Legs {
		if l := x.leg(id); l != nil {
			legs = append(legs, l.Leg)
		}
	}
	return &legs
}

// speaks lets the voice of a leg be heard, unless it is muted, by request or as the
// conversation wants it.
func (x *Exchange) speaks(l *leg) {
	p := l.app
	l.call.matrix.Mute(l.Leg, p.muted || p.room != nil && p.room.Mute)
	l.call.matrix.Earmuff(l.Leg, p.deaf)
}

func (x *Exchange) wantRecord(l *leg, v flow.Converse) {
	r := l.call.room
	if v.Record != nil && r.record == nil && (r.wanted == nil || r.wants.call != l.call) {
		r.wanted, r.wants = v.Record, l
	}
}

// startRoomRecord begins the recording of a conversation that has started.
func (x *Exchange) startRoomRecord(c *liveCall) {
	r := c.room
	if !r.started || r.wanted == nil || r.wants.call != c {
		return
	}
	r.record = &recording{call: c}
	x.beginRecord(r.record, r.wants, *r.wanted)
	r.wanted = nil
}

// memberGone goes on with a conversation that a member has left by ending.
func (x *Exchange) memberGone(c *liveCall, l *leg) {
	if l.app.room.EndOnExit {
		x.release(c, core.CauseNormal, core.ReasonNone)
		return
	}
	x.roomLeft(c, c.caller == l)
}

// roomLeft goes on with a conversation that a member has left; led says that it was
// the one for whom somebody may be rung. One without members is over, whoever else
// is in the call.
func (x *Exchange) roomLeft(c *liveCall, led bool) {
	members := c.members()
	switch {
	case len(members) == 0:
		x.release(c, core.CauseNormal, core.ReasonNone)
		x.retire(c)
	case led:
		x.handOver(c, members[0])
	default:
		x.hear(c)
	}
}

// retire frees the name of a conversation that is over; who uses it again begins
// another.
func (x *Exchange) retire(c *liveCall) {
	if x.rooms[c.room.roomName] == c {
		delete(x.rooms, c.room.roomName)
	}
	if r := c.room.record; r != nil {
		x.stopRecord(r)
	}
	c.room.wanted = nil
}

// moveAll takes all who talk in the call of a leg into a conversation, where they
// stay.
func (x *Exchange) moveAll(l *leg, v flow.MoveAll) (waits bool) {
	to := x.calls[v.To]
	if to == nil || to.room == nil || to.room.app != l.app.app || x.rooms[to.room.roomName] != to || l == l.call.winner {
		x.complain(l, core.ReasonNoTarget)
		return false
	}
	stay := flow.Converse{Name: to.room.name, StartOnEnter: true, Speaks: v.Speaks, Hears: v.Hears, Mute: v.Mute}
	for _, o := range slices.Clone(l.call.legs) {
		if o == l || o.live() && o.joined && o.app != nil {
			x.enter(o, to, stay)
		}
	}
	return l.inRoom()
}
