//go:build e2e

package e2e

import (
	"net/netip"
	"testing"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// echoNumber is reached over the trunk.
const echoNumber = "17775550123"

// TestMovesWithOthers moves calls with parties that share no code with ours: SIPp
// behind the trunk, baresip, and our page in Chromium.
func TestMovesWithOthers(t *testing.T) {
	showMoves(t, []move{
		{"SIPp is busy and keeps the old call whole", "cus ann", func(m *mover) {
			cus, ann := m.phone("cus", cusHz), m.phone("ann", annHz)
			c, a := m.call(cus, ann, "ann")
			busy := m.sipp("sipp-busy", harness.Scenario(rings, harness.CalleeReply(486, "Busy Here"), `<recv request="ACK"/>`), m.carrier)
			m.refer(a, m.uri("+"+echoNumber))
			m.wantNotified(ann, 100, 180, 486)
			harness.WantSuccess(m.T, busy, soon)
			m.wantPair("cus", c, annHz, "ann", a, cusHz)
			// And again, when somebody answers: SIPp sends back what it hears.
			answers := m.sipp("sipp-answers", harness.Scenario(
				rings, harness.CalleeReply(200, "OK"), `<recv request="ACK"/>`, hungUp), m.carrier)
			m.refer(a, m.uri("+"+echoNumber))
			m.wantNotified(ann, 100, 180, 200)
			m.wantEnded(ann, 1)
			m.wantHear("cus, sent to its own echo", c, cusHz)
			m.hangUp(c)
			harness.WantSuccess(m.T, answers, soon)
			m.wantRecords("ann", "outbound 16")
			m.wantRecords("cus", "inbound 16")
		}},
		{"SIPp calls, is sent on, parked and fetched", "ann ben cid", func(m *mover) {
			ann, ben, cid := m.phone("ann", annHz), m.phone("ben", benHz), m.phone("cid", cidHz)
			caller := m.sipp("sipp-caller", harness.Scenario(harness.CallerInvite("17775550177", m.number), connected, hungUp),
				netip.AddrPortFrom(m.carrier.Addr(), 0), m.SIP)
			a := m.ring(ann)
			a.Answer()
			m.wantHear("ann, her own echo", a, annHz)
			m.refer(a, m.uri("ben"+m.index))
			b := m.ring(ben)
			b.Answer()
			m.wantNotified(ann, 100, 180, 200)
			m.wantEnded(ann, 1)
			m.wantHear("ben, his own echo", b, benHz)
			m.refer(b, m.uri("717"))
			m.wantNotified(ben, 200)
			m.wantEnded(ben, 1)
			d := dial(m.T, cid, "717", phone.DialOptions{})
			m.wantHear("cid, her own echo", d.call, cidHz)
			m.hangUp(d.call)
			harness.WantSuccess(m.T, caller, soon)
			m.wantRecords("ann", "outbound 16")
			m.wantRecords("ben", "outbound 16")
			m.wantRecords("cid", "inbound 16")
		}},
		{"baresip sends on", "cus ann ben", func(m *mover) {
			cus, ben := m.phone("cus", cusHz), m.phone("ben", benHz)
			ann := &desk{Baresip: harness.NewBaresip(m.T, harness.BaresipConfig{
				User: "ann" + m.index, Password: password("ann" + m.index), Server: m.SIP, Tone: annHz,
			}), hz: annHz}
			c := dial(m.T, cus, "ann"+m.index, phone.DialOptions{})
			ann.AwaitRing(m.T, "cus")
			ann.Answer()
			m.wantHear("cus", c.call, annHz)
			ann.AwaitTone(m.T, cusHz)
			ann.Transfer("sip:ben" + m.index + "@" + m.SIP)
			b := m.ring(ben)
			b.Answer()
			m.wantPair("cus", c.call, benHz, "ben", b, cusHz)
			ann.AwaitEnd(m.T)
			for _, code := range []string{"100", "180", "200"} {
				if len(ann.Find("NOTIFY ", "\r\nSIP/2.0 "+code+" ")) == 0 {
					m.Errorf("baresip got no NOTIFY with %s", code)
				}
			}
			m.hangUp(b, cus)
			m.wantRecords("ann", "outbound 16")
			m.wantRecords("cus", "inbound 16")
		}},
		{"Chromium is sent on and gets a third party", "cus ann ben", func(m *mover) {
			ann, ben := m.phone("ann", annHz), m.phone("ben", benHz)
			page := (&office{Offhook: m.Offhook, browser: harness.NewBrowser(m.T)}).logIn("cus"+m.index, password("cus"+m.index), cusHz)
			page.Dial("ann" + m.index)
			a := m.ring(ann)
			a.Answer()
			page.AwaitTone(m.T, annHz)
			m.wantHear("ann", a, cusHz)
			m.refer(a, m.uri("ben"+m.index))
			b := m.ring(ben)
			b.Answer()
			m.wantNotified(ann, 100, 180, 200)
			m.wantEnded(ann, 1)
			page.AwaitTone(m.T, benHz)
			m.wantHear("ben", b, cusHz)
			m.api.Do(m.T, "POST", "/calls/"+m.leg("ben").call+"/legs", `{"by":"`+m.leg("ben").id+`","to":"ann`+m.index+`"}`, 200)
			third := m.ring(ann)
			third.Answer()
			m.wantHear("ann, who is back", third, cusHz, benHz)
			m.wantHear("ben", b, cusHz, annHz)
			b.HangUp()
			page.AwaitTone(m.T, annHz)
			page.HangUp()
			ann.Await(phone.Ended, soon)
			page.AwaitEnd(m.T)
			m.wantRecords("ann", "outbound 16", "outbound 16")
			m.wantRecords("cus", "inbound 16")
			m.wantRecords("ben", "outbound 16")
		}},
	})
}

// sipp runs a scenario once, at the trunk's far end. It sends back what it hears.
func (m *mover) sipp(name, scenario string, at netip.AddrPort, args ...string) *harness.Process {
	m.Helper()
	return (&office{}).sipp(m.T, name, scenario, at, args...)
}
