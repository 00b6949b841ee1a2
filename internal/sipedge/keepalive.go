package sipedge

import (
	"time"

	"github.com/offhook/offhook/internal/sip"
)

// keepAlive asks phones on UDP by OPTIONS whether they are there: that keeps the
// way through their NAT open, and a phone that is gone stops being rung. Phones on
// connections keep those alive themselves.
type keepAlive struct {
	every  time.Duration // between questions, 0 is never
	answer time.Duration // how long a phone may take
}

// keepAliveMisses in a row end a registration: one may be a lost packet.
const keepAliveMisses = 2

// keepAlive runs until stop closes.
func (e *Edge) keepAlive(k keepAlive, stop <-chan struct{}) {
	if k.every == 0 {
		return
	}
	tick := time.NewTicker(k.every)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			for _, b := range e.bindings.overUDP() {
				e.ask(b, k.answer)
			}
		}
	}
}

// ask sends one OPTIONS down the flow of a registration. Whatever comes back is a
// sign of life.
func (e *Edge) ask(b binding, within time.Duration) {
	req := sip.NewRequest(sip.OPTIONS, b.uri)
	us := sip.Uri{Scheme: "sip", User: contactUser, Host: e.cfg.Domain}
	req.AppendHeader(&sip.FromHeader{Address: us, Params: sip.Params{}})
	req.AppendHeader(&sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: sip.EscapeUser(b.user.Name), Host: e.cfg.Domain}, Params: sip.Params{}})
	late := time.AfterFunc(within, func() { e.missed(b) })
	e.stack.Send(sip.Outbound{Request: req, Flow: b.flow, ContactUser: contactUser}, func(_ *sip.Response, err error) {
		if late.Stop() && err == nil {
			e.bindings.misses(b, false)
		}
	})
}

// missed counts a question without answer, and ends a registration that has too many.
func (e *Edge) missed(b binding) {
	if e.bindings.misses(b, true) < keepAliveMisses {
		return
	}
	e.log.Info("phone does not answer OPTIONS", "user", b.user.String(), "flow", b.flow.String())
	e.report(change{gone: e.bindings.removeIf(func(o *binding) bool { return o.id == b.id && o.same(&b) && o.flow == b.flow })})
}

// overUDP returns copies of the registrations of phones on UDP.
func (t *bindings) overUDP() []binding {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []binding
	for _, flows := range t.byID {
		for _, b := range flows {
			if b.flow.Transport() == sip.UDP {
				list = append(list, *b)
			}
		}
	}
	return list
}

// misses counts one more question without answer, or begins anew, and returns how
// many there were in a row. A REGISTER begins anew too.
func (t *bindings) misses(b binding, one bool) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	live := t.findLocked(b.user, &b)
	if live == nil || live.flow != b.flow {
		return 0
	}
	live.missed++
	if !one {
		live.missed = 0
	}
	return live.missed
}
