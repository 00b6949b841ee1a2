//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestTransferTimes measures from REFER until both who are connected hear each other
// (rows C10 and C12 of the quality targets: 0.35 and 0.26 s, of which 0.3 and 0.2 are
// what it takes to tell a tone). The bound is for machines that are busy.
func TestTransferTimes(t *testing.T) {
	const bound = 3 * time.Second
	showMoves(t, []move{
		{"blind", "cus ann ben", func(m *mover) {
			cus, ann := m.phone("cus", cusHz), m.phone("ann", annHz)
			ben := m.answering("ben", benHz)
			c, a := m.call(cus, ann, "ann")
			m.wantPair("cus", c, annHz, "ann", a, cusHz)
			hears := whenHeard(c, benHz)
			at := time.Now()
			m.refer(a, m.uri("ben"+m.index))
			b := m.ring(ben)
			heard := whenHeard(b, cusHz)
			m.wantWithin("blind", at, bound, hears, heard)
			m.wantEnded(ann, 1)
			m.hangUp(c, ben)
		}},
		{"attended", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c, a := m.call(cus, ann, "ann")
			a.Hold()
			m.wantMusic("cus", c)
			second, b := m.call(ann, ben, "ben")
			m.wantPair("ann", second, benHz, "ben", b, annHz)
			hears, heard := whenHeard(c, benHz), whenHeard(b, cusHz)
			at := time.Now()
			m.refer(a, m.attended("ben"+m.index, second))
			m.wantWithin("attended", at, bound, hears, heard)
			m.wantEnded(ann, 2)
			m.hangUp(c, ben)
		}},
	})
}

// answering is phone for a party that takes calls at once.
func (m *mover) answering(name string, hz float64) *harness.Phone {
	m.Helper()
	return harness.NewUser(m.T, m.Offhook, name+m.index, password(name+m.index), phone.Config{Say: says(hz), AutoAnswer: true})
}

// whenHeard tells when a call has heard a tone for 80 ms.
func whenHeard(c *phone.Call, hz float64) <-chan time.Time {
	const window = phone.Rate * 80 / 1000
	when := make(chan time.Time, 1)
	var last []int16
	c.Listen(func(pcm []int16) {
		last = append(last, pcm...)
		if last = last[max(0, len(last)-window):]; len(last) == window && meter.Level(last) > -50 && meter.Purity(last, phone.Rate, hz) > harness.Present {
			select {
			case when <- time.Now():
			default: // it has told
			}
		}
	})
	return when
}

// wantWithin waits until both were heard and says how long that took.
func (m *mover) wantWithin(what string, begin time.Time, bound time.Duration, heard ...<-chan time.Time) {
	m.Helper()
	var took time.Duration
	for _, when := range heard {
		took = max(took, testkit.Receive(m.T, when, soon, what+" transfer is heard").Sub(begin))
	}
	m.Logf("%s transfer: both hear each other %v after REFER, 80 ms of it to tell the tone", what, took.Round(time.Millisecond))
	if took > bound {
		m.Errorf("%s transfer took %v, want %v", what, took, bound)
	}
}
