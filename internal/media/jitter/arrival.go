package jitter

import "time"

const (
	// arrivalWindow is how far back lateness is looked at. In calm after trouble
	// it is the time before a buffer begins to get shorter.
	arrivalWindow = 3 * time.Second
	// arrivalCount is how many packets of it are remembered: 3 s of 20 ms ones with
	// room for 12 ms ones.
	arrivalCount = 256
	// arrivalJump is a change between two packets that no network makes: the
	// sender counts anew, and what was learnt says nothing about it.
	arrivalJump = 200 * time.Millisecond
	// arrivalSettled is how many packets make a judgement; with fewer, after a
	// pause, the one before it stands as a lower limit.
	arrivalSettled = 50
	// arrivalSpare is of how many packets one late one does not count.
	arrivalSpare = 200
	// oneMoment is the time between two packets that come at once: what was held up
	// together is late for one reason, and only its first packet counts.
	oneMoment = 5 * time.Millisecond
	// arrivalStall is by how much a moment must be later than all others to be taken
	// for one that does not come again: the network, the sender's machine or ours has
	// stood still. Waiting for the next one would delay everything for the whole
	// window, and cut a piece of that length out of the speech at its end.
	arrivalStall = 80 * time.Millisecond
	// Packets that were overtaken by a later one are not waited for while they are
	// fewer than this share of all, of 1<<20: what is missing without them is short
	// and alone, which is filled unnoticed, and waiting delays everything.
	arrivalOvertaken = 1 << 20 * 5 / 100
)

// Arrival measures how late the packets of one stream come, compared with the
// earliest of the last seconds. It follows clock skew: what is compared is at most
// 3 s old. The zero value is ready; it is not safe for concurrent use.
type Arrival struct {
	seen  [arrivalCount]passage // ring
	count int                   // of seen in use
	at    int                   // where the next one goes

	earliest  time.Duration // least transit of the window
	late      time.Duration // lateness of the window
	newest    time.Duration // place of the newest packet in the stream
	overtaken int           // share of overtaken packets, of 1<<20; it fades
	settled   time.Duration // late when there were packets enough to judge

	// For Observe, which makes its own time line.
	begun bool
	epoch time.Time
	stamp uint32
	ticks int64
}

// passage is one packet: when it came, and how long after its place in the
// stream. The zero of both is arbitrary.
type passage struct {
	at, transit time.Duration
	along       bool // it came with the one before it
}

// Observe notes a packet of audio that came now; clock is the RTP clock in Hz. Its
// timestamp may be older than the last one's; packets that came twice should be
// left out.
func (a *Arrival) Observe(now time.Time, timestamp, clock uint32) {
	if !a.begun {
		a.begun, a.epoch, a.stamp = true, now, timestamp
	}
	a.ticks += int64(int32(timestamp - a.stamp))
	a.stamp = timestamp
	at := now.Sub(a.epoch)
	a.note(passage{at: at, transit: at - time.Duration(a.ticks)*time.Second/time.Duration(clock)})
}

// Lateness returns how late packets come: the latest of the last 3 s, without one
// of two hundred and without one moment at which all stood still. 0 is a network
// without jitter.
func (a *Arrival) Lateness() time.Duration {
	if a.count < arrivalSettled {
		return max(a.late, a.settled)
	}
	return a.late
}

// forget begins anew with another stream, on the same network.
func (a *Arrival) forget() {
	settled := a.Lateness()
	*a = Arrival{settled: settled}
}

func (a *Arrival) note(p passage) {
	if a.passed(p) {
		return
	}
	if a.count > 0 {
		before := a.seen[(a.at+arrivalCount-1)%arrivalCount]
		p.along = p.at-before.at < oneMoment
		if d := p.transit - before.transit; d > arrivalJump || d < -arrivalJump {
			a.settled, a.count, a.newest, p.along = a.Lateness(), 0, p.at-p.transit, false
		}
	}
	changed := a.expire(p.at)
	a.seen[a.at] = p
	a.at = (a.at + 1) % arrivalCount
	a.count++
	if changed || a.decides(p) || a.count < arrivalSettled || a.count >= arrivalSpare {
		a.measure()
	}
	if a.count >= arrivalSettled {
		a.settled = a.late
	}
}

// passed reports whether p was overtaken, and need not be waited for.
func (a *Arrival) passed(p passage) bool {
	if place := p.at - p.transit; a.count == 0 || place >= a.newest {
		a.newest = place
		a.overtaken -= a.overtaken / 128
		return false
	}
	a.overtaken += (1<<20 - a.overtaken) / 128
	return a.overtaken < arrivalOvertaken && p.transit-a.earliest < arrivalJump
}

// expire drops what is too old and makes room for one more; it is true if what was
// measured may have changed by that.
func (a *Arrival) expire(now time.Duration) (changed bool) {
	for a.count > 0 {
		oldest := a.seen[(a.at+arrivalCount-a.count)%arrivalCount]
		if now-oldest.at <= arrivalWindow && a.count < arrivalCount {
			break
		}
		changed = changed || a.decides(oldest)
		a.count--
	}
	return changed
}

// decides reports whether the lateness of the window is made of p.
func (a *Arrival) decides(p passage) bool {
	return p.transit <= a.earliest || p.transit-a.earliest >= a.late
}

// measure finds the earliest packet of the window and the latest that counts.
func (a *Arrival) measure() {
	const never = -1 << 62
	latest := [2]time.Duration{never, never} // greatest first
	a.earliest = -never
	for n := range a.count {
		p := a.seen[(a.at+arrivalCount-1-n)%arrivalCount]
		a.earliest = min(a.earliest, p.transit)
		switch {
		case p.along:
		case p.transit > latest[0]:
			latest[0], latest[1] = p.transit, latest[0]
		case p.transit > latest[1]:
			latest[1] = p.transit
		}
	}
	late := latest[a.count/arrivalSpare]
	if latest[0]-latest[1] > arrivalStall {
		late = latest[1]
	}
	a.late = max(0, late-a.earliest)
}
