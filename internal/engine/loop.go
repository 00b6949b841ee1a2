package engine

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// legCap is how many events of one leg may wait. A leg posts a few events a
// second at most, and the loop needs microseconds for each.
const legCap = 256

// Config is what a Loop needs. All fields but Socket, Loop, Apps, Turned and DrainLimit are required.
type Config struct {
	Exchange Exchange
	SIP      LegDriver // legs with core.EdgeSIP
	Browser  LegDriver // legs with core.EdgeBrowser
	Socket   LegDriver // legs with core.EdgeSocket; nil if there are none
	Loop     LegDriver // legs with core.EdgeLoop; nil if there are none
	Media    MediaDriver
	Apps     AppDriver // nil if there are no applications
	Events   Publisher
	// Turned, if not nil, is called when the commands of some events were given, and
	// so may begin what came of them. here says that it is called by PostHere, and
	// that its goroutine may be used. Commands of other events may be given meanwhile.
	Turned func(here bool)
	Log    *slog.Logger
	// DrainLimit is how long running calls may go on after Run's context ends.
	// 0 ends them at once.
	DrainLimit time.Duration
}

// Loop applies events to an Exchange, one at a time: whose turn it is (inbox) applies
// them, and nobody waits for a turn. All methods but Run are safe for concurrent use.
type Loop struct {
	cfg    Config
	inbox  *inbox
	timers *timers
	stats  counters

	questions questions
	debug     bool // the log takes debug records; asked once, not at every event
}

// New returns a Loop that does nothing before Run. Events may be posted already.
func New(cfg Config) *Loop {
	l := &Loop{cfg: cfg, inbox: newInbox(legCap), debug: cfg.Log.Enabled(context.Background(), slog.LevelDebug)}
	if l.cfg.Turned == nil {
		l.cfg.Turned = func(bool) {}
	}
	l.timers = newTimers(func(ev core.Event) { l.inbox.put(ev, false) })
	return l
}

// Post hands an event to the loop and returns at once. It fails, with kind
// Unavailable, only after Run returned: the edge then refuses the new leg or
// frees the old one by itself.
func (l *Loop) Post(ev core.Event) error {
	_, err := l.post(ev, false)
	return err
}

// PostHere is Post for a goroutine that holds no lock and does not wait for the loop.
// If nobody applies events just now this goroutine does, with what comes of it: waking
// up another one costs more than that takes.
func (l *Loop) PostHere(ev core.Event) error {
	mine, err := l.post(ev, true)
	if mine {
		for _, ev := range l.inbox.take() {
			l.handle(ev)
		}
		l.inbox.leave()
		l.cfg.Turned(true)
	}
	return err
}

func (l *Loop) post(ev core.Event, here bool) (mine bool, err error) {
	result, mine := l.inbox.put(ev, here)
	switch result {
	case refused:
		return false, errStopped("engine.Post")
	case dropped:
		l.stats.dropped.Add(1)
	case taken:
	}
	return mine, nil
}

// Run applies events that no poster applies, until ctx is cancelled and every leg is
// gone. Cancelling asks the exchange to drain: no new calls, running ones go on until
// they end or the drain limit ends them, with BYEs sent. Run may be called once.
func (l *Loop) Run(ctx context.Context) {
	defer l.timers.stopAll()
	defer l.questions.close()
	stop := ctx.Done()
	for {
		select {
		case <-l.inbox.wake:
		case <-stop:
			stop = nil
			for !l.inbox.keep() {
				<-l.inbox.wake
			}
			limit := l.drain()
			defer limit.Stop()
		}
		if !l.inbox.enter() {
			continue // an old token
		}
		for _, ev := range l.inbox.take() {
			l.handle(ev)
			l.cfg.Turned(false)
		}
		if l.cfg.Exchange.Drained() && l.inbox.shutIfEmpty() {
			return
		}
		l.inbox.rest()
	}
}

// drain tells the exchange to take no new calls and sets the limit for those
// that run.
func (l *Loop) drain() *time.Timer {
	l.cfg.Log.Info("draining", "limit", l.cfg.DrainLimit)
	l.apply(core.Draining{})
	l.cfg.Turned(false)
	return time.AfterFunc(l.cfg.DrainLimit, func() { l.inbox.put(core.Shutdown{}, false) })
}

// handle applies one event from the inbox.
func (l *Loop) handle(ev core.Event) {
	if f, ok := ev.(fired); ok {
		if !l.timers.done(f) {
			return
		}
		ev = core.TimedOut{Timer: f.id}
	}
	l.apply(ev)
}

// apply advances the exchange by one event and carries out what it says. When
// that panics, only the call of the event's leg is released.
func (l *Loop) apply(ev core.Event) {
	now := time.Now()
	l.trace(ev)
	cmds, ok := l.step(now, ev)
	if !ok {
		if asked, isQuestion := ev.(core.Asked); isQuestion {
			l.questions.answer(core.Reply{Ask: asked.Ask, Err: &core.Error{Op: "engine.Ask"}})
		}
		leg := legOf(ev)
		if leg == "" {
			return
		}
		if cmds, ok = l.step(now, core.Broken{Leg: leg}); !ok {
			return
		}
		if o, isOffer := ev.(core.Offered); isOffer && len(cmds) == 0 {
			// The exchange never took the leg in, so nobody else will end it.
			cmds = []core.Command{core.End{LegRef: core.LegRef{Leg: o.Leg, Edge: o.Edge}, Cause: core.CauseTempFailure}}
		}
	}
	for _, cmd := range cmds {
		l.execute(now, cmd)
	}
	l.stats.observe(l.cfg.Exchange.Size())
}

// trace logs every event, for a node that runs with debug logs.
func (l *Loop) trace(ev core.Event) {
	if l.debug {
		l.cfg.Log.Debug("event", "what", fmt.Sprintf("%T", ev), "leg", legOf(ev))
	}
}

// step is Exchange.Apply with panics caught.
func (l *Loop) step(now time.Time, ev core.Event) (cmds []core.Command, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			l.report(p, "apply", ev, legOf(ev))
		}
	}()
	l.stats.events.Add(1)
	return l.cfg.Exchange.Apply(now, ev), true
}

// execute gives one command to whom it is for. A driver that panics costs its
// own call only.
func (l *Loop) execute(now time.Time, cmd core.Command) {
	defer func() {
		if p := recover(); p != nil {
			leg := legOf(cmd)
			l.report(p, "execute", cmd, leg)
			if leg != "" {
				l.inbox.put(core.Broken{Leg: leg}, false)
			}
		}
	}()
	l.stats.commands.Add(1)
	l.dispatch(now, cmd)
}

// dispatch is the switch of execute.
func (l *Loop) dispatch(now time.Time, cmd core.Command) {
	switch cmd := cmd.(type) {
	case core.LegCommand:
		l.driver(cmd.LegEdge()).Do(cmd)
	case core.MediaCommand:
		l.cfg.Media.Do(cmd)
	case core.AppCommand:
		if l.cfg.Apps != nil {
			l.cfg.Apps.Do(now, cmd)
		}
	case core.StartTimer:
		l.timers.start(cmd.Timer, cmd.After)
	case core.StopTimer:
		l.timers.stop(cmd.Timer)
	case core.Reply:
		l.questions.answer(cmd)
	case core.Publish:
		// Applications first: no end may be in the log that they are never told of.
		if cmd.Change.App != "" && l.cfg.Apps != nil {
			l.cfg.Apps.Changed(now, cmd.Change)
		}
		l.cfg.Events.Publish(now, cmd.Change)
	}
}

func (l *Loop) driver(edge core.Edge) LegDriver {
	switch edge {
	case core.EdgeBrowser:
		return l.cfg.Browser
	case core.EdgeSocket:
		return l.cfg.Socket
	case core.EdgeLoop:
		return l.cfg.Loop
	case core.EdgeSIP:
	}
	return l.cfg.SIP
}

// report logs a panic with its stack.
func (l *Loop) report(p any, doing string, what any, leg core.LegID) {
	l.stats.panics.Add(1)
	l.cfg.Log.Error("panic in the loop", "doing", doing, "what", fmt.Sprintf("%T", what), "leg", leg,
		"panic", p, "stack", string(debug.Stack()))
}

// legOf returns the leg that an event or command is about, "" if none.
func legOf(what any) core.LegID {
	switch what := what.(type) {
	case interface{ LegID() core.LegID }:
		return what.LegID()
	case core.TimedOut:
		return what.Timer.Leg
	case core.Asked:
		if what.Do != nil {
			return what.Do.LegID()
		}
	case core.Hear:
		return what.Leg
	case core.Publish:
		return what.Change.Leg
	}
	return ""
}
