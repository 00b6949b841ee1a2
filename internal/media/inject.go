package media

import (
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
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

// injectLocked gives m the sounds of row in place of those it had; what is the same
// goes on. Again is whether an announcement is to be played again.
func (s *Server) injectLocked(m *member, row core.Hear, again bool) {
	if again || m.row.Sound != row.Sound {
		m.dropSound(0)
		m.playing = nil
	}
	for slot, sound := range row.Over {
		at := 1 + slot
		if m.row.Over[slot] == sound {
			continue
		}
		m.dropSound(at)
		if !sound.IsZero() {
			m.sounds[at] = newInsert(s.stage, m.id, sound, 0)
		}
	}
}

func (m *member) dropSound(at int) {
	if m.sounds[at] != nil {
		m.sounds[at].drop()
		m.sounds[at] = nil
	}
}

// inserts returns what is played to m in a mix.
func (m *member) inserts() (list []*insert) {
	for _, n := range m.sounds {
		if n != nil && n.live() {
			list = append(list, n)
		}
	}
	return list
}

// mixes reports whether what m hears is made by the mixer, however few it hears.
func (m *member) mixes() bool { return m.virtual() || len(m.inserts()) > 0 }

// takeOverLocked lets the sound that the player plays to m go on in the mix.
func (s *Server) takeOverLocked(m *member) {
	if m.row.Sound.IsZero() || m.sounds[0] != nil {
		return
	}
	var heard time.Duration
	if p := m.playing; p.plays(m.row.Sound, m.out, m.format) {
		m.out.own(nil)
		if p.ended.Load() {
			m.sounds[0] = new(insert)
			m.sounds[0].drop()
			return
		}
		heard = time.Duration(p.passed.Load())
	}
	m.sounds[0] = newInsert(s.stage, m.id, m.row.Sound, heard)
}

// lingers reports whether m, who hears speaker alone, goes on to hear him in the mix
// until he makes a pause.
func (m *member) lingers(speaker *member) bool {
	return m.injected && m.mixed != nil && m.mixed.fits(m.out, m.format) && !m.mixed.pauses() &&
		len(m.taps) == 1 && m.taps[0] == speaker.tap && speaker.tap.in == speaker.format
}

// settleLocked ends the mix of who hears no sounds any more, when that is not heard.
func (s *Server) settleLocked(m *member) {
	if m.injected && m.mixed != nil && !m.mixes() && (len(m.taps) == 0 || m.mixed.pauses()) {
		s.connectLocked(m)
	}
}
