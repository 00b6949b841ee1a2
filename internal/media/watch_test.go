package media

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// mouth is a path whose far end says something when told to.
type mouth struct {
	stream    Stream
	stats     Stats
	diagnosis Diagnosis
}

func (p *mouth) Format() Format           { return Format{Codec: PCMU} }
func (p *mouth) Stream() *Stream          { return &p.stream }
func (p *mouth) Receive(func(*Packet))    {}
func (p *mouth) Send(*Packet)             {}
func (p *mouth) Stats() Stats             { return p.stats }
func (p *mouth) Diagnose(Stats) Diagnosis { return p.diagnosis }
func (p *mouth) Close()                   {}

// TestSilentLegsAreReported goes through a call second by second.
func TestSilentLegsAreReported(t *testing.T) {
	s := NewServer(Config{})
	s.Close() // nobody else looks at the legs
	ann, bob := &mouth{diagnosis: Diagnosis{core.SilenceNoRTP, "no RTP comes to port 4000"}}, new(mouth)
	s.Attach("ann", ann)
	s.Attach("bob", bob)
	talk := func(on bool) {
		rows := []core.Hear{{Leg: "ann"}, {Leg: "bob"}}
		if on {
			rows[0].From, rows[1].From = []core.LegID{"bob"}, []core.LegID{"ann"}
		}
		for _, row := range rows {
			s.Do(row)
		}
	}
	silent := core.LegSilent{Leg: "ann", Silence: core.SilenceNoRTP, Diagnosis: "no RTP comes to port 4000"}
	for _, step := range []struct {
		at   int // s
		do   func()
		want core.Event
	}{
		{0, func() {}, nil},
		{20, func() {}, nil}, // nobody hears anybody
		{21, func() { talk(true) }, nil},
		{25, func() { bob.stats.PacketsReceived++ }, nil},
		{26, func() { bob.stats.PacketsReceived++ }, silent},
		{28, func() { bob.stats.PacketsReceived++ }, nil}, // once
		{29, func() { bob.stats.PacketsReceived++; ann.stats.PacketsReceived++ }, core.LegHeard{Leg: "ann"}},
		{30, func() { bob.stats.PacketsReceived++; ann.stats.PacketsReceived++ }, nil},
		{34, func() { bob.stats.PacketsReceived++ }, nil},
		{35, func() { bob.stats.PacketsReceived++ }, silent},
		{36, func() { talk(false) }, nil},
		{50, func() { talk(true) }, nil},
		{58, func() { bob.stats.PacketsReceived++ }, nil}, // still the same silence
		{59, func() { ann.stats.PacketsReceived++ }, core.LegHeard{Leg: "ann"}},
		{60, func() { ann.diagnosis = Diagnosis{} }, nil}, // says that it is on hold
		{70, func() { bob.stats.PacketsReceived++ }, nil},
	} {
		step.do()
		var got core.Event
		for _, e := range s.listen(time.Unix(int64(step.at), 0)) {
			if got != nil {
				t.Errorf("second %d: more than one event", step.at)
			}
			got = e
		}
		if got != step.want {
			t.Errorf("second %d: %v, want %v", step.at, got, step.want)
		}
	}
}
