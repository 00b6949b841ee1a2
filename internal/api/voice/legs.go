package voice

import (
	"cmp"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// leg is what is known of a leg that lives.
type leg struct {
	core.LegChange // the last one
	headers        []core.Header
	fallback       core.Hook // asked if a question about it is not answered; zero is the application's own
	begun          time.Time
	answered       time.Time
	talked         time.Duration // with ChangeEnded
	status         string
	handedOver     bool // by the house, whose it was until this change
}

// legs are the legs of applications that live. The loop keeps them, so that a
// request finds a leg as soon as the exchange knows it.
type legs struct {
	mu        sync.Mutex // guards all
	of        map[core.LegID]leg
	fallbacks map[core.LegID]core.Hook // of legs that are about to begin
}

// expect notes the fallback of a leg that is about to begin, if it has one.
func (l *legs) expect(id core.LegID, fallback core.Hook) {
	if fallback.URL == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fallbacks == nil {
		l.fallbacks = make(map[core.LegID]core.Hook)
	}
	l.fallbacks[id] = fallback
}

// unexpect undoes expect: the leg does not begin.
func (l *legs) unexpect(id core.LegID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.fallbacks, id)
}

// change takes a change in and returns the leg after it.
func (l *legs) change(now time.Time, c core.LegChange) leg {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = make(map[core.LegID]leg)
	}
	old := l.of[c.Leg]
	it := leg{
		LegChange: c, headers: old.headers, fallback: old.fallback, begun: old.begun, answered: old.answered,
		status: cmp.Or(Status(c), old.status),
	}
	switch c.Kind {
	case core.ChangeBegan:
		it.begun, it.headers, it.fallback = now, c.Headers, l.fallbacks[c.Leg]
		delete(l.fallbacks, c.Leg)
	case core.ChangeAnswered:
		it.answered = now
	case core.ChangeEnded:
		if !it.answered.IsZero() {
			it.talked = now.Sub(it.answered)
		}
		delete(l.of, c.Leg)
		return it
	default:
	}
	if it.handedOver = it.begun.IsZero(); it.handedOver {
		it.begun = now
	}
	l.of[c.Leg] = it
	return it
}

// get returns a leg of an application that lives.
func (l *legs) get(app string, id core.LegID) (leg, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	it, ok := l.of[id]
	return it, ok && it.App == app
}

// inCall says whether a leg of the application is in a call that lives.
func (l *legs) inCall(app string, call core.CallID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, it := range l.of {
		if it.App == app && it.Call == call {
			return true
		}
	}
	return false
}
