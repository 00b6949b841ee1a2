package media

import (
	"math"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// Quality returns how the audio of a leg fared so far; false if it has no path.
func (s *Server) Quality(leg core.LegID) (core.Quality, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.legs[leg]
	if !ok || m.path == nil {
		return core.Quality{}, false
	}
	return m.quality(), true
}

// quality returns how the audio of m fared since it has its path.
func (m *member) quality() core.Quality {
	now, then := m.path.Stats(), m.atFirst
	q := core.Quality{
		Received: now.PacketsReceived - then.PacketsReceived, Sent: now.PacketsSent - then.PacketsSent,
		Jitter: now.Jitter, RoundTrip: now.RoundTrip, FarLost: now.FarLost, FarJitter: now.FarJitter,
	}
	if now.Lost > then.Lost { // a new source begins to count anew
		q.Lost = now.Lost - then.Lost
	}
	if q.Received > 0 {
		q.MOS = estimate(m.format.Codec, float64(q.Lost)*100/float64(q.Lost+q.Received), q.RoundTrip/2, q.Jitter)
	}
	if q.RoundTrip > 0 || q.FarJitter > 0 { // the party reports
		q.FarMOS = estimate(m.format.Codec, float64(q.FarLost), q.RoundTrip/2, q.FarJitter)
	}
	return q
}

// estimate returns the mean opinion score that the E-model expects (ITU-T G.107
// with the defaults of its table 2, and Ie and Bpl of G.113 appendix I for G.711
// with concealment; Opus and G.722 are taken for as good and as robust). Lost is in
// percent, way the time from mouth to ear without buffers.
func estimate(k Codec, lost float64, way, jitter time.Duration) float64 {
	const (
		best      = 93.2 // R with all defaults
		robust    = 25.1 // Bpl
		packet    = 20 * time.Millisecond
		threshold = 177.3 // ms, from where delay begins to hamper a conversation
	)
	delay := float64(way+packet+2*jitter) / float64(time.Millisecond)
	if k == Opus {
		delay += 6.5 // its look-ahead
	}
	r := best - 0.024*delay - 95*lost/(lost+robust)
	if delay > threshold {
		r -= 0.11 * (delay - threshold)
	}
	r = min(max(r, 0), 100)
	return math.Round(100*(1+0.035*r+7e-6*r*(r-60)*(100-r))) / 100
}
