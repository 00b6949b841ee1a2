package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/exchange"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/engine"
)

// ender is an edge that does nothing but end legs when told to.
type ender struct{ post func(core.Event) }

func (e *ender) Do(cmd core.LegCommand) {
	if end, ok := cmd.(core.End); ok {
		e.post(core.LegGone{Leg: end.Leg, Cause: end.Cause})
	}
}

type discard struct{}

func (discard) Do(core.MediaCommand)              {}
func (discard) Publish(time.Time, core.LegChange) {}

// BenchmarkLoop posts from several goroutines, with timers and drivers: calls
// that ring one phone and whose caller gives up.
func BenchmarkLoop(b *testing.B) {
	const posters, calls = 4, 250
	d, err := route.NewDirectory(route.Resources{
		Users: []route.User{{Name: "alice"}}, Numbers: []route.Number{{Number: "17", User: "alice"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	edge := &ender{}
	l := engine.New(engine.Config{
		Exchange: exchange.New(exchange.Config{Directory: d}),
		SIP:      edge, Browser: edge, Media: discard{}, Events: discard{},
		Log: slog.New(slog.DiscardHandler),
	})
	post := func(ev core.Event) {
		if err := l.Post(ev); err != nil {
			b.Error(err)
		}
	}
	edge.post = post
	post(core.ContactUp{Contact: core.Contact{ID: "desk", User: core.UserID{Name: "alice"}, Edge: core.EdgeSIP}})
	ctx, stop := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { l.Run(ctx) })
	defer running.Wait()
	defer stop()
	round := 0
	for b.Loop() {
		round++
		var wg sync.WaitGroup
		for p := range posters {
			wg.Go(func() {
				for i := range calls {
					leg := core.LegID(fmt.Sprintf("%d-%d-%d", round, p, i))
					post(call(leg))
					post(core.LegMuted{Leg: leg, Muted: true})
					post(core.LegGone{Leg: leg, Cause: core.CauseNormal})
				}
			})
		}
		wg.Wait()
		for l.Stats().Events < uint64(1+round*posters*calls*4) {
			time.Sleep(10 * time.Microsecond)
		}
	}
	b.ReportMetric(float64(l.Stats().Events)/b.Elapsed().Seconds(), "events/s")
}
