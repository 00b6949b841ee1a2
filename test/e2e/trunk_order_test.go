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

// trunkTest is one test of TestTrunks: trunks to carriers of its own.
type trunkTest struct {
	*harness.Offhook
	carriers []*carrier
}

// TestTrunks calls over trunks, each test by those of a prefix of its own, and
// checks at the far ends which trunk a call takes, and when.
func TestTrunks(t *testing.T) {
	t.Parallel()
	tests := []struct { // those that take longest first
		name string
		// trunks are the trunks' settings beside name and URI; the i-th leads to the
		// i-th carrier.
		trunks   []string
		carriers []func(*received)
		run      func(*testing.T, *trunkTest)
	}{
		{
			"DeadByOptions",
			[]string{`prefixes: ["1316"], probe: 5s`, `prefixes: ["1316"], priority: 1`},
			[]func(*received){answers, answers},
			deadByOptions,
		},
		{
			"NoSignOfLife",
			[]string{`prefixes: ["1314"]`, `prefixes: ["1315"]`, `prefixes: ["1314", "1315"], priority: 1`},
			[]func(*received){nil, func(*received) {}, answers},
			noSignOfLife,
		},
		{
			"LongestPrefix",
			[]string{`prefixes: ["1310"]`, `prefixes: ["131055"], priority: 9`},
			[]func(*received){answers, answers},
			longestPrefix,
		},
		{
			"Priority",
			[]string{`prefixes: ["1311"], priority: 2`, `prefixes: ["1311"], priority: 1`},
			[]func(*received){answers, answers},
			priority,
		},
		{
			"Weight",
			[]string{`prefixes: ["1312"]`, `prefixes: ["1312"], weight: 3`},
			[]func(*received){nil, nil},
			weight,
		},
		{
			"FailOver",
			[]string{`prefixes: ["1313"]`, `prefixes: ["1313"], priority: 1`},
			[]func(*received){refuseAsDialled, answers},
			failOver,
		},
		{
			"Pacing",
			[]string{`prefixes: ["1317"], calls_per_second: 3`},
			[]func(*received){nil},
			pacing,
		},
		{
			"LimitGoesOn",
			[]string{`prefixes: ["1318"], limits: {calls: 2}`, `prefixes: ["1318"], priority: 1`},
			[]func(*received){answers, answers},
			limitGoesOn,
		},
		{
			"LimitAlone",
			[]string{`prefixes: ["1319"], limits: {calls: 1}`},
			[]func(*received){answers},
			limitAlone,
		},
		{
			"LimitPerSecond",
			[]string{`prefixes: ["1320"], limits: {calls_per_second: 1}`, `prefixes: ["1320"], priority: 1`},
			[]func(*received){answers, answers},
			limitPerSecond,
		},
		{
			"LimitLongest",
			[]string{`prefixes: ["1321"], limits: {longest: 2s}`},
			[]func(*received){answers},
			limitLongest,
		},
	}
	var config strings.Builder
	config.WriteString("resources:\n  trunks:\n    - {name: outside, uri: \"sip:127.0.0.2:5999\", prefixes: [\"999\"], accept_from: [127.0.0.32/27]}\n")
	all := make([]*trunkTest, len(tests))
	for i, tt := range tests {
		all[i] = &trunkTest{}
		for j, settings := range tt.trunks {
			c := newCarrier(t, tt.carriers[j])
			all[i].carriers = append(all[i].carriers, c)
			fmt.Fprintf(&config, "    - {name: %s-%d, uri: \"sip:%s\", %s}\n", strings.ToLower(tt.name), j, c.at, settings)
		}
	}
	config.WriteString(`
  users: [{name: ann, password: ` + password("ann") + `, limits: {}}]
  groups: [{name: four, endpoints: [{phone: "13175550001"}, {phone: "13175550002"}, {phone: "13175550003"}, {phone: "13175550004"}]}]
  numbers: [{number: "` + number(0) + `", group: four}]
`)
	o := harness.NewOffhook(t, config.String())
	t.Run("all", func(t *testing.T) {
		for i, tt := range tests {
			all[i].Offhook = o
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				tt.run(t, all[i])
			})
		}
	})
	o.AwaitLegs(t, 40*time.Second)
	o.AwaitMetric("offhook_legs", 0, 40*time.Second)
}

// ann is a phone of the user ann, which is not registered.
func (o *trunkTest) ann(t *testing.T) *harness.Phone {
	t.Helper()
	return newAnn(t, o.Offhook)
}

func newAnn(t *testing.T, o *harness.Offhook) *harness.Phone {
	t.Helper()
	return harness.NewPhone(t, "ann", phone.Config{User: "ann", Password: password("ann"), Server: o.SIP})
}

// longestPrefix wants the trunk with the longest prefix of a number, whatever the
// priorities, and none where no prefix fits.
func longestPrefix(t *testing.T, o *trunkTest) {
	ann := o.ann(t)
	for _, c := range []struct {
		number string
		over   int
	}{{"13105550100", 1}, {"13104440100", 0}, {"+1 310 555 0101", 1}} {
		call := dial(t, ann, strings.ReplaceAll(c.number, " ", ""), phone.DialOptions{})
		call.Await(phone.Answered, soon)
		call.call.HangUp()
		call.Await(phone.Ended, soon)
	}
	o.carriers[0].wantOnly(t, "the trunk with the short prefix", "", 1)
	o.carriers[1].wantOnly(t, "the trunk with the long prefix", "", 2)
	dial(t, o.ann(t), "17775550100", phone.DialOptions{}).wantRefused(404, core.CauseUnallocated, core.PromptUnknownNumber)
}

// priority wants the lowest number.
func priority(t *testing.T, o *trunkTest) {
	call := dial(t, o.ann(t), "13115550100", phone.DialOptions{})
	call.Await(phone.Answered, soon)
	o.carriers[0].wantOnly(t, "the trunk of priority 2", "", 0)
	o.carriers[1].wantOnly(t, "the trunk of priority 1", "", 1)
	call.call.HangUp()
	call.Await(phone.Ended, soon)
}

// weight spreads calls one to three.
func weight(t *testing.T, o *trunkTest) {
	ann := o.ann(t)
	calls := make([]*placed, 60)
	for i := range calls {
		calls[i] = dial(t, ann, fmt.Sprintf("131255501%02d", i), phone.DialOptions{})
	}
	for i := range calls {
		call := fmt.Sprintf("131255501%02d", i)
		testkit.Eventually(t, soon, call+" reaches a trunk", func() bool {
			return len(o.carriers[0].got(call))+len(o.carriers[1].got(call)) == 1
		})
	}
	for _, call := range calls {
		call.call.HangUp()
	}
	// By chance half of 60 go over the light one once in 200,000 runs.
	if light := len(o.carriers[0].got("")); light == 0 || light >= len(calls)/2 {
		t.Errorf("%d of %d calls went over the trunk with a quarter of the weight", light, len(calls))
	}
}

// refuseAsDialled refuses with the last three digits of the number.
func refuseAsDialled(r *received) {
	var code int
	if _, err := fmt.Sscanf(r.to[len(r.to)-3:], "%d", &code); err != nil {
		code = 484
	}
	r.Reject(code, "")
}

// failOver wants the next trunk after what the trunk did, and the answer passed
// on after what the callee did.
func failOver(t *testing.T, o *trunkTest) {
	for _, code := range []int{408, 500, 502, 503, 504} {
		to := fmt.Sprintf("13135550%d", code)
		began := time.Now()
		call := dial(t, o.ann(t), to, phone.DialOptions{})
		call.Await(phone.Answered, soon)
		o.carriers[0].wantOnly(t, "the first trunk", to, 1)
		next := o.carriers[1].await(t, to, 1, soon)
		if d := next.at.Sub(began); d > 7*time.Second { // 8 s is how long silence lasts
			t.Errorf("after %d the next trunk was tried after %v", code, d)
		}
		call.call.HangUp()
		next.awaitOver(t, soon)
		if n := len(call.Wire().Find("< SIP/2.0 200", " INVITE\r\n")); n != 1 {
			t.Errorf("the caller got %d answers", n)
		}
	}
	refusals := []struct {
		code   int
		cause  core.Cause
		prompt string
	}{
		{404, core.CauseUnallocated, core.PromptUnknownNumber},
		{480, core.CauseNoAnswer, core.PromptNoAnswer},
		{486, core.CauseBusy, core.PromptBusy},
		{603, core.CauseRejected, core.PromptDeclined},
	}
	calls := make([]*placed, len(refusals))
	for i, r := range refusals {
		calls[i] = dial(t, o.ann(t), fmt.Sprintf("13135550%d", r.code), phone.DialOptions{})
	}
	for i, r := range refusals {
		calls[i].wantRefused(r.code, r.cause, r.prompt)
		to := fmt.Sprintf("13135550%d", r.code)
		o.carriers[0].wantOnly(t, "the first trunk", to, 1)
		o.carriers[1].wantOnly(t, "the next trunk", to, 0)
	}
}

// noSignOfLife wants the next trunk 8 s after an INVITE that met nothing at all,
// or a 100 and no more.
func noSignOfLife(t *testing.T, o *trunkTest) {
	silent, trying, next := o.carriers[0], o.carriers[1], o.carriers[2]
	silent.mute.Store(true)
	began := time.Now()
	calls := []*placed{
		dial(t, o.ann(t), "13145550100", phone.DialOptions{}), dial(t, o.ann(t), "13155550100", phone.DialOptions{}),
	}
	for i, to := range []string{"13145550100", "13155550100"} {
		invite := next.await(t, to, 1, soon)
		if d := invite.at.Sub(began); d < 7900*time.Millisecond || d > 16*time.Second {
			t.Errorf("the next trunk for %s was tried after %v, want 8 s", to, d)
		}
		calls[i].Await(phone.Answered, soon)
		calls[i].call.HangUp()
		invite.awaitOver(t, soon)
	}
	trying.await(t, "", 1, soon).awaitOver(t, soon)
	silent.mute.Store(false) // what is repeated is answered, or the leg stays for 32 s
}

// pacing wants four calls at three a second: the fourth leaves one second after
// the first, and none fails.
func pacing(t *testing.T, o *trunkTest) {
	at := netip.MustParseAddrPort("127.0.0.33:0")
	call := dial(t, harness.NewCarrier(t, o.Offhook, at, phone.Config{}), number(0), phone.DialOptions{})
	last := o.carriers[0].await(t, "", 4, soon)
	invites := o.carriers[0].got("")
	for i, least := range []time.Duration{0, 0, 0, time.Second} {
		// On a busy machine any may come late, and so the fourth too early after the first.
		if d := invites[i].at.Sub(invites[0].at); d < least-600*time.Millisecond || d > least+900*time.Millisecond {
			t.Errorf("INVITE %d came %v after the first, want %v", i+1, d.Round(time.Millisecond), least)
		}
		t.Logf("INVITE %d of 4 at +%v", i+1, invites[i].at.Sub(invites[0].at).Round(time.Millisecond))
	}
	last.answer()
	call.Await(phone.Answered, soon)
	call.call.HangUp()
	for _, r := range invites {
		r.awaitOver(t, soon)
	}
	o.carriers[0].wantOnly(t, "the trunk", "", 4)
}
