package exchange

import (
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/call"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/ring"
)

// liveCall is one call: its legs, who hears whom, and the flow of its caller.
type liveCall struct {
	id     core.CallID
	seq    uint64 // order of beginning on this node
	begun  time.Time
	matrix call.Call
	legs   []*leg // in order of beginning or joining
	caller *leg   // whose flow the call runs, and for whom everything rings
	flow   *flow.Flow

	// Of a running Connect, or of a party that is being added.
	connect flow.Connect
	hunt    *ring.Hunt // until somebody accepts; else nil
	due     time.Time  // when TimerRing fires
	winner  *leg       // who accepted and has no media yet; else nil
	alerted bool       // a callee is alerted
	heard   bool       // the caller hears, or heard, the callee's early media
	added   bool       // the callee is to join a conversation that goes on
	coach   coaching   // or to supervise it
	diverts int        // fall-throughs taken
	queues  []*trunk   // where candidates wait, or waited

	room *room // of a conversation of an application

	referrer *leg // who sent the caller on and learns how it goes; else nil
	notify   bool // by TransferProgress
}

// newCall returns a call with one leg, l, which runs its flow.
func (x *Exchange) newCall(l *leg, verbs ...flow.Verb) *liveCall {
	c := x.openCall(l, verbs...)
	x.begin(l, c)
	return c
}

// openCall returns a call without legs; caller, which may be nil, is to become its own.
func (x *Exchange) openCall(caller *leg, verbs ...flow.Verb) *liveCall {
	x.begun++
	c := &liveCall{id: core.CallID(x.newID()), seq: x.begun, begun: x.now, caller: caller, flow: flow.New(verbs...)}
	x.calls[c.id] = c
	return c
}

// talkers returns who talks in the call, supervisors apart.
func (c *liveCall) talkers() (legs []*leg) {
	for _, l := range c.legs {
		if l.joined {
			legs = append(legs, l)
		}
	}
	return legs
}

// talking reports whether the call is a conversation and nothing else is under way.
func (c *liveCall) talking() bool {
	return c.hunt == nil && c.winner == nil && c.referrer == nil && c.caller.joined
}

// other returns whom l talks with, if there is exactly one.
func (c *liveCall) other(l *leg) *leg {
	talkers := c.talkers()
	switch {
	case len(talkers) != 2 || !l.joined:
		return nil
	case talkers[0] == l:
		return talkers[1]
	}
	return talkers[0]
}

// run starts a verb of the caller's flow, and those after it that need not wait.
func (x *Exchange) run(c *liveCall, verb flow.Verb) {
	for ; !verb.Waits(); verb = c.flow.Next(flow.Outcome{}) {
		x.start(c, verb)
	}
	x.start(c, verb)
}

// start sees to what a verb needs and starts it.
func (x *Exchange) start(c *liveCall, verb flow.Verb) {
	switch verb.Needs() {
	case flow.NeedEarly:
		x.progress(c)
	case flow.NeedAnswer:
		x.answer(c.caller)
	case flow.NeedNothing:
	}
	switch verb := verb.(type) {
	case flow.Connect:
		x.connect(c, verb)
	case flow.Announce:
		c.matrix.Play(c.caller.Leg, verb.Sound)
		x.hear(c)
		x.startTimer(c.caller, core.TimerPlay, longest(verb.Sound))
	case flow.Play:
		c.matrix.Play(c.caller.Leg, verb.Sound)
		x.hear(c)
	case flow.Park:
		x.parked(c, verb)
	case flow.Hangup:
		x.end(c.caller, verb.Cause, core.ReasonNone, verb.Code)
	}
}

// next ends the running verb and starts the one that follows.
func (x *Exchange) next(c *liveCall, o flow.Outcome) {
	x.run(c, c.flow.Next(o))
}

// lost says what the end of a leg from its own side means for its call. talked
// is whether it was joined.
func (x *Exchange) lost(c *liveCall, l *leg, talked bool) {
	switch {
	case l.watches:
		x.hear(c) // nobody hears it any more
	case c.room != nil && l.inRoom():
		x.memberGone(c, l)
	case l == c.referrer:
		c.referrer = nil // the transfer goes on without anybody to return to
	case l == c.caller:
		x.callerGone(c, talked)
	case l == c.winner:
		x.winnerGone(c, l)
	case l.virtual:
		x.advanceHunt(c)
	case talked:
		x.settle(c)
	default:
		x.candidateGone(c, l)
	}
}

// callerGone ends what a caller leaves behind: a conversation of two, or
// everything that rings for it. Several others talk on.
func (x *Exchange) callerGone(c *liveCall, talked bool) {
	if others := c.talkers(); len(others) > 1 {
		x.handOver(c, others[0])
		return
	}
	if c.referrer != nil {
		x.transferring(c, 480, true)
		x.end(c.referrer, core.CauseNormal, core.ReasonNone, 0)
	}
	switch {
	case talked:
		x.release(c, core.CauseNormal, core.ReasonNone)
	case c.caller.cause == core.CauseElsewhere:
		// Somebody took it at an exchange before ours: no missed call here either.
		x.release(c, core.CauseElsewhere, core.ReasonElsewhere)
	default:
		x.release(c, core.CauseNormal, core.ReasonCallerGone)
	}
}

// handOver makes another talking leg the caller of its call.
func (x *Exchange) handOver(c *liveCall, to *leg) {
	c.caller, c.flow = to, flow.New(flow.Talk{})
	if c.hunt != nil {
		x.rearm(c)
	}
	x.hear(c)
}

// settle ends the conversation of a caller whom everybody else has left.
func (x *Exchange) settle(c *liveCall) {
	if c.programmed() {
		x.calleeLeft(c)
	} else if c.talking() && len(c.talkers()) < 2 {
		x.part(c.caller)
		x.next(c, flow.Outcome{Connected: true, Cause: core.CauseNormal})
	}
	x.hear(c)
}

// release ends all legs of a call and its hunt. It relies on nothing but the
// list of legs, so that it is safe in every state, also in a broken one.
func (x *Exchange) release(c *liveCall, cause core.Cause, reason core.Reason) {
	if c.hunt != nil {
		c.hunt.Stop()
		x.stopHunt(c)
	}
	c.winner, c.referrer = nil, nil
	for _, l := range slices.Clone(c.legs) {
		x.end(l, cause, reason, 0)
	}
}

// join lets legs of c talk with all others who do, and answers who waits for it.
func (x *Exchange) join(c *liveCall, legs ...*leg) {
	for _, l := range legs {
		l.joined = true
		c.matrix.Join(l.Leg)
	}
	x.hear(c) // before the answer, so that no word is lost
	for _, l := range legs {
		x.answer(l)
	}
}

// part takes a leg out of the conversation; it stays in the call.
func (x *Exchange) part(l *leg) {
	l.joined = false
	l.call.matrix.Part(l.Leg)
}

// move takes a leg from its call into another, where it does what it did here.
func (x *Exchange) move(l *leg, to *liveCall) {
	from := l.call
	if from == to {
		return
	}
	x.relocate(l, to)
	x.publishMoved(l, core.ChangeMoved, from)
	x.hear(from)
}

// relocate is move without a word to anybody. Rows of both calls are to be ordered.
func (x *Exchange) relocate(l *leg, to *liveCall) {
	from := l.call
	from.matrix.Move(l.Leg, &to.matrix)
	from.legs = slices.DeleteFunc(from.legs, func(o *leg) bool { return o == l })
	if from.caller == l && len(from.legs) > 0 {
		from.caller, from.flow = from.legs[0], flow.New(flow.Talk{})
	}
	l.call = to
	to.legs = append(to.legs, l)
	if len(from.legs) == 0 {
		delete(x.calls, from.id)
	}
}

// publishMoved reports that a leg is in another call than from now.
func (x *Exchange) publishMoved(l *leg, kind core.ChangeKind, from *liveCall) {
	change := l.change(kind)
	change.Left = from.id
	x.emit(core.Publish{Change: change})
}

// answer answers an incoming leg, once.
func (x *Exchange) answer(l *leg) {
	x.stopTimer(l, core.TimerAnswer)
	if l.state != setup || l.direction != core.Inbound {
		return
	}
	l.state, l.answered = talking, x.now
	x.emit(core.Answer{LegRef: l.LegRef, Peers: l.call.peers(l)})
	x.publish(l, core.ChangeAnswered)
}

// progress lets the caller hear us before the answer, once.
func (x *Exchange) progress(c *liveCall) { x.bringUp(c.caller) }

// bringUp lets an incoming leg hear us before the answer, once.
func (x *Exchange) bringUp(l *leg) {
	if l.state != setup || l.early || l.direction != core.Inbound {
		return
	}
	l.early = true
	x.emit(core.Progress{LegRef: l.LegRef, Early: true, Peers: l.call.peers(l)})
}

// peers counts whom the codec of l shall suit.
func (c *liveCall) peers(l *leg) core.Peers {
	if c.hunt != nil {
		return c.hunt.Peers()
	}
	if c.winner != nil {
		return peersOf(c.winner)
	}
	var p core.Peers
	for _, o := range c.talkers() {
		if o != l {
			p.Browsers += peersOf(o).Browsers
			p.Phones += peersOf(o).Phones
			p.Trunks += peersOf(o).Trunks
		}
	}
	return p
}

func peersOf(l *leg) core.Peers {
	switch {
	case l.self().Trunk != "":
		return core.Peers{Trunks: 1}
	case l.Edge == core.EdgeBrowser:
		return core.Peers{Browsers: 1}
	}
	return core.Peers{Phones: 1}
}

// legHeld notes a hold by a leg's own phone.
func (x *Exchange) legHeld(l *leg, held bool) {
	if !l.call.matrix.Hold(l.Leg, held) {
		return
	}
	kind := core.ChangeResumed
	if held {
		kind = core.ChangeHeld
	}
	x.publish(l, kind)
	x.hear(l.call)
}

// soundOver notes that a sound came to its end, or could not be played, as why says.
func (x *Exchange) soundOver(l *leg, sound core.Sound, why string) {
	c := l.call
	if x.injectionOver(l, sound, why) || l.app != nil && x.saidOrFailed(l, sound, why) {
		return
	}
	if verb, ok := c.flow.Current().(flow.Announce); ok && l == c.caller && verb.Sound == sound {
		x.announced(l)
		return
	}
	if c.hunt != nil && l.state == talking && c.hunt.Confirms(l.Leg).Prompt == sound {
		x.askToConfirm(l)
	}
}

// longest returns how long an announcement may last.
func longest(sound core.Sound) time.Duration {
	if sound.Kind == core.SoundFile {
		return fileTime
	}
	return playTime
}

// playDue ends a sound whose end was never reported.
func (x *Exchange) playDue(l *leg) {
	if l.app != nil {
		x.sayDue(l)
		return
	}
	x.announced(l)
}

// announced ends the announcement that the caller heard.
func (x *Exchange) announced(l *leg) {
	x.stopTimer(l, core.TimerPlay)
	l.call.matrix.Play(l.Leg, core.Sound{})
	x.next(l.call, flow.Outcome{})
}

// hear orders the rows of the call that changed.
func (x *Exchange) hear(c *liveCall) {
	x.rows = c.matrix.Rows(x.rows[:0])
	for _, row := range x.rows {
		x.emit(row)
	}
	if len(x.records) > 0 {
		x.rechannel(c)
	}
	if talkers := c.talkers(); len(talkers) > 0 {
		x.boundSilence(c, talkers[0]) // who is silent already may have come together only now
	}
}
