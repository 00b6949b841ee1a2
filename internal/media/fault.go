package media

import "time"

// The goroutines here serve many legs each. So what they do for one leg is done below
// one of these guards: a panic in it costs that leg some audio, and nobody else
// anything.

// survived notes a panic; v is what recover returned in the deferred function that
// calls it. It is false if there was none.
func (g *stage) survived(v any, doing string) bool {
	if v == nil {
		return false
	}
	g.panics.Note(g.log, doing, v)
	return true
}

// Panics returns how often the work for a leg was given up because of a fault of ours.
func (s *Server) Panics() uint64 { return s.stage.panics.Count() }

// give hands p to one of those who take m's packets.
func (m *member) give(s sink, p *Packet) {
	defer func() { m.stage.survived(recover(), "passing a packet on") }()
	s.packet(p)
}

// hear steps t. A speaker whose packets cannot be worked on is silent.
func (x *mixer) hear(t *tap, due time.Time) {
	defer func() {
		if x.stage.survived(recover(), "decoding a speaker") {
			t.giveUp()
		}
	}()
	t.step(x.pool, due)
}

// serve steps l, which is told of keys, too, if any of this step are for it.
func (x *mixer) serve(l *listener, keys bool, now time.Time) {
	defer func() {
		if x.stage.survived(recover(), "mixing for a listener") {
			l.enc, l.n, l.fifo = nil, 0, l.fifo[:0] // they may be in the middle of something
		}
	}()
	if !l.ready() {
		return
	}
	if keys || l.press.open {
		l.tell(now)
	}
	l.step(x, now)
}

// beat makes a step; it is false if nobody listens any more.
func (x *mixer) beat(due, now time.Time) (more bool) {
	defer func() {
		if x.stage.survived(recover(), "mixing") {
			more = true
		}
	}()
	if !x.join() {
		return false
	}
	x.step(due, now)
	return true
}

// keep advances p. A sound that cannot be played is silence.
func (y *player) keep(p *playing, now time.Time) (more bool) {
	defer func() {
		if y.stage.survived(recover(), "playing a sound") {
			p.clip, more = nil, true
			p.cue.giveUp(now)
		}
	}()
	return y.advance(p, now)
}

// giveUp lets silence stand for c: for a second if it is something that ends, so that
// who repeats it does not spin.
func (c *cue) giveUp(now time.Time) {
	c.search, c.began = nil, true
	if c.sound.Ends() {
		c.ends = now.Add(failedFor)
	}
}

// step steps s. Packets that cannot be smoothed pass as they come.
func (y *pacer) step(s *smoother, now time.Time) (more bool) {
	defer func() {
		if y.stage.survived(recover(), "smoothing a voice") {
			s.end()
			more = false
		}
	}()
	return s.step(now)
}

// handOut is order.
func (s *Server) handOut(p keyPress) (list []*output) {
	defer func() { s.stage.survived(recover(), "handing out a key") }()
	return s.order(p)
}

// tell is idle. Keys that cannot be sent are not.
func (s *Server) tell(o *output, now time.Time) (more bool) {
	defer func() { s.stage.survived(recover(), "sending a key") }()
	return o.idle(now)
}
