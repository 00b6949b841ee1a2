package exchange

import (
	"fmt"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// BenchmarkApply measures events a second on the main job: a call rings three
// contacts, one answers, both hang up; a thousand other calls are under way.
// DESIGN.md asks for 200,000 events/s.
func BenchmarkApply(b *testing.B) {
	x := New(Config{Directory: house(b)})
	now := time.Unix(1e9, 0)
	for _, up := range []core.Event{desk, tab, core.ContactUp{Contact: core.Contact{ID: "tab2", User: core.UserID{Name: "alice"}, Edge: core.EdgeBrowser}}} {
		x.Apply(now, up)
	}
	rung := make([]core.LegID, 0, 3)
	offer := func(leg core.LegID) {
		rung = rung[:0]
		for _, cmd := range x.Apply(now, core.Offered{Leg: leg, Edge: core.EdgeSIP, From: core.Party{Trunk: "carrier"}, To: "17"}) {
			if r, ok := cmd.(core.Ring); ok {
				rung = append(rung, r.Leg)
			}
		}
	}
	for i := range 1000 {
		offer(core.LegID(fmt.Sprintf("other-%d", i)))
		x.Apply(now, core.LegUp{Leg: rung[0]})
	}
	b.ReportAllocs()
	events := 0
	for b.Loop() {
		offer("a")
		call := [...]core.Event{
			core.LegRinging{Leg: rung[0]},
			core.LegRinging{Leg: rung[1]},
			core.LegRinging{Leg: rung[2]},
			core.LegAccepted{Leg: rung[1]},
			core.LegUp{Leg: rung[1]},
			core.LegUp{Leg: "a"},
			core.LegGone{Leg: rung[0], Cause: core.CauseNormal},
			core.LegGone{Leg: rung[2], Cause: core.CauseNormal},
			core.LegGone{Leg: "a", Cause: core.CauseNormal},
			core.LegGone{Leg: rung[1], Cause: core.CauseNormal},
		}
		for _, ev := range call {
			x.Apply(now, ev)
		}
		events += 1 + len(call)
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}
