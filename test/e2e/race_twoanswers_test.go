//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestTwoAnswersInOneMillisecond lets two callees of a group answer at once,
// 1,000 times with both 200s on the wire within a millisecond. Each time one of
// them gets the call and the caller one 200; the other is ACKed and BYEd with the
// reason. Afterwards nothing is left: legs, dialogs, ports, goroutines, and each
// leg's history is whole.
func TestTwoAnswersInOneMillisecond(t *testing.T) { newRace(t, 2).prove(1000) }

// TestTenAnswersAtOnce is the same with ten callees, of whom any number are
// cancelled before their 200 leaves.
func TestTenAnswersAtOnce(t *testing.T) { newRace(t, 10).prove(50) }

const (
	raceGap  = time.Millisecond     // between the first two 200s of a race
	racePace = 3 * time.Millisecond // for each leg: its RTP ports rest 5 s
	warmUp   = 20                   // calls before the count: what the first ones make stays
)

// race is a caller and callees of one group, in one call after the other.
type race struct {
	t       *testing.T
	offhook *harness.Offhook
	caller  *harness.Phone
	callees []*harness.Phone
	rounds  []round
	won     []int // calls, by callee
}

func newRace(t *testing.T, callees int) *race {
	t.Helper()
	var users, members []string
	for i := range callees {
		name := fmt.Sprintf("callee%d", i)
		users = append(users, fmt.Sprintf("{name: %s, password: %s}", name, password(name)))
		members = append(members, fmt.Sprintf("{user: %s}", name))
	}
	o := harness.NewOffhook(t, fmt.Sprintf(`
resources:
  users: [%s]
  trunks: [{name: carrier, uri: "sip:127.0.0.2:5999", accept_from: [127.0.0.2/32]}]
  groups: [{name: desk, endpoints: [%s]}]
  numbers: [{number: "%s", group: desk}]
`, strings.Join(users, ", "), strings.Join(members, ", "), number(0)))
	r := &race{t: t, offhook: o, won: make([]int, callees)}
	r.caller = harness.NewCarrier(t, o, netip.MustParseAddrPort("127.0.0.2:0"), phone.Config{})
	for i := range callees {
		name := fmt.Sprintf("callee%d", i)
		r.callees = append(r.callees, harness.NewUser(t, o, name, password(name), phone.Config{}))
	}
	return r
}

// prove makes calls until there were enough races, and checks all of them.
func (r *race) prove(races int) {
	r.t.Helper()
	r.run(warmUp)
	r.offhook.AwaitMetric("offhook_legs", 0, 10*time.Second)
	before := r.offhook.Holds()
	r.rounds, r.won = nil, make([]int, len(r.callees))

	begun := time.Now()
	for len(r.rounds) < 4*races && r.races() < races { // a machine too busy for races is told so
		r.run(races - r.races())
	}
	if n := r.races(); n < races {
		r.t.Errorf("only %d of %d calls had two 200s within %v", n, len(r.rounds), raceGap)
	}
	r.t.Logf("%d calls, %d of them races, in %v; won by %v", len(r.rounds), r.races(), time.Since(begun).Round(time.Millisecond), r.won)
	for i, round := range r.rounds {
		if wrong := round.check(); wrong != "" {
			r.t.Errorf("call %d: %s", i, wrong)
		}
	}
	r.offhook.AwaitIdle(before, 60*time.Second)
	r.checkRows(warmUp + len(r.rounds))
}

// run makes n calls and notes what was on the wire.
func (r *race) run(n int) {
	r.t.Helper()
	phones := append([]*harness.Phone{r.caller}, r.callees...)
	marks := make([]int, len(phones))
	for i, p := range phones {
		marks[i] = len(p.Wire().Messages())
	}
	pace := time.NewTicker(racePace * time.Duration(len(phones)))
	defer pace.Stop()
	for range n {
		<-pace.C
		r.call()
	}
	rounds := make([]round, n)
	for i, p := range phones {
		seen := dialogs(p.Wire().Messages()[marks[i]:])
		if len(seen) != n {
			r.t.Fatalf("%d calls made %d dialogs at one phone", n, len(seen))
		}
		for j, d := range seen {
			rounds[j] = append(rounds[j], d)
		}
	}
	r.rounds = append(r.rounds, rounds...)
}

// call makes one call that all callees answer at once.
func (r *race) call() {
	r.t.Helper()
	call, err := r.caller.Dial(number(0), phone.DialOptions{From: phone.Party{Number: "+12025550199"}})
	if err != nil {
		r.t.Fatal(err)
	}
	start := make(chan struct{})
	var answering sync.WaitGroup
	for _, p := range r.callees {
		ringing := ring(p)
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
	winners := 0
	for i, p := range r.callees {
		if p.Await(phone.Ended, 10*time.Second).Reason != "answered elsewhere" {
			winners++
			r.won[i]++
		}
	}
	if winners != 1 {
		r.t.Fatalf("%d callees were not told that the call was answered elsewhere, want 1", winners)
	}
}

// races counts the rounds in which two 200s left within raceGap.
func (r *race) races() (n int) {
	for _, round := range r.rounds {
		if round.gap() <= raceGap {
			n++
		}
	}
	return n
}

// checkRows looks at the history of every leg of calls calls.
func (r *race) checkRows(calls int) {
	r.t.Helper()
	legs := r.offhook.AwaitLegs(r.t, 10*time.Second)
	if want := (1 + len(r.callees)) * calls; len(legs) != want {
		r.t.Errorf("%d legs in the database, want %d of %d calls", len(legs), want, calls)
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

// round is one call as it was on the wire: at the caller, then at each callee.
type round []dialog

// gap is the time between the first two 200s of callees; long if there was one.
func (r round) gap() time.Duration {
	var times []time.Time
	for _, d := range r[1:] {
		if !d.answered.IsZero() {
			times = append(times, d.answered)
		}
	}
	if len(times) < 2 {
		return time.Hour
	}
	slices.SortFunc(times, time.Time.Compare)
	return times[1].Sub(times[0])
}

// check says what is wrong with the round, "" if nothing is.
func (r round) check() string {
	if n := len(r[0].answers); n != 1 {
		return fmt.Sprintf("the caller got %d different 200s", n)
	}
	winners := 0
	for _, d := range r[1:] {
		switch {
		case !d.elsewhere:
			winners++
		case d.answered.IsZero() && !d.terminated:
			return "a loser sent neither 200 nor 487"
		case !d.answered.IsZero() && (!d.acked || !d.byed):
			return fmt.Sprintf("a loser's 200 was ACKed %v and BYEd with the reason %v", d.acked, d.byed)
		}
	}
	if winners != 1 {
		return fmt.Sprintf("%d callees were not told that it was answered elsewhere, want 1", winners)
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
