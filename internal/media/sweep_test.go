package media

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

type discard struct{ Path }

func (discard) Format() Format        { return Format{Codec: PCMU} }
func (discard) Receive(func(*Packet)) {}
func (discard) Stats() Stats          { return Stats{} }
func (discard) Diagnose(Stats) Diagnosis {
	return Diagnosis{}
}

// A row that crosses the end of its leg must not stay for ever; one that waits
// for a path must stay as long as a call rings.
func TestRowsWithoutPathAreForgotten(t *testing.T) {
	s := NewServer(Config{})
	defer s.Close()
	s.Do(core.Hear{Leg: "late", From: []core.LegID{"gone"}})
	s.Attach("live", discard{})
	s.Do(core.Hear{Leg: "live", From: []core.LegID{"gone"}})
	s.legs["live"].since = time.Now().Add(-time.Hour) // a long call
	later := func(d time.Duration) { s.sweepLocked(time.Now().Add(d)) }
	later(5 * time.Minute)
	if s.legs["late"] == nil {
		t.Error("a row is forgotten after 5 minutes")
	}
	later(11 * time.Minute)
	if s.legs["late"] != nil || s.legs["live"] == nil || len(s.legs["live"].speakers) == 0 {
		t.Errorf("%d legs left, want live and whom it names", s.Legs())
	}
	s.Attach("other", discard{}) // the path of a long call moves away for a moment
	if m := s.legs["live"]; m.path != nil || time.Since(m.since) > time.Minute {
		t.Error("a leg without path since a moment counts as an old one")
	}
	s.Detach("other")
	s.Detach("live")
	if n := s.Legs(); n != 0 {
		t.Errorf("%d legs left", n)
	}
}
