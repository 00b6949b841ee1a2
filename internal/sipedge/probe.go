package sipedge

import (
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

const (
	// firstProbe is when a new probe asks for the first time: once we listen.
	firstProbe = time.Second
	// probeAnswer is how long a trunk may take to answer OPTIONS. Over UDP that is
	// the request and three retransmissions (RFC 3261 section 17.1.2.2).
	probeAnswer = 4 * time.Second
	// probeAgain is the pause before what was missed is asked once more.
	probeAgain = time.Second
	// probeMisses in a row make a trunk dead: one may be a lost packet.
	probeMisses = 2
)

// Alive reports whether a trunk that answered OPTIONS with this status, 0 for
// not at all, carries calls. A refusal is a sign of life: many carriers answer
// 401, 403, 404 or 405.
func Alive(code int) bool { return code != 0 && code != 408 && code != 503 }

// probed is what a probe depends on: a change of it starts a new one.
type probed struct {
	uri, backups, caFile, domain string
	every                        time.Duration
}

// probe asks one trunk again and again whether it is there, and tells what it
// finds. A trunk is up until it is known to be down.
type probe struct {
	probed
	trunk string
	log   *slog.Logger
	// ask sends one OPTIONS and calls done once with the final status, or 0 if
	// none came. It may block for a look-up of the host.
	ask  func(done func(code int))
	tell func(up bool)
	stop chan struct{} // closed to end run

	misses int         // in a row
	down   atomic.Bool // written by run alone
}

// run asks until it is stopped.
func (p *probe) run() {
	for wait := jitter(firstProbe); p.sleep(wait); {
		code, ok := p.once()
		if !ok {
			return
		}
		wait = p.judge(code)
	}
}

// once asks one time. ok is false when the probe is stopped meanwhile.
func (p *probe) once() (code int, ok bool) {
	answer := make(chan int, 1) // a late answer goes nowhere
	p.ask(func(code int) { answer <- code })
	late := time.NewTimer(probeAnswer)
	defer late.Stop()
	select {
	case code = <-answer:
		return code, true
	case <-late.C:
		return 0, true
	case <-p.stop:
		return 0, false
	}
}

// judge notes an answer and returns when to ask next. That a trunk is down is
// told each time: the exchange may not have known the trunk the first time.
func (p *probe) judge(code int) (next time.Duration) {
	switch {
	case Alive(code):
		p.misses = 0
		if p.down.Swap(false) {
			p.log.Info("trunk answers again", "trunk", p.trunk, "code", code)
			p.tell(true)
		}
		return jitter(p.every)
	case code == 503:
		p.misses = probeMisses // it says so itself
	default:
		p.misses++
	}
	if p.misses < probeMisses {
		return probeAgain
	}
	if !p.down.Swap(true) {
		p.log.Warn("trunk does not answer OPTIONS", "trunk", p.trunk, "uri", p.uri, "code", code)
	}
	p.tell(false)
	return jitter(p.every)
}

// jitter spreads d by a tenth to both sides, so that trunks are not asked all at
// once.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1) //nolint:gosec // no secret
}

// sleep waits for d; false means that the probe was stopped before.
func (p *probe) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.stop:
		return false
	}
}
