package ring

import (
	"slices"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

var alice = core.UserID{Name: "alice"}

// hunt rings legs a, b and c: two devices of alice and a mobile.
func hunt(declineAll bool) *Hunt {
	h := &Hunt{}
	for _, c := range []Candidate{
		{Leg: "a", Edge: core.EdgeSIP, Target: core.Target{User: alice, Contact: "desk"}, DeclineAll: declineAll},
		{Leg: "b", Edge: core.EdgeBrowser, Target: core.Target{User: alice, Contact: "tab"}, DeclineAll: declineAll},
		{Leg: "c", Edge: core.EdgeSIP, Target: core.Target{Trunk: "t", Number: "1"}},
	} {
		h.Add(c)
		h.Launch(c.Leg)
	}
	return h
}

func TestAccept(t *testing.T) {
	type legs = []core.LegID
	tests := []struct {
		name   string
		before func(*Hunt)
		accept core.LegID
		losers legs
		ok     bool
	}{
		{"first", func(*Hunt) {}, "b", legs{"a", "c"}, true},
		{"second", func(h *Hunt) { h.Accept("a") }, "b", nil, false},
		{"the same again", func(h *Hunt) { h.Accept("a") }, "a", nil, false},
		{"after the time-out", func(h *Hunt) { h.Stop() }, "a", nil, false},
		{"after its own decline", func(h *Hunt) { h.Gone("a", core.CauseRejected, 603) }, "a", nil, false},
		{"others gone", func(h *Hunt) { h.Gone("a", core.CauseBusy, 486); h.Alert("c") }, "c", legs{"b"}, true},
		{"a stranger", func(*Hunt) {}, "x", nil, false},
		{"one that waits for its trunk", func(h *Hunt) { h.Add(Candidate{Leg: "d", Target: core.Target{Number: "2"}}) }, "d", nil, false},
		{"while one waits for its trunk", func(h *Hunt) { h.Add(Candidate{Leg: "d", Target: core.Target{Number: "2"}}) }, "a", legs{"b", "c"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := hunt(false)
			tt.before(h)
			losers, ok := h.Accept(tt.accept)
			if !slices.Equal(losers, tt.losers) || ok != tt.ok {
				t.Errorf("losers %v, ok %v", losers, ok)
			}
			if ok && (!h.Over() || h.Waiting("d")) {
				t.Error("the hunt goes on after a win")
			}
		})
	}
}

func TestAddOnce(t *testing.T) {
	h := hunt(false)
	h.Gone("b", core.CauseRejected, 0)
	if h.Add(Candidate{Leg: "x", Target: core.Target{User: alice, Contact: "tab"}}) {
		t.Error("a device that declined rings again")
	}
	if h.Add(Candidate{Leg: "x", Target: core.Target{Trunk: "t", Number: "1"}}) {
		t.Error("a number listed twice is called twice")
	}
	if !h.Add(Candidate{Leg: "x", Target: core.Target{Trunk: "t", Number: "2"}}) {
		t.Error("a second number is not called")
	}
}

func TestDecline(t *testing.T) {
	if got := hunt(false).Gone("a", core.CauseRejected, 603); got != nil {
		t.Errorf("one device's decline ended %v", got)
	}
	if got := hunt(true).Gone("a", core.CauseRejected, 603); !slices.Equal(got, []core.LegID{"b"}) {
		t.Errorf("a decline for all devices ended %v", got)
	}
	if got := hunt(true).Gone("a", core.CauseBusy, 486); got != nil {
		t.Errorf("a busy device ended %v", got)
	}
}

func TestAlert(t *testing.T) {
	h := hunt(false)
	if h.Alert("x"); h.Alerted() {
		t.Error("nobody rings, and somebody was alerted")
	}
	if !h.Alert("a") || h.Alert("b") || h.Alert("a") || h.Alert("x") {
		t.Error("not exactly the first alerting is the first")
	}
	if h.Gone("a", core.CauseRejected, 603); !h.Alerted() {
		t.Error("forgets that a phone rang once it is gone")
	}
}

func TestPeers(t *testing.T) {
	h := hunt(false)
	if got := h.Peers(); got != (core.Peers{Browsers: 1, Phones: 1, Trunks: 1}) {
		t.Errorf("all: %+v", got)
	}
	h.Gone("a", core.CauseBusy, 486)
	h.Accept("b")
	if got := h.Peers(); got != (core.Peers{Browsers: 1}) {
		t.Errorf("winner: %+v", got)
	}
}

func TestOutcome(t *testing.T) {
	type answer struct {
		cause core.Cause
		code  int
	}
	tests := []struct {
		name    string
		answers []answer
		want    answer
	}{
		{"nobody registered", nil, answer{20, 480}},
		{"single: its own code", []answer{{17, 600}}, answer{17, 600}},
		{"single: a browser's decline", []answer{{21, 0}}, answer{21, 0}},
		{"single: 404", []answer{{1, 404}}, answer{1, 404}},
		{"single: 503", []answer{{41, 503}}, answer{41, 503}},
		{"single: 407 is about our request", []answer{{21, 407}}, answer{21, 0}},
		{"single: 302 is not passed on", []answer{{3, 302}}, answer{3, 0}},
		{"single: 487", []answer{{16, 487}}, answer{16, 0}},
		{"single: nonsense code", []answer{{127, 999}}, answer{127, 0}},
		{"all busy", []answer{{17, 486}, {17, 486}}, answer{17, 486}},
		{"all busy, in different words", []answer{{17, 486}, {17, 600}}, answer{17, 0}},
		{"all declined", []answer{{21, 603}, {21, 603}}, answer{21, 603}},
		{"all declined, one a browser", []answer{{21, 603}, {21, 0}}, answer{21, 0}},
		{"busy and declined", []answer{{17, 486}, {21, 603}}, answer{19, 480}},
		{"busy and unreachable", []answer{{17, 486}, {20, 480}}, answer{19, 480}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := &Hunt{}
			for i, a := range tt.answers {
				leg := core.LegID(rune('a' + i))
				h.Add(Candidate{Leg: leg, Target: core.Target{Contact: core.ContactID(leg)}})
				h.Launch(leg)
				h.Gone(leg, a.cause, a.code)
			}
			if cause, code := h.Outcome(); (answer{cause, code}) != tt.want || !h.Over() {
				t.Errorf("got %d %d, over %v", cause, code, h.Over())
			}
		})
	}
}

// TestPacer sends as fast as it may and wants the times in milliseconds.
func TestPacer(t *testing.T) {
	tests := []struct {
		rate float64
		want []int
	}{
		{0, []int{0, 0, 0, 0, 0, 0}},
		{1, []int{0, 1000, 2000, 3000}},
		{3, []int{0, 0, 0, 1000, 1000, 1000, 2000}},
		{0.5, []int{0, 2000, 4000}},
		{2.5, []int{0, 0, 800, 800, 1600}},
	}
	for _, tt := range tests {
		var p Pacer
		start := time.Unix(1e9, 0)
		now := start
		for i, want := range tt.want {
			if wait := p.Take(now, tt.rate); wait > 0 {
				if p.Take(now.Add(wait-1), tt.rate) == 0 {
					t.Errorf("rate %v: call %d left too early", tt.rate, i)
				}
				now = now.Add(wait)
				if p.Take(now, tt.rate) != 0 {
					t.Errorf("rate %v: call %d waits twice", tt.rate, i)
				}
			}
			if got := now.Sub(start).Milliseconds(); got != int64(want) {
				t.Errorf("rate %v: call %d left after %d ms, want %d", tt.rate, i, got, want)
			}
		}
	}
}

// TestPacerIsBounded keeps no more times than a second needs.
func TestPacerIsBounded(t *testing.T) {
	var p Pacer
	now := time.Unix(1e9, 0)
	for range 10_000 {
		now = now.Add(p.Take(now, 3))
		p.Take(now, 3)
	}
	if len(p.sent) > 6 {
		t.Errorf("keeps %d times", len(p.sent))
	}
}
