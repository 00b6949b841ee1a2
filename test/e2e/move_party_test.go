//go:build e2e

package e2e

import (
	"fmt"
	"testing"

	"github.com/offhook/offhook/internal/phone"
)

// TestParties brings more than two parties into a call by request; each says a
// tone, and each hears exactly whom it shall.
func TestParties(t *testing.T) {
	showMoves(t, []move{
		{"a third party", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c, a := m.call(cus, ann, "ann")
			agent := m.leg("ann")
			m.api.Do(m.T, "POST", "/calls/"+agent.call+"/legs", fmt.Sprintf(`{"by":%q,"to":"ben%s"}`, agent.id, m.index), 200)
			b := m.ring(ben)
			m.wantPair("cus", c, annHz, "ann", a, cusHz) // meanwhile
			b.Answer()
			m.wantHear("cus", c, annHz, benHz)
			m.wantHear("ann", a, cusHz, benHz)
			m.wantHear("ben", b, cusHz, annHz)
			m.hangUp(a)
			m.wantPair("cus", c, benHz, "ben", b, cusHz)
			m.hangUp(c, ben)
			m.wantRecords("cus", "inbound 16")
			m.wantRecords("ann", "outbound 16")
			m.wantRecords("ben", "outbound 16")
		}},
		{"a third party that declines", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c, a := m.call(cus, ann, "ann")
			agent := m.leg("ann")
			m.api.Do(m.T, "POST", "/calls/"+agent.call+"/legs", fmt.Sprintf(`{"by":%q,"to":"ben%s"}`, agent.id, m.index), 200)
			m.ring(ben).Decline(603)
			m.wantPair("cus", c, annHz, "ann", a, cusHz)
			m.hangUp(a, cus)
			m.wantRecords("ben", "outbound 21 603")
		}},
		{"merge of two calls", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c, a := m.call(cus, ann, "ann")
			_, b := m.call(ann, ben, "ben")
			legs := m.legs("ann")
			m.api.Do(m.T, "POST", "/calls/"+legs[0].call+"/merge", fmt.Sprintf(`{"leg":%q,"with":%q}`, legs[0].id, legs[1].id), 200)
			m.wantEnded(ann, 1) // its second call: one device, one leg
			m.wantHear("cus", c, annHz, benHz)
			m.wantHear("ann", a, cusHz, benHz)
			m.wantHear("ben", b, cusHz, annHz)
			m.hangUp(a)
			m.wantPair("cus", c, benHz, "ben", b, cusHz)
			m.hangUp(c, ben)
			m.wantRecords("ann", "inbound 16", "outbound 16")
			m.wantRecords("ben", "outbound 16")
			m.wantRecords("cus", "inbound 16")
		}},
		{"monitor, whisper, barge", "cus ann cid", func(m *mover) {
			cus, ann, cid := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("cid", cidHz)
			c, a := m.call(cus, ann, "ann")
			coach := dial(m.T, cid, closedNumber, phone.DialOptions{})
			coach.Await(phone.Early, soon)
			agent, leg := m.leg("ann"), m.leg("cid").id
			path := "/calls/" + agent.call + "/supervise"
			for _, mode := range []struct {
				name            string
				cus, ann, coach []float64
			}{
				{"monitor", []float64{annHz}, []float64{cusHz}, []float64{cusHz, annHz}},
				{"whisper", []float64{annHz}, []float64{cusHz, cidHz}, []float64{cusHz, annHz}},
				{"barge", []float64{annHz, cidHz}, []float64{cusHz, cidHz}, []float64{cusHz, annHz}},
				{"whisper", []float64{annHz}, []float64{cusHz, cidHz}, []float64{cusHz, annHz}},
			} {
				m.api.Do(m.T, "PUT", path, fmt.Sprintf(`{"leg":%q,"target":%q,"mode":%q}`, leg, agent.id, mode.name), 200)
				m.wantHear(mode.name+": the customer", c, mode.cus...)
				m.wantHear(mode.name+": the agent", a, mode.ann...)
				m.wantHear(mode.name+": the coach", coach.call, mode.coach...)
			}
			m.api.Do(m.T, "DELETE", path+"/"+leg, "", 204)
			m.wantEnded(cid, 1)
			m.wantPair("cus", c, annHz, "ann", a, cusHz)
			m.hangUp(c, ann)
			m.wantRecords("cid", "inbound 16")
			m.wantRecords("ann", "outbound 16")
			m.wantRecords("cus", "inbound 16")
		}},
		{"a coach who is rung goes with the call", "cus ann cid", func(m *mover) {
			cus, ann, cid := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("cid", cidHz)
			c, a := m.call(cus, ann, "ann")
			path := "/calls/" + m.leg("ann").call + "/supervise"
			m.api.Do(m.T, "PUT", path, fmt.Sprintf(`{"to":"cid%s","target":%q,"mode":"whisper"}`, m.index, m.leg("ann").id), 200)
			coach := m.ring(cid)
			coach.Answer()
			m.wantHear("the agent", a, cusHz, cidHz)
			m.wantHear("the customer", c, annHz)
			m.wantHear("the coach", coach, cusHz, annHz)
			m.hangUp(c, ann)
			m.wantEnded(cid, 1)
			m.wantRecords("cid", "outbound 16")
		}},
		{"who hears whom, pair by pair", "cus ann ben", func(m *mover) {
			cus, ann, ben := m.phone("cus", cusHz), m.phone("ann", annHz), m.phone("ben", benHz)
			c, a := m.call(cus, ann, "ann")
			agent := m.leg("ann")
			m.api.Do(m.T, "POST", "/calls/"+agent.call+"/legs", fmt.Sprintf(`{"by":%q,"to":"ben%s"}`, agent.id, m.index), 200)
			b := m.ring(ben)
			b.Answer()
			m.wantHear("cus", c, annHz, benHz)
			cusLeg, benLeg := m.leg("cus").id, m.leg("ben").id
			m.api.Do(m.T, "PUT", "/calls/"+agent.call+"/hear", fmt.Sprintf(
				`{"pairs":[{"from":%[1]q,"to":%[2]q,"hears":false},{"from":%[2]q,"to":%[3]q,"hears":false}]}`, benLeg, cusLeg, agent.id), 204)
			m.wantHear("cus", c, annHz)
			m.wantHear("ann", a, benHz)
			m.wantHear("ben", b, cusHz, annHz)
			m.api.Do(m.T, "DELETE", "/calls/"+agent.call, "", 204)
			m.wantEnded(cus, 1)
			m.wantEnded(ann, 1)
			m.wantEnded(ben, 1)
			m.wantRecords("cus", "inbound 16")
			m.wantRecords("ann", "outbound 16")
			m.wantRecords("ben", "outbound 16")
		}},
		{"hold, mute, hang up by request", "cus ann", func(m *mover) {
			cus, ann := m.phone("cus", cusHz), m.phone("ann", annHz)
			c, a := m.call(cus, ann, "ann")
			path := m.leg("ann").path()
			m.wantPair("cus", c, annHz, "ann", a, cusHz)
			m.api.Do(m.T, "PUT", path+"/hold", `{"on":true}`, 204)
			m.wantMusic("cus", c)
			m.wantHear("ann, who holds", a)
			m.api.Do(m.T, "PUT", path+"/hold", `{"on":false}`, 204)
			m.wantPair("cus", c, annHz, "ann", a, cusHz)
			m.api.Do(m.T, "PUT", path+"/mute", `{"on":true}`, 204)
			m.wantHear("cus", c)
			m.wantHear("ann, who is mute", a, cusHz)
			m.api.Do(m.T, "PUT", path+"/mute", `{"on":false}`, 204)
			m.wantPair("cus", c, annHz, "ann", a, cusHz)
			m.api.Do(m.T, "DELETE", path, "", 204)
			m.wantEnded(ann, 1)
			m.wantEnded(cus, 1)
			m.wantRecords("cus", "inbound 16")
			m.wantRecords("ann", "outbound 16")
		}},
	})
}
