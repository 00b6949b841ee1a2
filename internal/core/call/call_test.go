package call

import (
	"slices"
	"testing"

	"github.com/offhook/offhook/internal/core"
)

// TestRows: what is done to a call of a, b and c, and what each then hears.
func TestRows(t *testing.T) {
	tone := core.Sound{Kind: core.SoundRingback, Name: "us"}
	music := core.Sound{Kind: core.SoundHold}
	type rows map[core.LegID]core.Hear
	from := func(legs ...core.LegID) core.Hear { return core.Hear{From: legs} }
	sound := func(s core.Sound) core.Hear { return core.Hear{Sound: s} }
	joined := func(c *Call, legs ...core.LegID) {
		for _, leg := range legs {
			c.Join(leg)
		}
	}
	tests := []struct {
		name string
		do   func(*Call)
		want rows // silence where nothing is said
	}{
		{"nobody joined", func(*Call) {}, rows{}},
		{"one joined", func(c *Call) { joined(c, "a") }, rows{}},
		{"two joined", func(c *Call) { joined(c, "a", "b") }, rows{"a": from("b"), "b": from("a")}},
		{"three joined", func(c *Call) { joined(c, "a", "b", "c") }, rows{"a": from("b", "c"), "b": from("a", "c"), "c": from("a", "b")}},
		{"ringback", func(c *Call) { c.Play("a", tone) }, rows{"a": sound(tone)}},
		{"join ends the ringback", func(c *Call) { c.Play("a", tone); joined(c, "a", "b") }, rows{"a": from("b"), "b": from("a")}},
		{"sound for one of two", func(c *Call) { joined(c, "a", "b"); c.Play("a", tone) }, rows{"a": sound(tone), "b": from("a")}},
		{"sound over", func(c *Call) { joined(c, "a", "b"); c.Play("a", tone); c.Play("a", core.Sound{}) }, rows{"a": from("b"), "b": from("a")}},
		{"early media is one way", func(c *Call) { c.Overhear("a", "b") }, rows{"a": from("b")}},
		{"early media of a leg that left", func(c *Call) { c.Overhear("a", "b"); c.Remove("b") }, rows{}},
		{"nobody overhears itself", func(c *Call) { c.Overhear("a", "a") }, rows{}},
		{"holder hears nothing, held hears music", func(c *Call) { joined(c, "a", "b"); c.Hold("a", true) }, rows{"b": sound(music)}},
		{"both hold", func(c *Call) { joined(c, "a", "b"); c.Hold("a", true); c.Hold("b", true) }, rows{}},
		{"resumed", func(c *Call) { joined(c, "a", "b"); c.Hold("a", true); c.Hold("a", false) }, rows{"a": from("b"), "b": from("a")}},
		{"one of three holds", func(c *Call) { joined(c, "a", "b", "c"); c.Hold("a", true) }, rows{"b": from("c"), "c": from("b")}},
		{"muted leg still hears", func(c *Call) { joined(c, "a", "b"); c.Mute("a", true) }, rows{"a": from("b")}},
		{"hold of a leg that did not join", func(c *Call) { joined(c, "a", "b"); c.Hold("c", true) }, rows{"a": from("b"), "b": from("a")}},
		{"other leg left", func(c *Call) { joined(c, "a", "b"); c.Remove("b") }, rows{}},
		{"parted", func(c *Call) { joined(c, "a", "b", "c"); c.Part("b") }, rows{"a": from("c"), "c": from("a")}},
		{"monitor", func(c *Call) { joined(c, "a", "b"); c.Supervise("c", "b", core.Monitor) }, rows{"a": from("b"), "b": from("a"), "c": from("a", "b")}},
		{"whisper", func(c *Call) { joined(c, "a", "b"); c.Supervise("c", "b", core.Whisper) }, rows{"a": from("b"), "b": from("a", "c"), "c": from("a", "b")}},
		{"barge", func(c *Call) { joined(c, "a", "b"); c.Supervise("c", "b", core.Barge) }, rows{"a": from("b", "c"), "b": from("a", "c"), "c": from("a", "b")}},
		{"whisper to an agent whose party holds", func(c *Call) { joined(c, "a", "b"); c.Supervise("c", "b", core.Whisper); c.Hold("a", true) }, rows{"b": from("c"), "c": from("b")}},
		{"monitor of an agent whose party holds gets no music", func(c *Call) { joined(c, "a", "b"); c.Supervise("c", "b", core.Monitor); c.Hold("a", true) }, rows{"b": sound(music), "c": from("b")}},
		{"no longer a monitor", func(c *Call) { joined(c, "a", "b"); c.Supervise("c", "b", core.Barge); c.Part("c") }, rows{"a": from("b"), "b": from("a")}},
		{"monitor becomes a party", func(c *Call) { joined(c, "a", "b"); c.Supervise("c", "b", core.Monitor); c.Join("c") }, rows{"a": from("b", "c"), "b": from("a", "c"), "c": from("a", "b")}},
		{"strangers", func(c *Call) {
			joined(c, "a", "x")
			c.Play("x", tone)
			c.Mute("x", true)
			c.Part("x")
			c.Supervise("x", "a", core.Barge)
			c.Remove("x")
		}, rows{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c Call
			for _, leg := range []core.LegID{"a", "b", "c"} {
				c.Add(leg)
			}
			tt.do(&c)
			got := rows{}
			for _, row := range c.Rows(nil) {
				got[row.Leg] = row
			}
			for _, leg := range []core.LegID{"a", "b", "c"} {
				if g, w := got[leg], tt.want[leg]; g.Sound != w.Sound || !slices.Equal(g.From, w.From) {
					t.Errorf("%s hears %v %v, want %v %v", leg, g.From, g.Sound, w.From, w.Sound)
				}
			}
			if again := c.Rows(nil); again != nil {
				t.Errorf("rows repeated without a change: %v", again)
			}
		})
	}
}

// TestHoldRepeated: a phone repeats its re-INVITE at session refresh.
func TestHoldRepeated(t *testing.T) {
	var c Call
	c.Add("a")
	for i, step := range []struct{ held, changed bool }{{false, false}, {true, true}, {true, false}, {false, true}} {
		if got := c.Hold("a", step.held); got != step.changed {
			t.Errorf("step %d: changed %v", i, got)
		}
	}
	if c.Hold("x", true) {
		t.Error("a stranger's hold changed something")
	}
}
