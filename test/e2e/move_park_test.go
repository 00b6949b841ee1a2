//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/sip"
)

// replacing is how a call takes the place of another (RFC 3891).
func replacing(c *phone.Call) phone.DialOptions {
	return phone.DialOptions{Headers: []sip.Header{sip.NewHeader("Replaces", c.Replaces())}}
}

// TestParkAndPickup parks calls, fetches them from other phones, lets them ring
// back, and picks up what rings elsewhere.
func TestParkAndPickup(t *testing.T) {
	showMoves(t, []move{
		{"parked by REFER, retrieved by dialling", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c, a := m.call(cus, ann, "ann")
			m.wantPair("cus", c, annHz, "ann", a, cusHz)
			m.refer(a, m.uri("705"))
			m.wantNotified(ann, 200)
			m.wantEnded(ann, 1)
			m.wantMusic("cus", c)
			if l := m.leg("cus"); l.state != "parked" || l.slot != "705" {
				m.Errorf("the API says %+v", l)
			}
			b := dial(m.T, ben, "705", phone.DialOptions{})
			b.Await(phone.Answered, soon)
			m.wantPair("cus", c, benHz, "ben", b.call, cusHz)
			m.hangUp(c, ben)
			m.wantRecords("cus", "inbound 16")
			m.wantRecords("ann", "outbound 16")
			m.wantRecords("ben", "inbound 16")
		}},
		{"a taken slot", "cus ann ben cid", func(m *mover) {
			cus, ann, ben, cid := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz), m.phone("cid", cidHz)
			c, _ := m.call(cus, ann, "ann")
			m.api.Do(m.T, "POST", m.leg("cus").path()+"/park", `{"slot":"719"}`, 200)
			m.wantEnded(ann, 1)
			d, b := m.call(cid, ben, "ben")
			m.refer(b, m.uri("719"))
			m.wantNotified(ben, 481)
			m.wantPair("cid", d, benHz, "ben", b, cidHz)
			m.hangUp(c)
			m.hangUp(b, cid)
		}},
		{"nobody fetches it: it rings back", "cus ann", func(m *mover) {
			cus, ann := m.phone("cus", cusHz), m.phone("ann", annHz)
			c, a := m.call(cus, ann, "ann")
			m.refer(a, m.uri("700")) // the first free one
			m.wantNotified(ann, 200)
			m.wantEnded(ann, 1)
			begin := time.Now()
			m.wantMusic("cus", c)
			back := m.ring(ann)
			m.wantAfter("rung back", begin, time.Now(), parkTime)
			back.Answer()
			m.wantPair("cus", c, annHz, "ann", back, cusHz)
			m.hangUp(back, cus)
			m.wantRecords("ann", "outbound 16", "outbound 16")
			m.wantRecords("cus", "inbound 16")
		}},
		{"retrieved by request", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c, _ := m.call(cus, ann, "ann")
			m.api.Do(m.T, "POST", m.leg("cus").path()+"/park", `{"slot":"711"}`, 200)
			m.wantEnded(ann, 1)
			b := dial(m.T, ben, closedNumber, phone.DialOptions{})
			b.Await(phone.Early, soon)
			m.api.Do(m.T, "POST", m.leg("cus").path()+"/retrieve", `{"by":"`+m.leg("ben").id+`"}`, 200)
			b.Await(phone.Answered, soon)
			m.wantPair("cus", c, benHz, "ben", b.call, cusHz)
			m.hangUp(c, ben)
		}},
		{"picked up by code", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c := dial(m.T, cus, "ann"+m.index, phone.DialOptions{})
			m.ring(ann)
			b := dial(m.T, ben, "*8ann"+m.index, phone.DialOptions{})
			b.Await(phone.Answered, soon)
			c.Await(phone.Answered, soon)
			wantCancelled(m.T, ann, whyElsewhere)
			m.wantPair("cus", c.call, benHz, "ben", b.call, cusHz)
			m.hangUp(c.call, ben)
			m.wantRecords("ann", "outbound 26")
			m.wantRecords("ben", "inbound 16")
			m.wantRecords("cus", "inbound 16")
		}},
		{"picked up by Replaces", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c := dial(m.T, cus, "ann"+m.index, phone.DialOptions{})
			a := m.ring(ann)
			o := replacing(a)
			o.Headers[0] = sip.NewHeader("Replaces", a.Replaces()+";early-only")
			b := dial(m.T, ben, "ann"+m.index, o)
			b.Await(phone.Answered, soon)
			c.Await(phone.Answered, soon)
			wantCancelled(m.T, ann, whyElsewhere)
			m.wantPair("cus", c.call, benHz, "ben", b.call, cusHz)
			m.hangUp(b.call, cus)
			m.wantRecords("ann", "outbound 26")
		}},
		{"answered before it could be picked up", "cus ann ben", func(m *mover) {
			cus, ann := m.phone("cus", cusHz), m.phone("ann", annHz)
			c, a := m.call(cus, ann, "ann")
			o := replacing(a)
			o.Headers[0] = sip.NewHeader("Replaces", a.Replaces()+";early-only")
			if ev := dial(m.T, m.phone("ben", benHz), "ann"+m.index, o).Await(phone.Ended, soon); ev.Code != 486 {
				m.Errorf("got %d", ev.Code)
			}
			m.wantPair("cus", c, annHz, "ann", a, cusHz)
			m.hangUp(c, ann)
		}},
		{"nothing to pick up", "cus ann", func(m *mover) {
			p := dial(m.T, m.phone("cus", cusHz), "*8ann"+m.index, phone.DialOptions{})
			if ev := p.Await(phone.Ended, soon); ev.Code != 480 {
				m.Errorf("got %d", ev.Code)
			}
		}},
	})
}
