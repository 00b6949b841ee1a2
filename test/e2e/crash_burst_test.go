//go:build e2e

package e2e

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestKillInABurst kills the program three times while calls begin, ring, hear
// an announcement, talk and end all at once. What the database had before is
// still there as it was, and every leg it knows has one end.
func TestKillInABurst(t *testing.T) {
	h := newHouse(t, "", usualTrunk, []string{"taker", "ringer", "nobody"},
		`endpoints: [{user: taker}]`, `endpoints: [{user: ringer}, {user: taker}]`,
		`endpoints: [{user: ringer}]`, `endpoints: [{user: nobody}]`,
	)
	phones := map[string]*harness.Phone{
		"taker":  h.user(t, "taker", phone.Config{Transport: "tcp", AutoAnswer: true, AnswerAfter: 20 * time.Millisecond, MaxCalls: 1000}),
		"ringer": h.user(t, "ringer", phone.Config{Transport: "tcp", MaxCalls: 1000}),
	}
	for round := range 3 {
		before := h.burst(t, 60)
		h.Kill()
		h.Start()
		h.wantKept(t, before)
		for _, p := range phones {
			for _, c := range p.Calls() {
				c.HangUp() // nobody is at the other end any more
			}
			p.Await(phone.Unregistered, soon)
			p.Await(phone.Registered, soon)
		}
		t.Logf("round %d: %d legs, %d of them cut off", round, len(h.Legs()), h.interrupted())
	}
	call := h.dialIn(t, number(0))
	call.Await(phone.Answered, soon)
	call.call.HangUp()
	h.AwaitMetric("offhook_legs", 0, soon)
	h.AwaitLegs(t, soon)
}

// burst places calls to all numbers, and hangs up the oldest of those that are
// many, until the database has more legs by that number. It returns what the
// database has just before the burst would end.
func (h *house) burst(t *testing.T, more int) []harness.Leg {
	t.Helper()
	had := len(h.Legs())
	line := harness.NewPhone(t, "burst", phone.Config{
		User: "burst", Server: h.SIP, Domain: "127.0.0.32", Listen: netip.MustParseAddrPort("127.0.0.32:0"), MaxCalls: 1000,
	})
	var open []*phone.Call
	legs := h.Legs()
	for i := 0; len(legs) < had+more; i++ {
		call, err := line.Dial(number(i%4), phone.DialOptions{From: phone.Party{Number: "+12025550199"}})
		if err != nil {
			t.Fatal(err)
		}
		if open = append(open, call); len(open) > 20 {
			open[0].HangUp()
			open = open[1:]
		}
		legs = h.Legs() // also the pace
	}
	return legs
}

// wantKept checks that the database has what it had, and an end for every leg.
func (h *house) wantKept(t *testing.T, before []harness.Leg) {
	t.Helper()
	after := map[string]harness.Leg{}
	for _, l := range h.AwaitLegs(t, soon) {
		after[l.ID] = l
	}
	for _, old := range before {
		l := after[old.ID]
		if n := len(old.Events); len(l.Events) < n || !slices.Equal(l.Events[:n], old.Events) {
			t.Errorf("leg %s had the events %v and has %v", old.ID, old.Events, l.Events)
		}
		if old.Ended && (l.Cause != old.Cause || l.Interrupted != old.Interrupted) {
			t.Errorf("leg %s had ended with cause %d, interrupted %v, and now with %d, %v", old.ID, old.Cause, old.Interrupted, l.Cause, l.Interrupted)
		}
	}
	for _, l := range after {
		if l.Interrupted && l.Cause != 41 {
			t.Errorf("leg %s was cut off with cause %d, want 41", l.ID, l.Cause)
		}
	}
	if h.interrupted() == 0 {
		t.Error("no leg was alive when the program was killed")
	}
	testkit.Eventually(t, soon, "users and numbers are there", func() bool { return h.Count("users") == 3 && h.Count("numbers") == 4 })
}

// interrupted counts the legs that a kill cut off.
func (h *house) interrupted() (n int) {
	for _, l := range h.Legs() {
		if l.Interrupted {
			n++
		}
	}
	return n
}
