//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// routes are the numbers, hours and callers of TestRoutes.
const routes = `
  schedules:
    - {name: always, time_zone: Europe/Berlin, weekly: [{days: [mon-sun], from: "00:00", to: "24:00"}]}
    - {name: never, time_zone: Europe/Berlin}
  numbers:
    - {number: "12025550110", user: exact}
    - {number: "1202555011x", user: digit}
    - {number: "120255501[2-5]x", user: range}
    - {number: "12025550*", user: rest}
    - {number: "12025550201", user: day, schedule: always, closed: {announce: closed}}
    - {number: "12025550202", user: noon, schedule: never, closed: {user: night}}
    - {number: "12025550301", user: other}
    - {number: "12025550302", user: other, schedule: never, closed: {announce: closed}}
  callers:
    - {name: pests, from: ["49160*", anonymous], numbers: ["12025550301"], block: true}
    - {name: pest, from: ["4917199"], block: true}
    - {name: vip, from: ["49171*"], to: {user: vip}}
`

// TestRoutes shows on the wire where numbers lead: as they are dialled, by
// patterns, by hours, and by who calls.
func TestRoutes(t *testing.T) {
	t.Parallel()
	far := newCarrier(t, nil)
	users := "  users:\n    - {name: boss, role: admin, limits: {}, password: " + password("boss") + "}\n"
	for name := range strings.FieldsSeq("exact digit range rest day noon night other vip") {
		users += fmt.Sprintf("    - {name: %s, password: %s}\n", name, password(name))
	}
	h := &house{Offhook: harness.NewOffhook(t, fmt.Sprintf(`resources:
  limits: {prefixes: ["*"]}
  trunks:
    - {name: outside, uri: "sip:127.0.0.2:5999", prefixes: ["999"], accept_from: [127.0.0.32/27]}
    - {name: far, uri: "sip:%s"}
%s%s`, far.at, users, routes))}
	t.Run("Forms", func(t *testing.T) { h.forms(t, far) })
	t.Run("all", func(t *testing.T) {
		t.Run("Patterns", func(t *testing.T) { t.Parallel(); h.patterns(t) })
		t.Run("DayAndNight", func(t *testing.T) { t.Parallel(); h.dayAndNight(t) })
		t.Run("Callers", func(t *testing.T) { t.Parallel(); h.callers(t) })
		t.Run("ProbeByAPI", func(t *testing.T) { t.Parallel(); h.probedByAPI(t) })
	})
	h.AwaitLegs(t, soon)
	h.AwaitMetric("offhook_legs", 0, soon)
}

// line is a phone outside, whose calls come over the trunk.
func (h *house) line(t *testing.T) *harness.Phone {
	t.Helper()
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(32 + h.outsiders.Add(1)%32)}), 0)
	return harness.NewCarrier(t, h.Offhook, at, phone.Config{})
}

// forms dials numbers as people of several countries do; the trunk gets E.164.
func (h *house) forms(t *testing.T, far *carrier) {
	api, boss := newAdmin(t, h.Offhook), anybody(t, h.Offhook, "boss")
	for _, c := range []struct {
		country, area string
		dialled       []string
		want          string
	}{
		{"", "", []string{"+442079460001", "00442079460001", "011442079460001", "442079460001", "+44-20.7946(0001)"}, "442079460001"},
		{"de", "30", []string{"+4930123451", "004930123451", "030123451", "030-12.34(51)", "123451"}, "4930123451"},
		{"de", "30", []string{"0012125550102", "+12125550102"}, "12125550102"},
		{"us", "", []string{"+12125550103", "12125550103", "2125550103", "(212)555-0103"}, "12125550103"},
		{"us", "", []string{"011442079460004", "+442079460004"}, "442079460004"},
		{"gb", "", []string{"02079460005", "00442079460005", "+442079460005"}, "442079460005"},
		{"au", "", []string{"0011442079460006", "+442079460006"}, "442079460006"},
		{"dk", "", []string{"32123456", "004532123456"}, "4532123456"},
	} {
		if c.country == "" {
			api.do(t, "DELETE", "/dialling", nil)
		} else {
			api.do(t, "PUT", "/dialling", map[string]string{"country": c.country, "area": c.area})
		}
		for i, dialled := range c.dialled {
			call := dial(t, boss, dialled, phone.DialOptions{})
			testkit.Eventually(t, soon, dialled+" in "+c.country+" reaches the trunk as "+c.want, func() bool {
				return len(far.got(c.want)) == i+1
			})
			call.call.HangUp()
			far.got(c.want)[i].awaitOver(t, soon)
		}
	}
	api.do(t, "DELETE", "/dialling", nil)
}

// patterns calls numbers that several resources match.
func (h *house) patterns(t *testing.T) {
	for _, c := range []struct{ user, dialled string }{
		{"exact", "+12025550110"},
		{"digit", "+12025550117"},
		{"range", "+12025550131"},
		{"rest", "+12025550199"},
		{"rest", "+12025550"},
		{"rest", "+120255501101"}, // longer than the exact one and both patterns
	} {
		callee := h.user(t, c.user, phone.Config{})
		h.dialIn(t, c.dialled).wantRung(callee)
		callee.Close()
	}
	h.dialIn(t, "+12025560110").wantRefused(404, core.CauseUnallocated, "")
}

// dayAndNight opens and closes numbers by their hours and by hand.
func (h *house) dayAndNight(t *testing.T) {
	const office, back = "+12025550201", "+12025550202"
	api := newAdmin(t, h.Offhook)
	day, noon, night := h.user(t, "day", phone.Config{}), h.user(t, "noon", phone.Config{}), h.user(t, "night", phone.Config{})
	h.dialIn(t, office).wantRung(day)
	h.dialIn(t, back).wantRung(night)

	api.do(t, "PUT", "/schedules/always/override", map[string]any{"open": false})
	h.dialIn(t, office).wantRefused(480, core.CauseNormal, core.PromptClosed)
	api.do(t, "PUT", "/schedules/never/override", map[string]any{"open": true})
	h.dialIn(t, back).wantRung(noon)
	if state := api.do(t, "GET", "/schedules/never/state", nil); !strings.Contains(state, `"open":true`) {
		t.Errorf("opened by hand the schedule says %s", state)
	}

	until := time.Now().Add(2 * time.Second)
	api.do(t, "PUT", "/schedules/never/override", map[string]any{"open": true, "until": until})
	h.dialIn(t, back).wantRung(noon)
	if time.Now().After(until) {
		t.Log("the machine is too slow to see the override")
	}
	testkit.Eventually(t, soon, "the override is over", func() bool { return time.Now().After(until) })
	h.dialIn(t, back).wantRung(night)
	api.do(t, "DELETE", "/schedules/always/override", nil)
	h.dialIn(t, office).wantRung(day)
}

// callers calls from numbers that are treated apart.
func (h *house) callers(t *testing.T) {
	other, vip := h.user(t, "other", phone.Config{}), h.user(t, "vip", phone.Config{})
	from := func(number, to string) *placed {
		return dial(t, h.line(t), to, phone.DialOptions{From: phone.Party{Number: number}})
	}
	from("+4916012345", "+12025550301").wantRefused(603, core.CauseRejected, "")
	from("anonymous", "+12025550301").wantRefused(603, core.CauseRejected, "")
	from("+4917199", "+12025550301").wantRefused(603, core.CauseRejected, "")
	from("+4915012345", "+12025550301").wantRung(other)
	from("+491711234", "+12025550301").wantRung(vip)
	from("+491711234", "+12025550302").wantRung(vip) // though it is closed
	from("+4916012345", "+12025550302").wantRefused(480, core.CauseNormal, core.PromptClosed)
	if n := len(other.Wire().Find("< INVITE ")); n != 1 {
		t.Errorf("the phone rang %d times", n)
	}
}
