package media

import (
	"slices"
	"time"
)

const (
	// weatherSpan is how many packets the weather is made of.
	weatherSpan = 16
	// roughLateness is from when on a packet counts as late; that much is left to the
	// far end's own buffer.
	roughLateness = 8 * time.Millisecond
	// roughPackets is how many late packets of a span make it rough. A packet now and
	// then that another overtook is no reason to delay all.
	roughPackets = 4
	// weatherJump is a change that no network makes: the speaker made a pause or
	// counts anew.
	weatherJump = 200 * time.Millisecond
)

// weather judges how evenly a speaker's packets come. The zero value is ready.
type weather struct {
	begin  time.Time
	stamp  uint32
	passed time.Duration // from the first timestamp to stamp
	seen   [weatherSpan]time.Duration
	count  int
}

// note notes a packet and reports whether the weather is rough.
func (w *weather) note(p *Packet, clock uint32, now time.Time) bool {
	if w.begin.IsZero() {
		w.begin, w.stamp = now, p.Timestamp
	}
	w.passed += time.Duration(int32(p.Timestamp-w.stamp)) * time.Second / time.Duration(clock)
	w.stamp = p.Timestamp
	transit := now.Sub(w.begin) - w.passed
	if w.count > 0 && (transit-w.seen[(w.count-1)%weatherSpan]).Abs() > weatherJump {
		*w = weather{begin: now, stamp: p.Timestamp}
		transit = 0
	}
	w.seen[w.count%weatherSpan] = transit
	w.count++
	return w.rough()
}

func (w *weather) rough() bool {
	seen := w.seen[:min(w.count, weatherSpan)]
	least := slices.Min(seen)
	late := 0
	for _, transit := range seen {
		if transit-least > roughLateness {
			late++
		}
	}
	return late >= roughPackets
}

// lateness returns how late the last packet was and how late the latest one.
func (w *weather) lateness() (last, worst time.Duration) {
	seen := w.seen[:min(w.count, weatherSpan)]
	least := slices.Min(seen)
	return w.seen[(w.count-1)%weatherSpan] - least, slices.Max(seen) - least
}
