//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// What the parties say. Any of them can be told from any mix of the others.
const (
	cusHz = 1000
	annHz = 600
	benHz = 1300
	cidHz = 820
)

// parkTime is how long a parked call waits before it rings back.
const parkTime = 8 * time.Second

// closedNumber leads to an announcement: who calls it talks with nobody.
const closedNumber = "12025550190"

// move is one way in which legs move between calls, shown by phones of its own.
// Its users are called like the parties cus, ann, ben and cid, with a number behind.
type move struct {
	name  string
	users string // "cus ann ben"
	show  func(*mover)
}

// mover is where a move happens.
type mover struct {
	*scene
	api     *harness.API
	index   string         // behind the names of the users
	carrier netip.AddrPort // where the trunk for numbers with 1777 leads
}

// showMoves shows moves at the same time on one exchange, and wants nothing left
// of any call, and of every leg one begin and one end.
func showMoves(t *testing.T, moves []move) {
	t.Helper()
	carrier := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.3"), testkit.FreePort(t, "127.0.0.3"))
	var users, numbers strings.Builder
	for i, m := range moves {
		for name := range strings.FieldsSeq(m.users) {
			fmt.Fprintf(&users, "    - {name: %[1]s%[2]d, password: %[3]s}\n", name, i, password(fmt.Sprint(name, i)))
		}
		fmt.Fprintf(&numbers, "    - {number: \"%s\", user: ann%d}\n", number(i), i)
	}
	h := &house{Offhook: harness.NewOffhook(t, fmt.Sprintf(`limits: {api_rate: 0}
resources:
  trunks:
    - {name: carrier, uri: "sip:127.0.0.2:5999", prefixes: ["999"], accept_from: [127.0.0.32/27]}
    - {name: out, uri: "sip:%s", prefixes: ["1777"], accept_from: [127.0.0.3/32]}
  parking: {first: 701, last: 719, timeout: %v}
  users:
    - {name: operator, role: admin}
%s  numbers:
    - {number: "%s", announce: closed}
%s`, carrier, parkTime, users.String(), closedNumber, numbers.String()))}
	api := h.API(t, "operator")
	t.Cleanup(func() { // when all is shown
		h.AwaitMetric("offhook_legs", 0, soon)
		h.AwaitMetric("offhook_calls", 0, soon)
		h.AwaitLegs(t, soon)
	})
	for i, m := range moves {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m.show(&mover{scene: &scene{house: h, T: t, number: number(i)}, api: api, index: fmt.Sprint(i), carrier: carrier})
		})
	}
}

// phone starts the registered phone of a party, who says hz.
func (m *mover) phone(name string, hz float64) *harness.Phone {
	m.Helper()
	return m.user(name+m.index, hz)
}

// uri is the address of a user, a number or a slot at our exchange.
func (m *mover) uri(to string) string { return "sip:" + to + "@" + m.SIP }

// call lets one phone call another, and answer.
func (m *mover) call(from, to *harness.Phone, name string) (a, b *phone.Call) {
	m.Helper()
	a = dial(m.T, from, name+m.index, phone.DialOptions{}).call
	b = m.ring(to)
	b.Answer()
	for from.Await(phone.Answered, soon).Call != a.ID() { // it may have answered another before
	}
	return a, b
}

// refer asks for a transfer, which must be accepted.
func (m *mover) refer(c *phone.Call, to string) {
	m.Helper()
	answered := make(chan int, 1)
	c.Refer(to, func(code int) { answered <- code })
	if code := testkit.Receive(m.T, answered, soon, "an answer to REFER"); code != 202 {
		m.Fatalf("REFER got %d", code)
	}
}

// attended makes the URI that lets REFER connect with the far end of another call.
func (m *mover) attended(to string, other *phone.Call) string {
	return m.uri(to) + "?Replaces=" + url.PathEscape(other.Replaces())
}

// wantNotified waits for the progress of a transfer, which ends with the last
// code, in a NOTIFY that ends the subscription.
func (m *mover) wantNotified(p *harness.Phone, codes ...int) {
	m.Helper()
	for _, want := range codes {
		if ev := p.Await(phone.Referred, soon); ev.Code != want {
			m.Fatalf("NOTIFY says %d, want %d of %v", ev.Code, want, codes)
		}
	}
	notes := messages(p, "< NOTIFY ")
	last := notes[len(notes)-1]
	if !strings.HasPrefix(last.Header("Subscription-State"), "terminated") {
		m.Errorf("the last NOTIFY does not end the subscription:\n%s", last.Text)
	}
}

// wantEnded waits until a phone's n-th call was hung up by our BYE.
func (m *mover) wantEnded(p *harness.Phone, n int) {
	m.Helper()
	m.message(p, n, "< BYE ")
}

// wantHear waits until a call hears these tones and none of the others; none of
// all is silence, or music.
func (m *mover) wantHear(who string, c *phone.Call, tones ...float64) {
	m.Helper()
	testkit.Eventually(m.T, soon, fmt.Sprintf("%s hears %v and nothing else", who, tones), func() bool {
		pcm := (&caller{call: c}).listen(listenTime)
		for _, hz := range []float64{cusHz, annHz, benHz, cidHz} {
			share := 0.0
			if meter.Level(pcm) > -50 {
				share = meter.Purity(pcm, phone.Rate, hz)
			}
			if slices.Contains(tones, hz) != (share > 0.15) || !slices.Contains(tones, hz) && share > harness.Absent {
				return false
			}
		}
		return true
	})
}

// wantPair waits until two calls hear each other and nobody else.
func (m *mover) wantPair(who string, a *phone.Call, hears float64, other string, b *phone.Call, itHears float64) {
	m.Helper()
	m.wantHear(who, a, hears)
	m.wantHear(other, b, itHears)
}

// wantMusic waits until a call hears something that nobody says.
func (m *mover) wantMusic(who string, c *phone.Call) {
	m.Helper()
	testkit.Eventually(m.T, soon, who+" hears music", func() bool {
		return meter.Level((&caller{call: c}).listen(listenTime)) > -50
	})
	m.wantHear(who, c)
}

// leg is a live leg as the API shows it.
type leg struct {
	call, id, state, slot string
	hears                 int
}

// path is where its call is, and its own.
func (l leg) path() string { return "/calls/" + l.call + "/legs/" + l.id }

// legs returns the live legs of a party, in order.
func (m *mover) legs(name string) (found []leg) {
	m.Helper()
	list, _ := m.api.Do(m.T, "GET", "/calls?limit=1000", "", 200)["items"].([]any)
	for _, c := range list {
		call, _ := c.(map[string]any)
		all, _ := call["legs"].([]any)
		for _, l := range all {
			one, _ := l.(map[string]any)
			end := "to"
			if one["direction"] == "inbound" {
				end = "from"
			}
			if self, _ := one[end].(map[string]any); self["user"] == name+m.index {
				slot, _ := one["slot"].(string)
				hears, _ := one["hears"].([]any)
				found = append(found, leg{fmt.Sprint(call["id"]), fmt.Sprint(one["id"]), fmt.Sprint(one["state"]), slot, len(hears)})
			}
		}
	}
	return found
}

// leg returns the only live leg of a party.
func (m *mover) leg(name string) leg {
	m.Helper()
	legs := m.legs(name)
	if len(legs) != 1 {
		m.Fatalf("%s has the legs %+v, want one", name, legs)
	}
	return legs[0]
}

// wantRecords waits until all legs of a party have their records, the newest
// first, and wants each to say "direction cause", with the code of an end before
// the answer.
func (m *mover) wantRecords(name string, want ...string) {
	m.Helper()
	var got []string
	testkit.Eventually(m.T, soon, "the records of "+name, func() bool {
		list, _ := m.api.Do(m.T, "GET", "/cdrs?user="+name+m.index, "", 200)["items"].([]any)
		got = nil
		for _, r := range list {
			record, _ := r.(map[string]any)
			if record["ended"] == nil {
				return false
			}
			end := "to"
			if record["direction"] == "inbound" {
				end = "from"
			}
			if self, _ := record[end].(map[string]any); self["user"] != name+m.index {
				continue // the other party's
			}
			line := fmt.Sprint(record["direction"], " ", record["cause"])
			if code, ok := record["code"]; ok {
				line += fmt.Sprint(" ", code)
			}
			got = append(got, line)
		}
		return len(got) >= len(want)
	})
	if !slices.Equal(got, want) {
		m.Errorf("records of %s: %q, want %q", name, got, want)
	}
}

// hangUp ends a call and waits until its other parties are out of it.
func (m *mover) hangUp(c *phone.Call, others ...*harness.Phone) {
	m.Helper()
	c.HangUp()
	for _, p := range others {
		p.Await(phone.Ended, soon)
	}
}
