package media

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// TestEstimate has values of the simplified E-model, with 20 ms for the packet itself.
func TestEstimate(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name        string
		codec       Codec
		lost        float64
		way, jitter time.Duration
		want        float64
	}{
		{"best", PCMU, 0, 0, 0, 4.4},
		{"1 % lost", PCMU, 1, 0, 0, 4.32},
		{"5 % lost", PCMU, 5, 0, 0, 3.88},
		{"20 % lost", PCMU, 20, 0, 0, 2.6},
		{"300 ms away", PCMU, 0, 300 * ms, 0, 3.59},
		{"jitter of 30 ms", PCMU, 0, 0, 30 * ms, 4.38},
		{"all but nothing lost", PCMU, 100, 0, 0, 1.16},
		{"a minute away", Opus, 0, time.Minute, 0, 1},
	} {
		if got := estimate(c.codec, c.lost, c.way, c.jitter); got < c.want-0.06 || got > c.want+0.06 {
			t.Errorf("%s: %.2f, want %.2f", c.name, got, c.want)
		}
	}
}

// TestQualityIsOfTheLeg: a path may have served other legs before, and tells how it
// fared with this one when it is taken away.
func TestQualityIsOfTheLeg(t *testing.T) {
	var posted []core.Event
	s := NewServer(Config{Events: postTo{&posted}})
	defer s.Close()
	p := &mouth{stats: Stats{PacketsReceived: 1000, PacketsSent: 900, Lost: 50}}
	s.Attach("ann", p)
	p.stats = Stats{PacketsReceived: 1990, PacketsSent: 1900, Lost: 60, Jitter: time.Millisecond, RoundTrip: 20 * time.Millisecond, FarLost: 2}
	q, ok := s.Quality("ann")
	if !ok || q.Received != 990 || q.Lost != 10 || q.Sent != 1000 || q.MOS < 4.2 || q.FarMOS >= q.MOS {
		t.Errorf("%+v", q)
	}
	s.Detach("ann")
	if want := (core.LegCarried{Leg: "ann", Quality: q}); len(posted) != 1 || posted[0] != want {
		t.Errorf("posted %+v, want %+v", posted, want)
	}
	if _, ok := s.Quality("ann"); ok {
		t.Error("a leg without path has a quality")
	}
}

// postTo collects events.
type postTo struct{ list *[]core.Event }

func (p postTo) Post(e core.Event) error {
	*p.list = append(*p.list, e)
	return nil
}
