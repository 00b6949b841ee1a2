package route

import (
	"slices"
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

// An application that may begin more calls a second than the guard lets it by default
// may do so over trunks; what is said of the guard itself counts more.
func TestApplicationsOwnRate(t *testing.T) {
	for _, c := range []struct {
		name string
		app  Application
		set  Limits
		want float64
	}{
		{"neither", Application{}, Limits{}, 10},
		{"slower", Application{CallsPerSecond: 3}, Limits{}, 10},
		{"faster", Application{CallsPerSecond: 50}, Limits{}, 50},
		{"faster than a limit", Application{CallsPerSecond: 50}, Limits{Application: &Limit{CallsPerSecond: 5}}, 5},
		{"with limits of its own", Application{CallsPerSecond: 50, Limits: &Limit{CallsPerSecond: 7}}, Limits{}, 7},
	} {
		c.app.ID = "x"
		d := &Directory{res: Resources{Limits: c.set}, applications: map[string]Application{"x": c.app}}
		if got := d.limit(account{applicationAccount, "x"}).CallsPerSecond; got != c.want {
			t.Errorf("%s: %v calls a second, want %v", c.name, got, c.want)
		}
	}
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
	if left, limited := c.m.Left(c.now, c.d, a); !limited || left != 3*time.Minute {
		t.Errorf("%v left, limited %v: two legs talked two minutes of ten, and go on", left, limited)
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

// TestMeterSpent wants all legs of an account to end with its minutes, and those
// asked for again whose time is longer because others ended.
func TestMeterSpent(t *testing.T) {
	c := newMeterClock(t)
	a, b := c.ring(anna, "wide"), c.ring(anna, "wide")
	c.m.Answered(c.now, a)
	c.now = c.now.Add(time.Minute)
	c.m.Answered(c.now, b)
	left, _ := c.m.Left(c.now, c.d, b)
	if left != 4*time.Minute+30*time.Second {
		t.Errorf("%v left of nine minutes for two", left)
	}
	c.now = c.now.Add(left - 1)
	if spent := c.m.Spent(c.now, c.d, b); len(spent) != 0 {
		t.Errorf("%v end too early", spent)
	}
	c.now = c.now.Add(1)
	if spent := c.m.Spent(c.now, c.d, b); !slices.Equal(spent, []core.LegID{a, b}) {
		t.Errorf("%v end, want %s and %s", spent, a, b)
	}
	if again := c.m.Silent(c.now, b); !slices.Equal(again, []core.LegID{a}) {
		t.Errorf("%v are to be asked again, want %s", again, a)
	}
	if again := c.m.Silent(c.now, b); len(again) != 0 {
		t.Errorf("who is silent was silenced: %v", again)
	}
	if spent := c.m.Spent(c.now, c.d, b); len(spent) != 0 {
		t.Errorf("%v: who is silent may be so for ever", spent)
	}
}

// TestMeterLongest limits each conversation by itself.
func TestMeterLongest(t *testing.T) {
	c := newMeterClock(t)
	c.d.users.put("anna", anna, User{Name: "anna", Limits: &Limit{Longest: Duration(time.Minute)}})
	a, b := c.ring(anna, "wide"), c.ring(anna, "wide")
	c.now = c.now.Add(time.Hour) // ringing does not count
	c.m.Answered(c.now, a)
	c.now = c.now.Add(20 * time.Second)
	c.m.Answered(c.now, b)
	if left, limited := c.m.Left(c.now, c.d, a); !limited || left != 40*time.Second {
		t.Errorf("%v left", left)
	}
	c.now = c.now.Add(40 * time.Second)
	if spent := c.m.Spent(c.now, c.d, a); !slices.Equal(spent, []core.LegID{a}) {
		t.Errorf("%v end, want %s alone", spent, a)
	}
	if spent := c.m.Spent(c.now, c.d, b); len(spent) != 0 {
		t.Errorf("%v end after 40 s", spent)
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
