package route

import (
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// Meter counts calls over trunks against the Limits of a Directory. The zero
// Meter is ready. It is not safe for concurrent use.
type Meter struct {
	accounts map[account]*usage
	legs     map[core.LegID]*charged
	swept    time.Time // when idle accounts were last forgotten
}

// charged is a leg that is counted.
type charged struct {
	accounts []account
	since    time.Time // when it began to talk, zero before and after
}

// usage is what one account has done.
type usage struct {
	sent    []time.Time                // calls begun in the last second or so
	live    int                        // legs
	talking []core.LegID               // those that talk, in the order they began to
	talk    [hoursPerDay]time.Duration // what was talked, by hour of the day
	until   time.Time                  // up to when talk has it
	hour    int64                      // the newest hour in talk, since 1970
	seen    time.Time                  // of the last call
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
		m.legs, m.accounts = make(map[core.LegID]*charged), make(map[account]*usage)
	}
	m.legs[leg] = &charged{accounts: accounts(by, trunk)}
	for _, a := range m.legs[leg].accounts {
		u := m.accounts[a]
		if u == nil {
			u = &usage{}
			m.accounts[a] = u
		}
		u.sent, u.seen = append(u.recent(), now), now
		u.live++
	}
}

// Answered begins a leg's conversation.
func (m *Meter) Answered(now time.Time, leg core.LegID) {
	l := m.legs[leg]
	if l == nil || !l.since.IsZero() {
		return
	}
	l.since = now
	for _, a := range l.accounts {
		u := m.accounts[a]
		u.settle(now)
		u.talking = append(u.talking, leg)
	}
}

// Silent ends a leg's conversation. It returns the legs for which Left has
// changed so that it must be asked again: of each account that which began last.
func (m *Meter) Silent(now time.Time, leg core.LegID) (again []core.LegID) {
	l := m.legs[leg]
	if l == nil || l.since.IsZero() {
		return nil
	}
	l.since = time.Time{}
	for _, a := range l.accounts {
		u := m.accounts[a]
		u.settle(now)
		u.talking = slices.DeleteFunc(u.talking, func(o core.LegID) bool { return o == leg })
		if n := len(u.talking); n > 0 && !slices.Contains(again, u.talking[n-1]) {
			again = append(again, u.talking[n-1])
		}
	}
	return again
}

// End ends a leg that Begin counted; of others it knows nothing.
func (m *Meter) End(now time.Time, leg core.LegID) {
	m.Silent(now, leg)
	if l := m.legs[leg]; l != nil {
		for _, a := range l.accounts {
			m.accounts[a].live--
			m.accounts[a].seen = now
		}
	}
	delete(m.legs, leg)
}

// Left returns how long a leg may talk from now on if nobody begins or ends to,
// and whether that is limited. Who asks it for each leg that is answered, and for
// those that Silent returns, and then Spent when the time is over, misses no
// account's end.
func (m *Meter) Left(now time.Time, d *Directory, leg core.LegID) (left time.Duration, limited bool) {
	l := m.legs[leg]
	if l == nil {
		return 0, false
	}
	least := func(mine time.Duration) {
		if mine = max(0, mine); !limited || mine < left {
			left, limited = mine, true
		}
	}
	for _, a := range l.accounts {
		limit, u := d.limit(a), m.accounts[a]
		if limit.Longest > 0 && !l.since.IsZero() {
			least(l.since.Add(time.Duration(limit.Longest)).Sub(now))
		}
		if limit.Minutes > 0 {
			n := time.Duration(max(1, len(u.talking)))
			least((limit.talk() - u.talked(now) + n - 1) / n) // not too early: rounded up
		}
	}
	return left, limited
}

// Spent returns the legs that may not talk on when Left of leg is over: all of an
// account whose minutes are used up, or leg alone if it took too long.
func (m *Meter) Spent(now time.Time, d *Directory, leg core.LegID) (legs []core.LegID) {
	l := m.legs[leg]
	if l == nil || l.since.IsZero() {
		return nil
	}
	for _, a := range l.accounts {
		limit, u := d.limit(a), m.accounts[a]
		if limit.Minutes > 0 && u.talked(now) >= limit.talk() {
			legs = append(legs, u.talking...)
		} else if limit.Longest > 0 && now.Sub(l.since) >= time.Duration(limit.Longest) {
			legs = append(legs, leg)
		}
	}
	return legs
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
		if u.live == 0 && now.Sub(u.seen) > hoursPerDay*time.Hour {
			delete(m.accounts, a)
		}
	}
}

// within reports whether one more call is within limit.
func (u *usage) within(now time.Time, limit Limit) bool {
	if limit.Calls > 0 && u.live >= limit.Calls {
		return false
	}
	if limit.Minutes > 0 && u.talked(now) >= limit.talk() {
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
	u.settle(now)
	var sum time.Duration
	for _, t := range u.talk {
		sum += t
	}
	return sum
}

// settle counts what was talked up to now.
func (u *usage) settle(now time.Time) {
	u.turn(now)
	if len(u.talking) > 0 {
		u.talk[u.hour%hoursPerDay] += time.Duration(len(u.talking)) * now.Sub(u.until)
	}
	u.until = now
}

// turn forgets the hours that are a day old.
func (u *usage) turn(now time.Time) {
	hour := now.Unix() / 3600
	for h := max(u.hour+1, hour-hoursPerDay+1); h <= hour; h++ {
		u.talk[h%hoursPerDay] = 0
	}
	u.hour = max(u.hour, hour)
}
