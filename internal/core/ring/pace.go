package ring

import "time"

// Pacer spaces calls to a trunk that takes only so many a second. The zero
// Pacer has sent none.
type Pacer struct{ sent []time.Time }

// Take reports how long a call must wait at rate calls per second; with 0 it
// leaves now and counts. At a rate of 3 three calls leave at once and the fourth
// one second after the first: any window of a second holds at most 3. Below 1 a
// call leaves every 1/rate seconds. A rate of 0 is no limit.
func (p *Pacer) Take(now time.Time, rate float64) (wait time.Duration) {
	if rate <= 0 {
		return 0
	}
	burst := max(1, int(rate))
	window := time.Duration(float64(burst) / rate * float64(time.Second))
	if n := len(p.sent); n >= burst {
		if wait = p.sent[n-burst].Add(window).Sub(now); wait > 0 {
			return wait
		}
		p.sent = append(p.sent[:0], p.sent[n-burst+1:]...) // older ones limit nothing any more
	}
	p.sent = append(p.sent, now)
	return 0
}
