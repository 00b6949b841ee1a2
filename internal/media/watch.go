package media

import (
	"time"

	"github.com/offhook/offhook/internal/core"
)

const (
	// watchEvery is how often the legs are looked at.
	watchEvery = time.Second
	// silentAfter is how long nothing may come of a leg that somebody should hear
	// before the Server says why.
	silentAfter = 5 * time.Second
)

// Diagnosis is what a path knows of why its far end is not heard. The zero value
// says that there is nothing to wonder about: the far end announced that it sends
// nothing, as on hold.
type Diagnosis struct {
	Silence core.Silence
	Text    string // for people: one line, below 256 bytes
}

// hearing is whether and since when a leg was heard.
type hearing struct {
	since  time.Time // of the last packet, or since when it should be heard; zero while nobody should
	stats  Stats     // at that time
	silent bool      // reported
}

// watch looks after silent legs until stop is closed.
func (s *Server) watch(stop <-chan struct{}) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case now := <-tick.C:
			s.look(now)
		}
	}
}

// look reports what has changed about who is heard.
func (s *Server) look(now time.Time) {
	defer func() { s.stage.survived(recover(), "watching who is heard") }()
	s.settleDetections()
	for _, e := range s.listen(now) {
		if silent, ok := e.(core.LegSilent); ok {
			s.log.Warn("no audio from a leg", "leg", string(silent.Leg), "silence", string(silent.Silence), "diagnosis", silent.Diagnosis)
		}
		_ = s.events.Post(e) // the node has stopped: nobody is left to tell
	}
}

// listen returns what has changed about who is heard.
func (s *Server) listen(now time.Time) []core.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var news []core.Event
	for _, m := range s.legs {
		s.settleLocked(m)
		if e := m.listen(now); e != nil {
			news = append(news, e)
		}
	}
	return news
}

// listen returns an event if m fell silent or is heard again. Only who should be
// heard by somebody can be silent.
func (m *member) listen(now time.Time) core.Event {
	h := &m.hearing
	if !m.audible() || m.virtual() || len(m.hearers) == 0 {
		h.since = time.Time{}
		return nil
	}
	stats := m.path.Stats()
	switch {
	case h.since.IsZero():
		h.since, h.stats = now, stats
		return nil
	case stats.PacketsReceived != h.stats.PacketsReceived:
		again := h.silent
		*h = hearing{since: now, stats: stats}
		if again {
			return core.LegHeard{Leg: m.id}
		}
		return nil
	case h.silent || now.Sub(h.since) < silentAfter:
		return nil
	}
	d := m.path.Diagnose(h.stats)
	if d.Silence == core.SilenceNone {
		h.since = now // it may send again at any time, and has as long as before then
		return nil
	}
	h.silent = true
	return core.LegSilent{Leg: m.id, Silence: d.Silence, Diagnosis: d.Text}
}
