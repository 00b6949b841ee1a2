package call

import (
	"slices"

	"github.com/offhook/offhook/internal/core"
)

// Circle is a set of legs, some of which may not be in the call. The nil Circle is
// everybody.
type Circle []core.LegID

func (c *Circle) has(leg core.LegID) bool { return c == nil || slices.Contains(*c, leg) }

// Encircle says who may hear a leg of those who talk with it, and whom of them it
// hears, until it moves to another call.
func (c *Call) Encircle(leg core.LegID, speaks, hears *Circle) {
	if m := c.find(leg); m != nil {
		m.speaks, m.hears = speaks, hears
	}
}

// Earmuff lets a leg hear nobody, or everybody again. What it is played it hears.
func (c *Call) Earmuff(leg core.LegID, on bool) {
	if m := c.find(leg); m != nil {
		m.deaf = on
	}
}

// Inject plays sound to a leg over all that it hears, in place of what it was
// injected in slot before; the zero sound ends that.
func (c *Call) Inject(leg core.LegID, slot core.InjectSlot, sound core.Sound) {
	m := c.find(leg)
	if m == nil || slot >= core.InjectSlots || m.over == nil && sound.IsZero() {
		return
	}
	if m.over == nil {
		m.over = new([core.InjectSlots]core.Sound)
	}
	m.over[slot] = sound
}

// Injected returns what a leg is injected.
func (c *Call) Injected(leg core.LegID) (over [core.InjectSlots]core.Sound) {
	if m := c.find(leg); m != nil && m.over != nil {
		over = *m.over
	}
	return over
}
