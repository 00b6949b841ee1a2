package engine

import (
	"time"

	"github.com/offhook/offhook/internal/core"
)

// timers runs the exchange's timers. Only whose turn it is uses it; a timer that
// fires posts an event.
type timers struct {
	post    func(core.Event)
	running map[core.TimerID]*timer
}

type timer struct{ *time.Timer }

// fired reports that a timer of ours ran out. It carries the very timer, so
// that one which fired just before it was stopped or replaced is told apart.
type fired struct {
	core.EventBase
	id    core.TimerID
	timer *timer
}

func newTimers(post func(core.Event)) *timers {
	return &timers{post: post, running: make(map[core.TimerID]*timer)}
}

func (t *timers) start(id core.TimerID, after time.Duration) {
	t.stop(id)
	tm := &timer{}
	t.running[id] = tm
	tm.Timer = time.AfterFunc(after, func() { t.post(fired{id: id, timer: tm}) })
}

func (t *timers) stop(id core.TimerID) {
	if tm, ok := t.running[id]; ok {
		tm.Stop()
		delete(t.running, id)
	}
}

// done takes note of ev and reports whether its timer was still running.
func (t *timers) done(ev fired) bool {
	if t.running[ev.id] != ev.timer {
		return false
	}
	delete(t.running, ev.id)
	return true
}

func (t *timers) stopAll() {
	for id := range t.running {
		t.stop(id)
	}
}
