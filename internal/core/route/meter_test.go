package route

import (
	"strconv"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// metered is a directory whose anna has limits of her own and whose others have
// the general ones.
func metered(t *testing.T) *Directory {
	t.Helper()
	d, err := NewDirectory(Resources{
		Users:  []User{{Name: "anna", Limits: &Limit{CallsPerSecond: 2, Calls: 3, Minutes: 10}}, {Name: "ben"}},
		Trunks: []Trunk{{Name: "line", URI: "sip:line", Limits: &Limit{Calls: 5}}, {Name: "wide", URI: "sip:wide"}},
		Limits: Limits{User: &Limit{Calls: 1}, Application: &Limit{Calls: 2}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var anna, ben = core.UserID{Name: "anna"}, core.UserID{Name: "ben"}

// meterClock rings and ends legs at times of its own.
type meterClock struct {
	t   *testing.T
	m   Meter
	d   *Directory
	now time.Time
	n   int
}

func newMeterClock(t *testing.T) *meterClock {
	t.Helper()
	return &meterClock{t: t, d: metered(t), now: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)}
}

// ring rings a leg if it is admitted and returns its name, else "".
func (c *meterClock) ring(by core.UserID, trunk string) core.LegID {
	if c.m.Admit(c.now, c.d, by, trunk) != nil {
		return ""
	}
	c.n++
	leg := core.LegID(strconv.Itoa(c.n))
	c.m.Begin(c.now, leg, by, trunk)
	return leg
}

func (c *meterClock) want(what string, got, want bool) {
	c.t.Helper()
	if got != want {
		c.t.Errorf("%s: %v", what, got)
	}
}

func TestMeterCallsPerSecond(t *testing.T) {
	c := newMeterClock(t)
	for range 2 {
		leg := c.ring(anna, "wide")
		c.want("within the rate", leg != "", true)
		c.m.End(c.now, leg)
	}
	c.want("third in a second", c.ring(anna, "wide") != "", false)
	c.now = c.now.Add(999 * time.Millisecond)
	c.want("just before a second", c.ring(anna, "wide") != "", false)
	c.now = c.now.Add(time.Millisecond)
	c.want("after a second", c.ring(anna, "wide") != "", true)
}

func TestMeterCallsAtOnce(t *testing.T) {
	c := newMeterClock(t)
	first := c.ring(ben, "line")
	c.want("first", first != "", true)
	c.want("second at once", c.ring(ben, "line") != "", false)
	c.m.End(c.now, first)
	c.m.End(c.now, first) // a second end counts nothing
	c.now = c.now.Add(time.Second)
	c.want("after the first", c.ring(ben, "line") != "", true)
	for range 4 {
		c.want("line has room", c.ring(core.UserID{}, "line") != "", true)
	}
	c.want("line is full", c.ring(core.UserID{}, "line") != "", false)
	c.want("another line is not", c.ring(core.UserID{}, "wide") != "", true)
	if r := c.m.Admit(c.now, c.d, core.UserID{}, "line"); r == nil || !FailsOver(r.Cause, r.Code) {
		t.Errorf("a full line does not fail over: %+v", r)
	}
	if r := c.m.Admit(c.now, c.d, ben, "wide"); r == nil || FailsOver(r.Cause, r.Code) {
		t.Errorf("a user's limit is no reason for another trunk: %+v", r)
	}
}

func TestMeterApplication(t *testing.T) {
	c := newMeterClock(t)
	for _, name := range []string{"a", "b"} {
		c.want(name, c.ring(core.UserID{App: "x", Name: name}, "wide") != "", true)
	}
	c.want("third user of the application", c.ring(core.UserID{App: "x", Name: "c"}, "wide") != "", false)
	c.want("another application", c.ring(core.UserID{App: "y", Name: "c"}, "wide") != "", true)
}

func TestMeterMinutes(t *testing.T) {
	c := newMeterClock(t)
	talk := func(d time.Duration) bool {
		leg := c.ring(anna, "wide")
		if leg == "" {
			return false
		}
		c.now = c.now.Add(20 * time.Second) // ringing costs nothing
		c.m.Answered(c.now, leg)
		c.now = c.now.Add(d)
		c.m.Answered(c.now, leg) // said twice
		c.m.End(c.now, leg)
		return true
	}
	c.want("first minutes", talk(9*time.Minute+59*time.Second), true)
	c.want("a second is left", talk(time.Minute), true)
	c.want("none is left", talk(time.Second), false)
	c.now = c.now.Add(22 * time.Hour)
	c.want("22 hours later", talk(time.Second), false)
	c.now = c.now.Add(2 * time.Hour)
	c.want("a day later", talk(time.Second), true)
}

func TestMeterLeft(t *testing.T) {
	c := newMeterClock(t)
	a, b := c.ring(anna, "wide"), c.ring(anna, "wide")
	c.m.Answered(c.now, a)
	c.m.Answered(c.now, b)
	c.now = c.now.Add(2 * time.Minute)
	if left, limited := c.m.Left(c.now, c.d, a); !limited || left != 6*time.Minute {
		t.Errorf("%v left, limited %v: two legs talked two minutes of ten", left, limited)
	}
	c.now = c.now.Add(time.Hour)
	if left, _ := c.m.Left(c.now, c.d, a); left != 0 {
		t.Errorf("%v left", left)
	}
	other := c.ring(ben, "line")
	if _, limited := c.m.Left(c.now, c.d, other); limited {
		t.Error("a limit that is not there")
	}
}

// TestMeterForgets keeps nothing about who was silent for a day.
func TestMeterForgets(t *testing.T) {
	c := newMeterClock(t)
	for i := range 100 {
		leg := c.ring(core.UserID{App: strconv.Itoa(i), Name: "a"}, "wide")
		c.m.End(c.now, leg)
	}
	c.now = c.now.Add(25 * time.Hour)
	c.m.End(c.now, c.ring(anna, "wide"))
	if len(c.m.accounts) > 2 || !c.m.Idle() {
		t.Errorf("%d accounts, idle %v", len(c.m.accounts), c.m.Idle())
	}
}
