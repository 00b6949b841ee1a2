package media

import (
	"slices"
	"time"

	"github.com/offhook/offhook/internal/media/mix"
)

// A leg hears sounds over voices in a mix, even where it hears only one voice, which
// is relayed before and after. Into the mix the voice goes between two packets: the
// mix begins with the first packet that the relay did not send. Out of it, it goes in
// a pause of the voice, because the mix is behind by what its jitter buffer holds.

// pauseSteps is how many steps of silence are a pause: 200 ms.
const pauseSteps = 10

// join makes l the owner of its leg's stream, which goes on with what its former
// route did not send.
func (l *listener) join() {
	l.out.own(&l.right)
	l.prior.release()
	l.prior, l.joined = nil, true
}

// give makes l hear sounds over its voices from now on. What it hears no more is
// faded out.
func (l *listener) give(sounds []*insert) {
	for _, old := range l.sounds {
		if !slices.Contains(sounds, old) {
			l.leaving = append(l.leaving, old)
		}
	}
	l.sounds = sounds
}

// insert puts the sounds over this step's samples.
func (l *listener) insert(pcm []int16, g *stage, now time.Time) {
	for _, n := range l.sounds {
		l.add(pcm, n.read(g, l.rate, now))
	}
	for _, n := range l.leaving {
		l.add(pcm, n.fadeOut(l.rate))
	}
	l.leaving = l.leaving[:0]
}

func (l *listener) add(pcm, sound []int16) {
	if sound != nil {
		mix.Over(pcm, sound)
		l.still = 0
	}
}

// listenForPause follows whether the only voice that l hears makes a pause.
func (l *listener) listenForPause() {
	if len(l.row) != 1 || l.to.Codec.Linear() {
		return
	}
	if t := l.row[0]; !t.active || mix.Peak(t.at(l.rate)) <= calmPeak {
		l.calm.Add(1)
	} else {
		l.calm.Store(0)
	}
}

// pauses reports whether the only voice that l hears makes a pause.
func (l *listener) pauses() bool { return l.calm.Load() >= pauseSteps }
