package exchange

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/ring"
)

// drainTime bounds the wait for LegGone after End: 64*T1 of a BYE or CANCEL
// transaction (RFC 3261 section 17.1.1.1), and some for the edge itself.
const drainTime = 40 * time.Second

// leg is one party's connection.
type leg struct {
	core.LegRef
	call      *liveCall
	direction core.Direction
	from, to  core.Party
	contact   core.ContactID // of an inbound leg: who called; of an outbound: who is called
	state     legState
	begun     time.Time
	answered  time.Time // zero if it was not
	early     bool      // inbound: was told to bring its path up before the answer; outbound: has
	rang      bool      // was told, or told us, that the callee is alerted
	late      bool      // outbound: told us so after its early media, and the caller knows
	joined    bool      // talks with the others of its call
	watches   bool      // supervises; is no party of its call
	line      bool      // counts in Exchange.lines
	slot      string
	took      ring.Takers  // whose turn the call was
	app       *programmed  // what an application has of it; nil is a leg of the house
	virtual   bool         // has no connection yet: others ring for it
	face      *leg         // the virtual leg for which this one rings, unknown to the application
	node      *ring.Node   // of a virtual leg: what rings for it
	hops      uint8        // how many numbers of ours led to it, one after the other
	silence   core.Silence // why nothing is heard of it
	diagnosis string
	quality   core.Quality // of its audio; known when it is over
	timers    timerSet

	// Why it ended or is ending.
	cause  core.Cause
	reason core.Reason
	code   int
}

// legState is where a leg stands. It only ever grows.
type legState uint8

const (
	setup    legState = iota // offered to us, or rung by us
	accepted                 // outbound: its party took the call, media is not up yet
	talking                  // inbound: answered by us; outbound: media is up
	ending                   // ended by us, LegGone is awaited
)

// timerSet is the set of a leg's running timers.
type timerSet uint16

func (s timerSet) running(k core.TimerKind) bool { return s&(1<<k) != 0 }
func (s *timerSet) set(k core.TimerKind)         { *s |= 1 << k }
func (s *timerSet) clear(k core.TimerKind)       { *s &^= 1 << k }

// begin registers a new leg in call c.
func (x *Exchange) begin(l *leg, c *liveCall) {
	l.call, l.begun = c, x.now
	x.legs[l.Leg] = l
	c.legs = append(c.legs, l)
	if !l.virtual {
		c.matrix.Add(l.Leg)
	}
	x.publish(l, core.ChangeBegan)
	if l.direction == core.Inbound {
		x.takeLine(l)
	}
}

// self returns who is at the leg.
func (l *leg) self() core.Party {
	if l.direction == core.Inbound {
		return l.from
	}
	return l.to
}

// live reports whether the leg was not told to end.
func (l *leg) live() bool { return l.state != ending }

// takeLine counts the leg's user as busy, once.
func (x *Exchange) takeLine(l *leg) {
	if user := l.self().User; !l.line && !user.IsZero() {
		l.line = true
		x.lines[user]++
	}
}

func (x *Exchange) leaveLine(l *leg) {
	if !l.line {
		return
	}
	l.line = false
	user := l.self().User
	if x.lines[user]--; x.lines[user] == 0 {
		delete(x.lines, user)
	}
}

// leave undoes what a leg holds while it lives.
func (x *Exchange) leave(l *leg) {
	l.joined = false
	x.stopTimers(l)
	x.leaveLine(l)
	if l.app != nil {
		x.abandon(l)
	}
	x.silent(l)
	x.memory.Talked(l.took, x.now)
	l.took = nil
	if l.slot != "" {
		delete(x.slots, l.slot)
		l.slot = ""
	}
}

// end orders the end of a leg; it is the only place that does. A leg that is
// ending already keeps its first cause.
func (x *Exchange) end(l *leg, cause core.Cause, reason core.Reason, code int) {
	if l.state != setup {
		code = 0 // its INVITE was answered long ago
	}
	if l.state == ending {
		return
	}
	l.state, l.cause, l.reason, l.code = ending, cause, reason, code
	if l.virtual {
		x.vanish(l)
		return
	}
	l.call.matrix.Remove(l.Leg)
	x.leave(l)
	x.emit(core.End{LegRef: l.LegRef, Cause: cause, Reason: reason, Code: code})
	x.startTimer(l, core.TimerDrain, drainTime)
	x.sweep(l)
}

// sweep ends the supervisors of a call whose last party, l, leaves it.
func (x *Exchange) sweep(l *leg) {
	for _, o := range l.call.legs {
		if o != l && o.live() && !o.watches {
			return
		}
	}
	for _, o := range slices.Clone(l.call.legs) {
		if o.watches && o != l {
			x.end(o, l.cause, l.reason, 0)
		}
	}
	if l.call.room != nil {
		x.retire(l.call)
	}
}

// legGone is the last of a leg, and the only way out of the exchange. What it
// means for the others depends on who the leg was; a leg that we ended
// ourselves means nothing any more.
func (x *Exchange) legGone(l *leg, cause core.Cause, code int) {
	surprise := l.state != ending
	if surprise {
		l.cause, l.code = validCause(cause), code
	} else if l.code == 0 {
		l.code = code
	}
	c, talked := l.call, l.joined
	c.matrix.Remove(l.Leg)
	x.leave(l)
	c.legs = slices.DeleteFunc(c.legs, func(o *leg) bool { return o == l })
	delete(x.legs, l.Leg)
	if l.app != nil {
		delete(x.named, l.app.name)
	}
	x.meter.End(x.now, l.Leg)
	x.publish(l, core.ChangeEnded)
	if surprise {
		x.lost(c, l, talked)
		x.sweep(l)
	}
	if len(c.legs) == 0 {
		delete(x.calls, c.id)
	}
}

// validCause returns cause if it is a Q.850 number.
func validCause(cause core.Cause) core.Cause {
	if cause == 0 || cause > 127 {
		return core.CauseInterworking
	}
	return cause
}

func (x *Exchange) startTimer(l *leg, kind core.TimerKind, after time.Duration) {
	l.timers.set(kind)
	x.emit(core.StartTimer{Timer: core.TimerID{Kind: kind, Leg: l.Leg}, After: after})
}

func (x *Exchange) stopTimer(l *leg, kind core.TimerKind) {
	if l.timers.running(kind) {
		l.timers.clear(kind)
		x.emit(core.StopTimer{Timer: core.TimerID{Kind: kind, Leg: l.Leg}})
	}
}

func (x *Exchange) stopTimers(l *leg) {
	for kind := core.TimerRing; kind <= core.TimerAsk && l.timers != 0; kind++ {
		x.stopTimer(l, kind)
	}
}

// publish reports a change of a leg, unless the leg rings for a virtual one, whose
// history counts.
func (x *Exchange) publish(l *leg, kind core.ChangeKind) {
	if l.face != nil {
		return
	}
	change := l.change(kind)
	if kind == core.ChangeEnded {
		change.Cause, change.Reason, change.Code, change.Quality = l.cause, l.reason, l.code, l.quality
		change.ByUs = l.state == ending
		if l.app != nil {
			x.ended(l, &change)
		}
	}
	x.emit(core.Publish{Change: change})
}

func (l *leg) change(kind core.ChangeKind) core.LegChange {
	change := core.LegChange{
		Kind: kind, Leg: l.Leg, Call: l.call.id, Edge: l.Edge, Direction: l.direction, From: l.from, To: l.to,
	}
	if l.app != nil {
		l.app.tell(&change)
	}
	return change
}

// newID mints a version 4 UUID (RFC 9562 section 5.4) from the seeded source.
func (x *Exchange) newID() string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], x.ids.Uint64())
	binary.LittleEndian.PutUint64(b[8:], x.ids.Uint64())
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[:8], b[:4])
	s[8] = '-'
	hex.Encode(s[9:13], b[4:6])
	s[13] = '-'
	hex.Encode(s[14:18], b[6:8])
	s[18] = '-'
	hex.Encode(s[19:23], b[8:10])
	s[23] = '-'
	hex.Encode(s[24:], b[10:])
	return string(s[:])
}
