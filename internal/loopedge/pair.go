package loopedge

import (
	"context"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/pcm"
)

// rate of what the legs say, in Hz: what wideband phones and most conversations have.
const rate = 16000

// pair is a leg that rings and the one that is offered for it.
type pair struct {
	edge    *Edge
	out, in core.LegID
	ctx     context.Context //nolint:containedctx // the life of the pair's audio
	stop    context.CancelFunc

	outPath, inPath *pcm.Path
	toOut, toIn     lane // what the path of that leg is to say

	// Guarded by Edge.mu.
	audible, answered bool
}

func newPair(e *Edge, out, in core.LegID) *pair {
	p := &pair{edge: e, out: out, in: in}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.outPath = pcm.New(pcm.Config{Rate: rate, Heard: p.toIn.hear, Key: func(key byte, _ time.Duration) { p.key(in, key) }})
	p.inPath = pcm.New(pcm.Config{Rate: rate, Heard: p.toOut.hear, Key: func(key byte, _ time.Duration) { p.key(out, key) }})
	return p
}

// key lets the party of a leg press a key: that of the other hears it pressed.
func (p *pair) key(leg core.LegID, key byte) {
	p.edge.cfg.Media.Press(leg, key)
	p.edge.post(core.LegDigit{Leg: leg, Digit: key})
}

// alertLocked tells who rings that the other leg is being dealt with, and lets it hear
// what the other one says before its answer.
func (p *pair) alertLocked(early bool) {
	p.edge.post(core.LegRinging{Leg: p.out})
	if early && !p.audible {
		p.soundLocked()
		p.edge.post(core.LegEarly{Leg: p.out})
	}
}

// answerLocked takes the call.
func (p *pair) answerLocked() {
	if p.answered {
		return
	}
	p.answered = true
	p.soundLocked()
	p.edge.post(core.LegUp{Leg: p.in})
	p.edge.post(core.LegAccepted{Leg: p.out})
	p.edge.post(core.LegUp{Leg: p.out})
}

// soundLocked lets the legs hear each other.
func (p *pair) soundLocked() {
	if p.audible {
		return
	}
	p.audible = true
	p.edge.cfg.Media.Attach(p.out, p.outPath)
	p.edge.cfg.Media.Attach(p.in, p.inPath)
	p.edge.running.Go(p.run)
}

// endLocked ends both legs. The one that the exchange ended is gone as it said; to the
// other its far end has hung up, refused, or given up.
func (p *pair) endLocked(cmd core.End) {
	p.stop()
	delete(p.edge.pairs, p.out)
	delete(p.edge.pairs, p.in)
	if p.audible {
		p.edge.cfg.Media.Detach(p.out)
		p.edge.cfg.Media.Detach(p.in)
	}
	p.edge.post(core.LegGone{Leg: cmd.Leg, Cause: cmd.Cause})
	far := core.LegGone{Leg: p.out, Cause: cmd.Cause, Code: cmd.Code}
	switch {
	case cmd.Leg == p.out:
		far = core.LegGone{Leg: p.in, Cause: core.CauseNormal}
	case p.answered:
		far.Code = 0
	}
	p.edge.post(far)
}

// run says what either leg hears by the other, at its time. It runs beside the mixes
// that the legs are in: two legs that hear each other and nobody else would call each
// other for ever.
func (p *pair) run() {
	frame := make([]int16, p.outPath.Frame())
	pcm.Every(p.ctx, func(time.Time) {
		p.toIn.say(p.inPath, frame)
		p.toOut.say(p.outPath, frame)
	})
}
