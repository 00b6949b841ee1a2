package media

import (
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/mix"
)

// insert is a sound that a leg hears within a mix: over the voices of others, over
// another sound, alone if its packets are made by the mixer anyhow. The Server makes
// it and drops it; it goes on from mix to mix.
type insert struct {
	cue   cue
	state atomic.Uint32 // one of the insert constants

	// What follows belongs to the mixer's goroutine.
	skip   time.Duration // what was heard of it before
	what   content       // zero while there is nothing to play
	source source
	at     int // samples played of what
	pcm    [wideFrame]int16
}

const (
	insertLive    uint32 = iota
	insertOver           // it came to its end, which was reported
	insertDropped        // its end is nobody's business any more
)

// newInsert makes an insert of which skip was heard before.
func newInsert(g *stage, leg core.LegID, sound core.Sound, skip time.Duration) *insert {
	return &insert{cue: g.cue(leg, sound, time.Now()), skip: skip}
}

func (n *insert) live() bool { return n.state.Load() == insertLive }

// drop ends n without a report.
func (n *insert) drop() { n.state.CompareAndSwap(insertLive, insertDropped) }

// read returns the next 20 ms at rate, nil if there is nothing to hear.
func (n *insert) read(g *stage, rate int, now time.Time) (pcm []int16) {
	defer func() {
		if g.survived(recover(), "playing a sound in a mix") {
			n.source = source{}
			n.cue.giveUp(now)
		}
	}()
	if !n.live() {
		return nil
	}
	what, news := g.next(&n.cue, now)
	for news {
		err := n.begin(g, what, rate)
		if news = err != nil && !n.cue.standing; news {
			what, news = g.fail(&n.cue, err, now)
		}
	}
	switch {
	case n.source.read != nil:
		return n.frame(g, rate)
	case n.cue.silenced(now):
		n.end(g)
	}
	return nil
}

// begin plays something from its beginning.
func (n *insert) begin(g *stage, what content, rate int) (err error) {
	n.at = int(n.skip * time.Duration(rate) / time.Second)
	n.skip, n.what = 0, what
	n.source, err = g.sources.open(what, rate, n.at)
	return err
}

// frame plays 20 ms.
func (n *insert) frame(g *stage, rate int) []int16 {
	if n.source.rate != rate {
		n.at = n.at * rate / n.source.rate
		var err error
		if n.source, err = g.sources.open(n.what, rate, n.at); err != nil {
			return nil
		}
	}
	pcm := n.pcm[:rate/50]
	n.source.read(pcm)
	n.at += len(pcm)
	if rounds := n.cue.rounds(); rounds > 0 && n.at >= rounds*n.source.length {
		n.end(g)
	}
	return pcm
}

// end reports that n is over, unless it was dropped.
func (n *insert) end(g *stage) {
	if n.state.CompareAndSwap(insertLive, insertOver) {
		g.played(&n.cue)
	}
}

// fadeOut returns a last 20 ms, fading, of what was dropped.
func (n *insert) fadeOut(rate int) []int16 {
	if n.source.read == nil || n.source.rate != rate || n.state.Load() == insertOver {
		return nil
	}
	var last [wideFrame]int16
	n.source.read(last[:rate/50])
	pcm := n.pcm[:rate/50]
	clear(pcm)
	mix.Fade(pcm, last[:rate/50])
	return pcm
}
