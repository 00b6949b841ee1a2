package loopedge

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/pcm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// said takes events down. The leg that is offered is called "in".
type said struct {
	mu     sync.Mutex // guards all
	in     core.LegID
	events []string
}

func (s *said) Post(ev core.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if offered, ok := ev.(core.Offered); ok {
		s.in, offered.Leg = offered.Leg, "in"
		ev = offered
	}
	s.events = append(s.events, s.text(ev))
	return nil
}

func (s *said) text(ev core.Event) string {
	name := func(id core.LegID) core.LegID {
		if id == s.in {
			return "in"
		}
		return id
	}
	switch ev := ev.(type) {
	case core.Offered:
		return fmt.Sprintf("offered %s from %s to %s hops %d", ev.Leg, ev.From.Number, ev.To, ev.Hops)
	case core.LegRinging:
		return fmt.Sprintf("ringing %s", name(ev.Leg))
	case core.LegEarly:
		return fmt.Sprintf("early %s", name(ev.Leg))
	case core.LegAccepted:
		return fmt.Sprintf("accepted %s", name(ev.Leg))
	case core.LegUp:
		return fmt.Sprintf("up %s", name(ev.Leg))
	case core.LegDigit:
		return fmt.Sprintf("digit %s %c", name(ev.Leg), ev.Digit)
	case core.LegGone:
		return fmt.Sprintf("gone %s %d %d", name(ev.Leg), ev.Cause, ev.Code)
	}
	return fmt.Sprintf("%T", ev)
}

// take returns what was posted since.
func (s *said) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := s.events
	s.events = nil
	return events
}

func (s *said) ref() core.LegRef { return core.LegRef{Leg: s.in, Edge: core.EdgeLoop} }

var (
	out  = core.LegRef{Leg: "out", Edge: core.EdgeLoop}
	ring = core.Ring{LegRef: out, Target: core.Target{Number: "4930300", Own: true}, From: core.Party{Number: "4930"}, Hops: 2}
)

// newEdge starts an edge that rings, and the media of its legs.
func newEdge(t *testing.T) (*Edge, *media.Server, *said) {
	t.Helper()
	server, events := media.NewServer(media.Config{}), &said{}
	e := New(Config{Post: events, Media: server})
	t.Cleanup(func() { // in the test's bubble, if it has one
		e.Close()
		server.Close()
	})
	e.Do(ring)
	if got := events.take(); !slices.Equal(got, []string{"offered in from 4930 to 4930300 hops 2"}) {
		t.Fatalf("rung: %q", got)
	}
	return e, server, events
}

func TestPair(t *testing.T) {
	progress := func(early bool) func(*said) core.LegCommand {
		return func(s *said) core.LegCommand { return core.Progress{LegRef: s.ref(), Early: early} }
	}
	answer := func(s *said) core.LegCommand { return core.Answer{LegRef: s.ref()} }
	endOut := func(*said) core.LegCommand { return core.End{LegRef: out, Cause: core.CauseNormal} }
	refuse := func(s *said) core.LegCommand {
		return core.End{LegRef: s.ref(), Cause: core.CauseNoAnswer, Code: 480}
	}
	again := func(*said) core.LegCommand { return ring }
	for _, tt := range []struct {
		name string
		do   []func(*said) core.LegCommand
		want []string
	}{
		{"rings", []func(*said) core.LegCommand{progress(false), again}, []string{"ringing out"}},
		{"early media", []func(*said) core.LegCommand{progress(true), progress(true)}, []string{"ringing out", "early out", "ringing out"}},
		{"answers", []func(*said) core.LegCommand{answer, answer}, []string{"up in", "accepted out", "up out"}},
		{"refuses", []func(*said) core.LegCommand{refuse, refuse}, []string{"gone in 19 0", "gone out 19 480"}},
		{"the caller gives up", []func(*said) core.LegCommand{endOut, answer}, []string{"gone out 16 0", "gone in 16 0"}},
		{"hangs up", []func(*said) core.LegCommand{answer, refuse}, []string{"up in", "accepted out", "up out", "gone in 19 0", "gone out 19 0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, _, events := newEdge(t)
			for _, do := range tt.do {
				e.Do(do(events))
			}
			if got := events.take(); !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestClosedEdgeRingsNobody(t *testing.T) {
	events := &said{}
	e := New(Config{Post: events})
	e.Close()
	e.Do(ring)
	if got := events.take(); !slices.Equal(got, []string{"gone out 47 503"}) {
		t.Errorf("%q", got)
	}
}

// TestWhatOneCallSaysTheOtherHears: voice and keys go from call to call, both ways.
func TestWhatOneCallSaysTheOtherHears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, server, events := newEdge(t)
		e.Do(core.Answer{LegRef: events.ref()})
		events.take()
		ears := map[core.LegID]*ear{"alice": newEar(), "bob": newEar()}
		for leg, it := range ears {
			server.Attach(leg, it.path)
		}
		rows := []core.Hear{
			{Leg: "alice", From: []core.LegID{"out"}},
			{Leg: "out", From: []core.LegID{"alice"}},
			{Leg: "bob", From: []core.LegID{events.in}},
			{Leg: events.in, From: []core.LegID{"bob"}},
		}
		for _, row := range rows {
			server.Do(row)
		}
		alice, bob := ears["alice"], ears["bob"]
		time.Sleep(3 * time.Millisecond) // not at the mixer's instants
		for range 100 {
			alice.path.Say(slices.Repeat([]int16{3000}, rate/50))
			bob.path.Say(slices.Repeat([]int16{-5000}, rate/50))
			time.Sleep(pcm.FrameTime)
		}
		server.Press("alice", '7')
		time.Sleep(time.Second)
		for who, want := range map[*ear]int16{bob: 3000, alice: -5000} {
			if n := who.near(want); n < 80 {
				t.Errorf("%d frames near %d of 100", n, want)
			}
		}
		if got := events.take(); !slices.Equal(got, []string{"digit in 7"}) {
			t.Errorf("keys: %q", got)
		}
		if bob.keyed() != "7" {
			t.Errorf("bob heard keys %q", bob.keyed())
		}
		e.Do(core.End{LegRef: out, Cause: core.CauseNormal})
		server.Detach("alice")
		server.Detach("bob")
	})
}

// TestTwoEndsInOneCall: a pair whose ends hear each other and nobody else comes round
// 50 times a second and no faster.
func TestTwoEndsInOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, server, events := newEdge(t)
		e.Do(core.Answer{LegRef: events.ref()})
		server.Do(core.Hear{Leg: events.in, From: []core.LegID{"out"}})
		server.Do(core.Hear{Leg: "out", From: []core.LegID{events.in}})
		e.mu.Lock()
		p := e.pairs["out"]
		e.mu.Unlock()
		p.toIn.hear(0, make([]int16, rate/50))
		p.toIn.hear(0, make([]int16, rate/50))
		time.Sleep(time.Second)
		if n := p.inPath.Stats().PacketsReceived; n > 60 {
			t.Errorf("%d frames in a second", n)
		}
		e.Do(core.End{LegRef: out, Cause: core.CauseNormal})
	})
}

func TestLaneKeepsUp(t *testing.T) {
	var l lane
	buf := make([]int16, 1)
	take := func() []int16 {
		var got []int16
		for l.take(buf) > 0 {
			got = append(got, buf[0])
		}
		return got
	}
	l.hear(0, []int16{1})
	if got := take(); got != nil {
		t.Errorf("began with %v", got)
	}
	l.hear(0, []int16{2})
	if got := take(); !slices.Equal(got, []int16{1, 2}) {
		t.Errorf("said %v", got)
	}
	for i := range int16(9) {
		l.hear(0, []int16{i})
	}
	if got := take(); !slices.Equal(got, []int16{3, 4, 5, 6, 7, 8}) {
		t.Errorf("after a stall: %v", got)
	}
}

// ear is somebody who takes down what is heard.
type ear struct {
	path *pcm.Path

	mu     sync.Mutex // guards what follows
	levels []int16
	keys   string
}

func newEar() *ear {
	it := &ear{}
	it.path = pcm.New(pcm.Config{
		Rate: rate,
		Heard: func(_ int64, samples []int16) {
			it.mu.Lock()
			defer it.mu.Unlock()
			it.levels = append(it.levels, samples[len(samples)/2])
		},
		Key: func(key byte, _ time.Duration) {
			it.mu.Lock()
			defer it.mu.Unlock()
			it.keys += string(rune(key))
		},
	})
	return it
}

// near counts the frames of about that level.
func (it *ear) near(level int16) (n int) {
	it.mu.Lock()
	defer it.mu.Unlock()
	for _, l := range it.levels {
		if d := int(l) - int(level); d > -300 && d < 300 {
			n++
		}
	}
	return n
}

func (it *ear) keyed() string {
	it.mu.Lock()
	defer it.mu.Unlock()
	return it.keys
}
