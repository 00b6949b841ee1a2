//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

const raceResources = `
resources:
  users: [{name: alice, password: alice-secret}, {name: bob, password: bob-secret-1}]
  trunks: [{name: carrier, uri: "sip:127.0.0.2:5999", accept_from: [127.0.0.2/32]}]
  groups: [{name: desk, endpoints: [{user: alice}, {user: bob}]}]
  numbers: [{number: "12025550100", group: desk}]
`

const (
	races     = 1000
	raceGap   = time.Millisecond     // between the two 200s that make a race
	raceCalls = 4 * races            // a machine too busy to make races is told so
	racePace  = 8 * time.Millisecond // three RTP port pairs for each call, which rest 5 s
)

// TestTwoAnswersInOneMillisecond lets two callees of a group answer at once,
// 1,000 times with both 200s on the wire within a millisecond. Each time one of
// them gets the call and the caller one 200; the other is ACKed and BYEd with the
// reason. Afterwards nothing is left: legs, dialogs, ports, goroutines, and each
// leg's history is whole.
func TestTwoAnswersInOneMillisecond(t *testing.T) {
	r := newRace(t)
	r.run(20) // what is made once, at the first calls, is no leak
	before := r.settled()
	r.rounds = nil

	begun := time.Now()
	for len(r.rounds) < raceCalls && r.races() < races {
		r.run(races - r.races())
	}
	if n := r.races(); n < races {
		t.Errorf("only %d of %d calls had both 200s within %v", n, len(r.rounds), raceGap)
	}
	t.Logf("%d calls, %d of them races, in %v; alice won %d", len(r.rounds), r.races(), time.Since(begun).Round(time.Millisecond), r.won["alice"])

	for i, round := range r.rounds {
		if wrong := round.check(); wrong != "" {
			t.Errorf("call %d: %s", i, wrong)
		}
	}
	r.offhook.AwaitIdle(before, 60*time.Second)
	r.checkRows(20 + len(r.rounds))
}

// race is a caller and two callees, one call after the other.
type race struct {
	t                  *testing.T
	offhook            *harness.Offhook
	caller, alice, bob *harness.Phone
	rounds             []round
	won                map[string]int
}

func newRace(t *testing.T) *race {
	o := harness.NewOffhook(t, raceResources)
	r := &race{t: t, offhook: o, won: map[string]int{}}
	r.caller = harness.NewCarrier(t, o, netip.MustParseAddrPort("127.0.0.2:0"), phone.Config{})
	r.alice = harness.NewUser(t, o, "alice", "alice-secret", phone.Config{})
	r.bob = harness.NewUser(t, o, "bob", "bob-secret-1", phone.Config{})
	return r
}

// settled waits for the end of all dialogs and returns what is held then.
func (r *race) settled() harness.Held {
	r.t.Helper()
	r.offhook.AwaitMetric("offhook_legs", 0, 10*time.Second)
	return r.offhook.Holds()
}

// run makes n calls and notes what was on the wire.
func (r *race) run(n int) {
	r.t.Helper()
	marks := [3]int{}
	for i, p := range []*harness.Phone{r.caller, r.alice, r.bob} {
		marks[i] = len(p.Wire().Messages())
	}
	pace := time.NewTicker(racePace)
	defer pace.Stop()
	for range n {
		<-pace.C
		r.call()
	}
	caller := dialogs(r.caller.Wire().Messages()[marks[0]:])
	alice := dialogs(r.alice.Wire().Messages()[marks[1]:])
	bob := dialogs(r.bob.Wire().Messages()[marks[2]:])
	if len(caller) != n || len(alice) != n || len(bob) != n {
		r.t.Fatalf("%d calls made %d, %d and %d dialogs", n, len(caller), len(alice), len(bob))
	}
	for i := range n {
		r.rounds = append(r.rounds, round{caller: caller[i], callees: [2]dialog{alice[i], bob[i]}})
	}
}

// call makes one call that both callees answer at once.
func (r *race) call() {
	r.t.Helper()
	call, err := r.caller.Dial("12025550100", phone.DialOptions{From: phone.Party{Number: "+12025550199"}})
	if err != nil {
		r.t.Fatal(err)
	}
	start := make(chan struct{})
	var answering sync.WaitGroup
	for _, p := range []*harness.Phone{r.alice, r.bob} {
		ringing := p.Call(p.Await(phone.Incoming, 10*time.Second).Call)
		answering.Go(func() {
			<-start
			ringing.Answer()
		})
	}
	close(start)
	answering.Wait()
	r.caller.Await(phone.Answered, 10*time.Second)
	call.HangUp()
	r.caller.Await(phone.Ended, 10*time.Second)
	elsewhere := 0
	for name, p := range map[string]*harness.Phone{"alice": r.alice, "bob": r.bob} {
		if p.Await(phone.Ended, 10*time.Second).Reason == "answered elsewhere" {
			elsewhere++
		} else {
			r.won[name]++
		}
	}
	if elsewhere != 1 {
		r.t.Fatalf("%d of two callees were told that the call was answered elsewhere", elsewhere)
	}
}

// races counts the rounds in which both callees' 200s left within raceGap.
func (r *race) races() (n int) {
	for _, round := range r.rounds {
		a, b := round.callees[0].answered, round.callees[1].answered
		if !a.IsZero() && !b.IsZero() && a.Sub(b).Abs() <= raceGap {
			n++
		}
	}
	return n
}

// checkRows looks at the history of every leg of calls calls.
func (r *race) checkRows(calls int) {
	legs := r.offhook.AwaitLegs(r.t, 10*time.Second)
	if len(legs) != 3*calls {
		r.t.Errorf("%d legs in the database, want three for each of %d calls", len(legs), calls)
	}
	bridged, answered := map[string]int{}, map[string]int{}
	for _, l := range legs {
		bridged[l.Call] += l.Count("bridged")
		if l.Direction == "outbound" {
			answered[l.Call] += l.Count("answered")
		}
	}
	for call, n := range bridged {
		if n != 2 || answered[call] != 1 {
			r.t.Errorf("call %s: %d legs were bridged and %d callees answered, want 2 and 1", call, n, answered[call])
		}
	}
}

// round is one call as it was on the wire.
type round struct {
	caller  dialog
	callees [2]dialog
}

// check says what is wrong with the round, "" if nothing is.
func (r round) check() string {
	if len(r.caller.answers) != 1 {
		return fmt.Sprintf("the caller got %d different 200s", len(r.caller.answers))
	}
	losers := 0
	for _, d := range r.callees {
		if !d.elsewhere {
			continue
		}
		losers++
		if d.answered.IsZero() {
			if !d.terminated {
				return "the loser neither sent 200 nor 487"
			}
			continue
		}
		if !d.acked || !d.byed {
			return fmt.Sprintf("the loser's 200 was ACKed %v and BYEd with the reason %v", d.acked, d.byed)
		}
	}
	if losers != 1 {
		return fmt.Sprintf("%d callees were told that it was answered elsewhere", losers)
	}
	return ""
}

// dialog is what one phone saw of one INVITE.
type dialog struct {
	answers    map[string]bool // different 200s that came in, by To
	answered   time.Time       // when our first 200 left
	acked      bool            // the 200 was ACKed
	byed       bool            // a BYE came with "answered elsewhere"
	elsewhere  bool            // a CANCEL or BYE came with it
	terminated bool            // 487 left
}

// dialogs sorts the messages of one phone by call, in the order of the INVITEs.
func dialogs(messages []harness.Message) []dialog {
	var order []string
	byID := map[string]*dialog{}
	for _, m := range messages {
		id := m.Header("Call-ID")
		if m.Is("< INVITE ") || m.Is("> INVITE ") {
			if byID[id] == nil {
				order = append(order, id)
				byID[id] = &dialog{answers: map[string]bool{}}
			}
			continue
		}
		if d := byID[id]; d != nil {
			d.note(m)
		}
	}
	list := make([]dialog, len(order))
	for i, id := range order {
		list[i] = *byID[id]
	}
	return list
}

func (d *dialog) note(m harness.Message) {
	invite := strings.HasSuffix(m.Header("CSeq"), " INVITE")
	elsewhere := strings.Contains(m.Header("Reason"), "SIP;cause=200")
	switch {
	case invite && m.Is("< SIP/2.0 2"):
		d.answers[m.Header("To")] = true
	case invite && m.Is("> SIP/2.0 2") && d.answered.IsZero():
		d.answered = m.At
	case invite && m.Is("> SIP/2.0 487"):
		d.terminated = true
	case m.Is("< ACK ") && !d.answered.IsZero():
		d.acked = true
	case m.Is("< CANCEL ") && elsewhere:
		d.elsewhere = true
	case m.Is("< BYE ") && elsewhere:
		d.byed, d.elsewhere = true, true
	}
}
