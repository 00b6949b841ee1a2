package media

import "time"

const (
	// weatherSpan is how many moments the weather is made of.
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
	// oneMoment is the time between two packets that come at once. What was held up
	// together is late for one reason and counts as heldTogether packets, so that a
	// machine that stood still once is no rough weather.
	oneMoment    = 5 * time.Millisecond
	heldTogether = 2
	// stallLateness is by how much a moment must be later than all others to be taken
	// for one that does not come again.
	stallLateness = 80 * time.Millisecond
)

// weather judges how evenly a speaker's packets come. The zero value is ready.
type weather struct {
	begin  time.Time
	newest time.Time // when the last packet came
	stamp  uint32
	passed time.Duration // from the first timestamp to stamp
	seen   [weatherSpan]moment
	count  int
}

// moment is what came at once: the transit times of its first packet, which has waited
// longest, and its last.
type moment struct {
	first, last time.Duration
	several     bool
}

// note notes a packet and reports whether the weather is rough.
func (w *weather) note(p *Packet, clock uint32, now time.Time) bool {
	if w.begin.IsZero() {
		w.begin, w.stamp = now, p.Timestamp
	}
	w.passed += time.Duration(int32(p.Timestamp-w.stamp)) * time.Second / time.Duration(clock)
	w.stamp = p.Timestamp
	transit := now.Sub(w.begin) - w.passed
	if w.count > 0 && (transit-w.now().last).Abs() > weatherJump {
		*w = weather{begin: now, stamp: p.Timestamp}
		transit = 0
	}
	if w.count > 0 && now.Sub(w.newest) < oneMoment {
		w.now().last, w.now().several = transit, true
	} else {
		w.count++
		*w.now() = moment{first: transit, last: transit}
	}
	w.newest = now
	return w.rough()
}

// now is the last moment; there must be one.
func (w *weather) now() *moment { return &w.seen[(w.count-1)%weatherSpan] }

func (w *weather) rough() bool {
	least, late := w.least(), 0
	for _, m := range w.moments() {
		switch {
		case m.first-least <= roughLateness:
		case m.several:
			late += heldTogether
		default:
			late++
		}
	}
	return late >= roughPackets
}

func (w *weather) moments() []moment { return w.seen[:min(w.count, weatherSpan)] }

// least is the transit time of the earliest packet.
func (w *weather) least() time.Duration {
	least := w.now().last
	for _, m := range w.moments() {
		least = min(least, m.first, m.last)
	}
	return least
}

// lateness returns how late the last packet was and how late the latest moment, but
// for one at which all stood still.
func (w *weather) lateness() (last, worst time.Duration) {
	var latest [2]time.Duration // greatest first
	least := w.least()
	for _, m := range w.moments() {
		late := m.first - least
		latest[0], latest[1] = max(latest[0], late), max(latest[1], min(latest[0], late))
	}
	worst = latest[0]
	if latest[0]-latest[1] > stallLateness {
		worst = latest[1]
	}
	return w.now().last - least, worst
}
