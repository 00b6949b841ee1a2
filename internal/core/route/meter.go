package route

import (
	"time"

	"github.com/offhook/offhook/internal/core"
)

// Meter counts calls over trunks against the Limits of a Directory. The zero
// Meter is ready. It is not safe for concurrent use.
type Meter struct {
	accounts map[account]*usage
	legs     map[core.LegID][]account
	swept    time.Time // when idle accounts were last forgotten
}

// usage is what one account has done.
type usage struct {
	sent []time.Time                // calls begun in the last second or so
	live map[core.LegID]time.Time   // since when each leg talks, zero before
	talk [hoursPerDay]time.Duration // of legs that ended, by hour of the day
	hour int64                      // the newest hour in talk, since 1970
	seen time.Time                  // of the last call
}

const hoursPerDay = 24

// Admit says why a call by a user, or nobody, may not be rung over trunk now, or
// nil. It counts nothing; Begin does. A full trunk's refusal lets the call go on
// to the next trunk, that of a user or application does not.
func (m *Meter) Admit(now time.Time, d *Directory, by core.UserID, trunk string) *Refusal {
	for _, a := range accounts(by, trunk) {
		if m.usage(a).within(now, d.limit(a)) {
			continue
		}
		if a.kind == trunkAccount {
			return &Refusal{Cause: core.CauseNoCircuit, Code: 503}
		}
		refusal := notAllowed
		return &refusal
	}
	return nil
}

// Begin counts a leg that is rung over trunk.
func (m *Meter) Begin(now time.Time, leg core.LegID, by core.UserID, trunk string) {
	m.sweep(now)
	if m.legs == nil {
		m.legs, m.accounts = make(map[core.LegID][]account), make(map[account]*usage)
	}
	m.legs[leg] = accounts(by, trunk)
	for _, a := range m.legs[leg] {
		u := m.accounts[a]
		if u == nil {
			u = &usage{live: make(map[core.LegID]time.Time)}
			m.accounts[a] = u
		}
		u.sent, u.seen = append(u.recent(), now), now
		u.live[leg] = time.Time{}
	}
}

// Answered begins a leg's conversation.
func (m *Meter) Answered(now time.Time, leg core.LegID) {
	for _, a := range m.legs[leg] {
		if u := m.accounts[a]; u.live[leg].IsZero() {
			u.live[leg] = now
		}
	}
}

// End ends a leg that Begin counted; of others it knows nothing.
func (m *Meter) End(now time.Time, leg core.LegID) {
	for _, a := range m.legs[leg] {
		u := m.accounts[a]
		if since := u.live[leg]; !since.IsZero() {
			u.turn(now)
			u.talk[u.hour%hoursPerDay] += now.Sub(since)
		}
		delete(u.live, leg)
		u.seen = now
	}
	delete(m.legs, leg)
}

// Left returns how long a leg may talk from now on, and whether that is limited.
func (m *Meter) Left(now time.Time, d *Directory, leg core.LegID) (left time.Duration, limited bool) {
	for _, a := range m.legs[leg] {
		limit := d.limit(a)
		if limit.Minutes == 0 {
			continue
		}
		mine := max(0, time.Duration(limit.Minutes)*time.Minute-m.accounts[a].talked(now))
		if !limited || mine < left {
			left, limited = mine, true
		}
	}
	return left, limited
}

// Idle reports whether no leg is counted.
func (m *Meter) Idle() bool { return len(m.legs) == 0 }

// usage returns what an account has done, also if that is nothing.
func (m *Meter) usage(a account) *usage {
	if u := m.accounts[a]; u != nil {
		return u
	}
	return &usage{}
}

// sweep forgets accounts that did nothing for a day, once an hour.
func (m *Meter) sweep(now time.Time) {
	if now.Sub(m.swept) < time.Hour {
		return
	}
	m.swept = now
	for a, u := range m.accounts {
		if len(u.live) == 0 && now.Sub(u.seen) > hoursPerDay*time.Hour {
			delete(m.accounts, a)
		}
	}
}

// within reports whether one more call is within limit.
func (u *usage) within(now time.Time, limit Limit) bool {
	if limit.Calls > 0 && len(u.live) >= limit.Calls {
		return false
	}
	if limit.Minutes > 0 && u.talked(now) >= time.Duration(limit.Minutes)*time.Minute {
		return false
	}
	if limit.CallsPerSecond <= 0 {
		return true
	}
	// Below one a second the window is longer than a second.
	burst := max(1, int(limit.CallsPerSecond))
	window := time.Duration(float64(burst) / limit.CallsPerSecond * float64(time.Second))
	n := len(u.sent)
	return n < burst || now.Sub(u.sent[n-burst]) >= window
}

// keepSent is how many calls are remembered: as many as the highest rate asks for.
const keepSent = 1000

// recent returns the calls that may still count, with room for one more.
func (u *usage) recent() []time.Time {
	if n := len(u.sent); n >= keepSent {
		return append(u.sent[:0], u.sent[n-keepSent+1:]...)
	}
	return u.sent
}

// talked is the conversation of the last 24 hours, with that of legs that talk.
func (u *usage) talked(now time.Time) time.Duration {
	u.turn(now)
	var sum time.Duration
	for _, t := range u.talk {
		sum += t
	}
	for _, since := range u.live {
		if !since.IsZero() {
			sum += now.Sub(since)
		}
	}
	return sum
}

// turn forgets the hours that are a day old.
func (u *usage) turn(now time.Time) {
	hour := now.Unix() / 3600
	for h := max(u.hour+1, hour-hoursPerDay+1); h <= hour; h++ {
		u.talk[h%hoursPerDay] = 0
	}
	u.hour = max(u.hour, hour)
}
