package media

import (
	"time"

	"github.com/offhook/offhook/internal/core"
)

// soundSlots is how many sounds a leg may be given at once: what its row says, and what
// is over that.
const soundSlots = 1 + int(core.InjectSlots)

// soundIn returns what row gives in a slot.
func soundIn(row core.Hear, slot int) core.Sound {
	if slot == 0 {
		return row.Sound
	}
	return row.Over[slot-1]
}

// played is what is played to a leg. One sound alone is the player's, in packets that
// all who hear it share; over voices, or with another one, it is an insert of the
// mixer, and stays one.
type played struct {
	alone   *playing // nil if there is nothing
	slot    int      // of alone
	inserts [soundSlots]*insert
}

// change forgets what row does not have any more. Again is whether row.Sound is to be
// played again though it is the same.
func (p *played) change(old, row core.Hear, again bool) {
	for slot := range soundSlots {
		if soundIn(old, slot) == soundIn(row, slot) && (slot > 0 || !again) {
			continue
		}
		if n := p.inserts[slot]; n != nil {
			n.drop()
			p.inserts[slot] = nil
		}
		if p.slot == slot {
			p.alone = nil
		}
	}
}

// note remembers that a sound is over, so that it is not played again while the row has
// it.
func (p *played) note() {
	if p.alone != nil && p.alone.over() {
		p.inserts[p.slot] = new(insert)
		p.inserts[p.slot].drop()
		p.alone = nil
	}
}

// left returns the slots of row whose sound is not over.
func (p *played) left(row core.Hear) (slots []int) {
	for slot, n := range p.inserts {
		if sound := soundIn(row, slot); !sound.IsZero() && (n == nil || n.live()) {
			slots = append(slots, slot)
		}
	}
	return slots
}

// live returns the inserts that are not over.
func (p *played) live() (list []*insert) {
	for _, n := range p.inserts {
		if n != nil && n.live() {
			list = append(list, n)
		}
	}
	return list
}

// mixes reports whether what m hears is made by the mixer, however few it hears; slots
// are those of sounds that are left.
func (m *member) mixes(slots []int, heard []*member) bool {
	return m.virtual() || len(slots) > 1 || len(slots) == 1 && len(heard) > 0 || len(m.played.live()) > 0
}

// playLocked makes m hear the sound in slot alone.
func (s *Server) playLocked(m *member, slot int) {
	sound := soundIn(m.row, slot)
	if m.played.alone.plays(sound, m.out, m.format) {
		return
	}
	s.disconnectLocked(m)
	m.played.alone, m.played.slot = s.player.play(m.id, sound, m.out, m.format), slot
}

// insertLocked makes inserts of the sounds in slots. What was played alone goes on where
// it is.
func (s *Server) insertLocked(m *member, slots []int) {
	for _, slot := range slots {
		if m.played.inserts[slot] != nil {
			continue
		}
		var heard time.Duration
		if p := m.played.alone; p != nil && m.played.slot == slot {
			if !m.out.resign(&p.right) && p.over() {
				m.played.note() // a moment ago
				continue
			}
			heard = time.Duration(p.passed.Load())
		}
		m.played.inserts[slot] = newInsert(s.stage, m.id, soundIn(m.row, slot), heard)
	}
}

// lingers reports whether m, who hears speaker alone, goes on to hear him in the mix
// until he makes a pause.
func (m *member) lingers(speaker *member) bool {
	return m.injected && m.mixed != nil && m.mixed.fits(m.out, m.format) && !m.mixed.pauses() &&
		len(m.taps) == 1 && m.taps[0] == speaker.tap && speaker.tap.in == speaker.format
}

// settleLocked ends the mix of who hears no sounds any more, when that is not heard.
func (s *Server) settleLocked(m *member) {
	if m.injected && m.mixed != nil && !m.virtual() && len(m.played.live()) == 0 && (len(m.taps) == 0 || m.mixed.pauses()) {
		s.connectLocked(m)
	}
}
