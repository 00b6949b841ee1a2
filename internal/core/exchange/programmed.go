package exchange

import (
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

const (
	// askTime bounds the wait for an application's answer: two attempts at its URL
	// and two at its fallback take less.
	askTime = 60 * time.Second
	// earlyTime is how long an application may leave a leg unanswered.
	earlyTime = 180 * time.Second
)

// programmed is what an application has of a leg: the flow that it runs, and where
// the application is told.
type programmed struct {
	app     string
	name    core.LegID // what the application calls the leg
	hook    core.Hook
	headers []core.Header
	custom  string
	to      core.Party // who was called, as the application put it
	from    core.Party // who calls, likewise; zero is who it is, and not always what the callee sees
	dialled *dialled   // how it was rung; nil: it was offered to us

	verbs []flow.Verb // what comes after verb
	verb  flow.Verb   // what runs and is waited for, nil if nothing is

	turn    uint32           // of the last question
	asked   core.ConsultKind // that is waited for, 0 if none is
	waiting uint32           // its turn
	aside   uint32           // the turn of a question that nothing waits for, 0 if there is none

	playing []core.Sound // by Say, the first one now
	barge   bool         // keys and speech end them
	keys    *keying      // of a running Input
	taking  *recording   // of a running Record that is waited for
	records []*recording
	watch   *core.Hook // told of every key
	room    *flow.Converse
	muted   bool // by the application; it outlives a conversation's own
	deaf    bool

	refused bool      // it ended as the far end wanted, before anybody answered
	tells   core.Turn // asked with its last change
}

// name returns what applications and operators call the leg.
func (l *leg) name() core.LegID {
	if l.app != nil {
		return l.app.name
	}
	return l.Leg
}

// idle reports whether a leg of an application does nothing.
func (l *leg) idle() bool {
	p := l.app
	return p.verb == nil && p.asked == 0 && len(p.verbs) == 0 && p.room == nil && !l.joined
}

// programmed reports whether an application steers the call.
func (c *liveCall) programmed() bool { return c.room != nil || c.caller.app != nil }

// names returns what applications call legs of the call.
func (c *liveCall) names(legs []core.LegID) []core.LegID {
	names := make([]core.LegID, 0, len(legs))
	for _, id := range legs {
		for _, l := range c.legs {
			if l.Leg == id {
				id = l.name()
				break
			}
		}
		names = append(names, id)
	}
	return names
}

// tell adds to a change what the application is told of it.
func (p *programmed) tell(c *core.LegChange) {
	c.Leg, c.App, c.Hook = p.name, p.app, p.hook
	if p.dialled != nil {
		c.To = p.to
	}
	if p.from != (core.Party{}) {
		c.From = p.from
	}
	if c.Kind == core.ChangeBegan {
		c.Headers = p.headers
	}
}

// ended adds to the last change of a leg what the application is told of it.
func (x *Exchange) ended(l *leg, c *core.LegChange) {
	c.Answered = !l.answered.IsZero()
	c.ByUs = c.ByUs && !l.app.refused
	c.Turn = l.app.tells
}

// offeredTo lets an application decide about a leg that is offered to us.
func (x *Exchange) offeredTo(app string, l *leg, ev core.Offered) {
	l.app = &programmed{app: app, name: l.Leg, headers: ev.Headers, custom: ev.Custom}
	c := x.newCall(l, flow.Talk{})
	x.emit(core.Progress{LegRef: l.LegRef})
	l.rang = true
	x.publish(l, core.ChangeRinging)
	x.consult(c.caller, core.Consult{Kind: core.ConsultAnswer})
}

// handOverTo lets an application decide about a caller whom a group did not take.
func (x *Exchange) handOverTo(app string, c *liveCall) {
	l := c.caller
	l.app = &programmed{app: app, name: l.Leg}
	c.matrix.Play(l.Leg, core.Sound{})
	x.hear(c)
	x.publish(l, core.ChangeRinging)
	x.consult(l, core.Consult{Kind: core.ConsultAnswer})
}

// hookOf is where an application is told of what an action does: where that says, or
// else where it is told of the leg.
func (p *programmed) hookOf(action core.Hook) core.Hook {
	if action.URL == "" {
		return p.hook
	}
	return action
}

// consult asks the application of a leg, whose flow waits for the answer.
func (x *Exchange) consult(l *leg, q core.Consult) {
	q.Turn = x.await(l, q.Kind)
	about := l.change(0)
	q.App, q.Leg, q.Call, q.Edge, q.Direction = about.App, about.Leg, about.Call, about.Edge, about.Direction
	q.From, q.To, q.Headers, q.Custom = about.From, about.To, l.app.headers, l.app.custom
	x.emit(q)
}

// await makes the flow of a leg wait for an answer of the application.
func (x *Exchange) await(l *leg, kind core.ConsultKind) core.Turn {
	p := l.app
	p.turn++
	p.asked, p.waiting = kind, p.turn
	x.startTimer(l, core.TimerAsk, askTime)
	return core.Turn{Leg: p.name, No: p.turn}
}

// unasked forgets the question that the flow of a leg waits for.
func (x *Exchange) unasked(l *leg) {
	l.app.asked, l.app.waiting = 0, 0
	x.stopTimer(l, core.TimerAsk)
}

// complain tells the application that something in a flow went wrong.
func (x *Exchange) complain(l *leg, reason string) {
	if reason != "" {
		x.notice(l, core.Notice{Kind: core.NoticeError, Hook: l.app.hook, Reason: reason})
	}
}

func (x *Exchange) notice(l *leg, n core.Notice) {
	about := l.change(0)
	n.App, n.Leg, n.Call, n.From, n.To = about.App, about.Leg, about.Call, about.From, about.To
	x.emit(n)
}

// applyProgrammed dispatches what only legs of applications know.
func (x *Exchange) applyProgrammed(l *leg, ev core.LegEvent) {
	switch ev := ev.(type) {
	case flow.Instructed:
		x.instructed(l, ev)
	case core.SpeechBegan:
		x.speechBegan(l, ev.Turn)
	case core.SpeechHeard:
		x.speechHeard(l, ev.Turn, ev.Result)
	case core.AnswererKnown:
		x.answererKnown(l, ev.Who)
	case core.LegClosed:
		x.closed(l)
	}
}

// instructed takes an application's answer. One that comes after its question was
// settled otherwise means nothing.
func (x *Exchange) instructed(l *leg, ev flow.Instructed) {
	p := l.app
	switch {
	case ev.Turn.No != 0 && ev.Turn.No == p.aside:
		x.advised(l, ev)
		return
	case p.asked == 0 || ev.Turn.No != p.waiting:
		return
	}
	asked := p.asked
	x.unasked(l)
	if ev.Kind == flow.Failed {
		x.complain(l, ev.Reason)
	}
	switch {
	case asked == core.ConsultAnswer:
		x.firstInstructed(l, ev)
	case ev.Kind != flow.Run:
		x.answeredVerb(l)
	default:
		p.verbs = ev.Verbs
		x.answeredVerb(l)
	}
}

// answeredVerb goes on after an answer, unless a callee who has said goodbye is not
// gone yet.
func (x *Exchange) answeredVerb(l *leg) {
	if _, calls := l.app.verb.(flow.Call); !calls {
		x.verbOver(l)
	}
}

// firstInstructed takes the answer to what a leg without a flow shall do.
func (x *Exchange) firstInstructed(l *leg, ev flow.Instructed) {
	switch {
	case ev.Kind == flow.Run:
		l.app.verbs = ev.Verbs
		x.step(l)
	case ev.Kind == flow.Failed:
		x.letGo(l)
	case l.state == setup:
		x.startTimer(l, core.TimerAsk, earlyTime)
	}
}

// askDue goes on without an application that does not answer, or left a leg
// unanswered for too long.
func (x *Exchange) askDue(l *leg) {
	if l.app.asked == 0 {
		x.letGo(l)
		return
	}
	x.instructed(l, flow.Instructed{Turn: core.Turn{Leg: l.app.name, No: l.app.waiting}, Kind: flow.Failed})
}

// letGo ends a leg as if we had hung up; one that was offered is refused.
func (x *Exchange) letGo(l *leg) {
	if l.app != nil && l.direction == core.Inbound && l.state == setup {
		x.finish(l, core.CauseNoAnswer, core.ReasonNone, 480)
		return
	}
	x.hangup(l, core.CauseNormal)
}

// finish ends a leg by our own will, and goes on with its call without it.
func (x *Exchange) finish(l *leg, cause core.Cause, reason core.Reason, code int) {
	c, talked := l.call, l.joined
	x.end(l, cause, reason, code)
	x.lost(c, l, talked)
}

// abandon undoes what the flow of a leg holds while the leg lives.
func (x *Exchange) abandon(l *leg) {
	p := l.app
	x.stopListening(l)
	for _, r := range p.records {
		x.stopRecord(r)
	}
	p.verbs, p.verb, p.asked, p.waiting, p.aside = nil, nil, 0, 0, 0
	p.playing, p.records, p.taking, p.watch = nil, nil, nil, nil
}
