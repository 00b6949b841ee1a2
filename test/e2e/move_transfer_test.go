//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestTransfers sends parties on by REFER, blind and attended, as caller and as
// callee, to who answers, is busy, refuses or does not exist.
func TestTransfers(t *testing.T) {
	showMoves(t, []move{
		{"blind by the callee", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c, a := m.call(cus, ann, "ann")
			m.wantPair("cus", c, annHz, "ann", a, cusHz)
			m.refer(a, m.uri("ben"+m.index))
			b := m.ring(ben)
			m.wantHear("ann, who sent on", a)
			b.Answer()
			m.wantNotified(ann, 100, 180, 200)
			m.wantEnded(ann, 1)
			m.wantPair("cus", c, benHz, "ben", b, cusHz)
			m.hangUp(c, ben)
			m.wantRecords("cus", "inbound 16")
			m.wantRecords("ann", "outbound 16")
			m.wantRecords("ben", "outbound 16")
		}},
		{"blind by the caller", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			a, c := m.call(ann, cus, "cus")
			m.wantPair("cus", c, annHz, "ann", a, cusHz)
			m.refer(a, m.uri("ben"+m.index))
			b := m.ring(ben)
			b.Answer()
			m.wantNotified(ann, 100, 180, 200)
			m.wantEnded(ann, 1)
			m.wantPair("cus", c, benHz, "ben", b, cusHz)
			m.hangUp(b, cus)
			m.wantRecords("cus", "outbound 16")
			m.wantRecords("ann", "inbound 16")
			m.wantRecords("ben", "outbound 16")
		}},
		{"blind to who is busy", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c, a := m.call(cus, ann, "ann")
			m.refer(a, m.uri("ben"+m.index))
			m.ring(ben).Decline(486)
			m.wantNotified(ann, 100, 180, 486)
			m.wantPair("cus", c, annHz, "ann", a, cusHz)
			m.refer(a, m.uri("ben"+m.index)) // and again, to who declines
			m.ring(ben).Decline(603)
			m.wantNotified(ann, 100, 180, 603)
			m.wantPair("cus", c, annHz, "ann", a, cusHz)
			m.hangUp(c, ann)
			m.wantRecords("ben", "outbound 21 603", "outbound 17 486")
			m.wantRecords("ann", "outbound 16")
			m.wantRecords("cus", "inbound 16")
		}},
		{"blind to what must not or cannot be reached", "cus ann ben", func(m *mover) {
			cus, ann := m.phone("cus", cusHz), m.phone("ann", annHz)
			c, a := m.call(cus, ann, "ann")
			for _, refused := range []struct {
				to    string
				codes []int
			}{{"nobody", []int{404}}, {"112", []int{403}}, {"ben" + m.index, []int{100, 480}}} { // ben has no phone
				m.refer(a, m.uri(refused.to))
				m.wantNotified(ann, refused.codes...)
			}
			m.wantPair("cus", c, annHz, "ann", a, cusHz)
			m.hangUp(a, cus)
			m.wantRecords("ann", "outbound 16")
			m.wantRecords("cus", "inbound 16")
		}},
		{"blind from hold to who is busy", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c, a := m.call(cus, ann, "ann")
			a.Hold() // as phones do
			m.wantMusic("cus", c)
			m.refer(a, m.uri("ben"+m.index))
			m.ring(ben).Decline(486)
			m.wantNotified(ann, 100, 180, 486)
			m.wantMusic("cus", c)
			a.Resume()
			m.wantPair("cus", c, annHz, "ann", a, cusHz)
			m.hangUp(c, ann)
			m.wantRecords("ann", "outbound 16")
		}},
		{"blind, who sent hangs up at once", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c, a := m.call(cus, ann, "ann")
			m.refer(a, m.uri("ben"+m.index))
			b := m.ring(ben)
			a.HangUp()
			m.message(ann, 1, "< SIP/2.0 200 ", " BYE\r\n")
			b.Decline(486)
			cus.Await(phone.Ended, soon)
			harness.WantPrompt(m.T, "cus", c.Heard(20*time.Second), core.PromptBusy)
			m.wantRecords("ann", "outbound 16")
			m.wantRecords("ben", "outbound 17 486")
			m.wantRecords("cus", "inbound 17")
		}},
		{"blind, the sent gives up", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c, a := m.call(cus, ann, "ann")
			m.refer(a, m.uri("ben"+m.index))
			m.ring(ben)
			m.hangUp(c)
			m.wantEnded(ann, 1)
			wantCancelled(m.T, ben, whyCallerGone)
			m.wantRecords("ben", "outbound 16")
			m.wantRecords("ann", "outbound 16")
		}},
		{"attended", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c, a := m.call(cus, ann, "ann")
			a.Hold() // as phones do
			m.wantMusic("cus", c)
			second, b := m.call(ann, ben, "ben")
			m.wantPair("ann", second, benHz, "ben", b, annHz)
			m.refer(a, m.attended("ben"+m.index, second))
			m.wantNotified(ann, 200)
			m.wantEnded(ann, 2)
			m.wantPair("cus", c, benHz, "ben", b, cusHz)
			m.hangUp(b, cus)
			m.wantRecords("ann", "inbound 16", "outbound 16")
			m.wantRecords("cus", "inbound 16")
			m.wantRecords("ben", "outbound 16")
		}},
		{"attended by the caller of both", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			a, c := m.call(ann, cus, "cus")
			second, b := m.call(ann, ben, "ben")
			m.refer(second, m.attended("cus"+m.index, a))
			m.wantNotified(ann, 200)
			m.wantEnded(ann, 2)
			m.wantPair("cus", c, benHz, "ben", b, cusHz)
			m.hangUp(c, ben)
			m.wantRecords("ann", "inbound 16", "inbound 16")
		}},
		{"attended while it rings", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c, _ := m.call(cus, ann, "ann")
			dial(m.T, ann, "ben"+m.index, phone.DialOptions{})
			b := m.ring(ben)
			m.api.Do(m.T, "POST", m.legs("ann")[0].path()+"/transfer", `{"with":"`+m.legs("ann")[1].id+`"}`, 200)
			ann.Await(phone.Ended, soon)
			ann.Await(phone.Ended, soon)
			b.Answer()
			m.wantPair("cus", c, benHz, "ben", b, cusHz)
			m.hangUp(c, ben)
			m.wantRecords("ann", "inbound 16 480", "outbound 16")
		}},
		{"taken over by another phone of the user", "cus ann ben", func(m *mover) {
			cus, ann := m.phone("cus", cusHz), m.phone("ann", annHz)
			c, a := m.call(cus, ann, "ann")
			other := m.user("ann"+m.index, benHz)
			o := dial(m.T, other, "cus"+m.index, replacing(a))
			o.Await(phone.Answered, soon)
			m.wantEnded(ann, 1)
			m.wantPair("cus", c, benHz, "ann's other phone", o.call, cusHz)
			m.hangUp(c, other)
			m.wantRecords("ann", "inbound 16", "outbound 16")
		}},
	})
}
