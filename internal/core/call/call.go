// Package call decides who hears whom in one call. It is pure: it keeps what
// each leg does (talks, holds, is muted, is played a sound) and says which rows
// of the hear/speak matrix changed.
package call

import (
	"slices"

	"github.com/offhook/offhook/internal/core"
)

// Call is the legs of one call. The zero Call has none; a new leg hears
// silence and is heard by nobody. Methods on legs it does not have do nothing.
type Call struct{ members []*member }

// member is one leg in the call.
type member struct {
	leg       core.LegID
	talking   bool       // hears and is heard by the others who talk
	holding   bool       // its own phone put us on hold
	muted     bool       // nobody hears it
	deaf      bool       // hears nobody
	sound     core.Sound // what it is played instead of people
	overhears core.LegID // whom it hears without talking: a callee's early media
	mode      core.SuperviseMode
	target    core.LegID // whom it supervises, with mode
	row       core.Hear  // what it hears, as last given by Rows

	set []pair // whom it hears or not by order of Set

	speaks, hears *Circle                       // who may hear it, and whom it hears; nil is all
	over          *[core.InjectSlots]core.Sound // what it is injected; nil is nothing, as for most legs
}

// pair says whether a leg hears another, whatever it would by itself.
type pair struct {
	from  core.LegID
	hears bool
}

// Add puts a leg into the call.
func (c *Call) Add(leg core.LegID) {
	if c.find(leg) == nil {
		c.members = append(c.members, &member{leg: leg, row: core.Hear{Leg: leg}})
	}
}

// Remove takes a leg out; the others stop hearing it. It gets no row any more.
func (c *Call) Remove(leg core.LegID) {
	c.members = slices.DeleteFunc(c.members, func(m *member) bool { return m.leg == leg })
	for _, m := range c.members {
		if m.overhears == leg {
			m.overhears = ""
		}
		m.forget(leg)
	}
}

// Move takes a leg out of c into to, with all it does: it talks there as it did
// here, and stays muted or on hold. What is left of c stops hearing it.
func (c *Call) Move(leg core.LegID, to *Call) {
	if m := c.find(leg); m != nil && c != to && !to.Has(leg) {
		c.Remove(leg)
		m.set, m.speaks, m.hears = nil, nil, nil
		to.members = append(to.members, m)
	}
}

// Has reports whether leg is in the call.
func (c *Call) Has(leg core.LegID) bool { return c.find(leg) != nil }

// Join lets a leg talk with all others who joined; a sound it hears ends.
func (c *Call) Join(leg core.LegID) {
	if m := c.find(leg); m != nil {
		m.talking, m.sound, m.overhears = true, core.Sound{}, ""
		m.mode, m.target = 0, ""
	}
}

// Part ends Join and undoes Set and Encircle: the leg hears nobody and is heard by nobody.
func (c *Call) Part(leg core.LegID) {
	if m := c.find(leg); m != nil {
		m.talking, m.mode, m.target, m.set = false, 0, "", nil
		m.speaks, m.hears = nil, nil
		for _, other := range c.members {
			other.forget(leg)
		}
	}
}

// Supervise lets a leg hear all who talk without being one of them. It is heard
// by nobody, by target alone or by all, as mode says.
func (c *Call) Supervise(leg, target core.LegID, mode core.SuperviseMode) {
	if m := c.find(leg); m != nil {
		m.talking, m.sound, m.overhears = false, core.Sound{}, ""
		m.mode, m.target = mode, target
	}
}

// speaksTo reports whether m's voice is for other, unless it is muted.
func (m *member) speaksTo(other *member) bool {
	return m.talking || m.mode == core.Barge || m.mode == core.Whisper && m.target == other.leg
}

// Set says whether leg hears from from now on, whatever it would by itself, while
// both are in the call. A sound, a hold and a muted voice stay what they are.
func (c *Call) Set(leg, from core.LegID, hears bool) {
	if m := c.find(leg); m != nil && leg != from && c.Has(from) {
		m.forget(from)
		m.set = append(m.set, pair{from, hears})
	}
}

// forget undoes Set.
func (m *member) forget(from core.LegID) {
	m.set = slices.DeleteFunc(m.set, func(p pair) bool { return p.from == from })
}

// listensTo reports whether other's voice is for m, unless it is muted.
func (m *member) listensTo(other *member) bool {
	for _, p := range m.set {
		if p.from == other.leg {
			return p.hears
		}
	}
	if !other.speaksTo(m) {
		return false
	}
	return !m.talking || !other.talking || other.speaks.has(m.leg) && m.hears.has(other.leg)
}

// Look returns what is known of a leg: its mode and target as supervisor, and
// what it hears as of the last Rows.
func (c *Call) Look(leg core.LegID) (l core.LiveLeg) {
	if m := c.find(leg); m != nil {
		l.Held, l.Muted, l.Mode, l.Target, l.Hears = m.holding, m.muted, m.mode, m.target, m.row
	}
	return l
}

// Play lets a leg hear sound alone, until Join, Overhear or another Play. The
// zero sound lets it hear people again.
func (c *Call) Play(leg core.LegID, sound core.Sound) {
	if m := c.find(leg); m != nil {
		m.sound, m.overhears = sound, ""
	}
}

// Overhear lets a leg hear other alone, who does not hear it.
func (c *Call) Overhear(leg, other core.LegID) {
	if m := c.find(leg); m != nil && c.Has(other) && leg != other {
		m.sound, m.overhears = core.Sound{}, other
	}
}

// Overhears reports whether leg hears another by Overhear.
func (c *Call) Overhears(leg core.LegID) bool {
	m := c.find(leg)
	return m != nil && m.overhears != ""
}

// Hold notes that a leg's phone put us on hold, or took us back, and reports
// whether that is new. Who holds hears nothing; who talks with nobody but
// holders hears music.
func (c *Call) Hold(leg core.LegID, held bool) (changed bool) {
	m := c.find(leg)
	if m == nil || m.holding == held {
		return false
	}
	m.holding = held
	return true
}

// Mute drops a leg's voice for everybody, or lets it be heard again.
func (c *Call) Mute(leg core.LegID, muted bool) {
	if m := c.find(leg); m != nil {
		m.muted = muted
	}
}

// Rows returns what changed since the last Rows, in the order of Add, appended to
// changed.
func (c *Call) Rows(changed []core.Hear) []core.Hear {
	for _, m := range c.members {
		row := c.row(m)
		if row.Sound != m.row.Sound || !slices.Equal(row.From, m.row.From) || row.Over != m.row.Over {
			m.row = row
			changed = append(changed, row)
		}
	}
	return changed
}

// row says what m hears now.
func (c *Call) row(m *member) core.Hear {
	row := core.Hear{Leg: m.leg, Sound: m.sound}
	if m.over != nil {
		row.Over = *m.over
	}
	switch {
	case !m.sound.IsZero():
		return row
	case m.deaf:
		return row
	case m.overhears != "":
		row.From = []core.LegID{m.overhears}
		return row
	case !m.talking && m.mode == 0 || m.holding:
		return row
	}
	present, held := false, false
	for _, other := range c.members {
		if other == m || !m.listensTo(other) {
			continue
		}
		if other.holding {
			held = true
			continue
		}
		present = true
		if !other.muted {
			row.From = append(row.From, other.leg)
		}
	}
	if m.talking && held && !present {
		row.Sound = core.Sound{Kind: core.SoundHold}
	}
	return row
}

func (c *Call) find(leg core.LegID) *member {
	for _, m := range c.members {
		if m.leg == leg {
			return m
		}
	}
	return nil
}
