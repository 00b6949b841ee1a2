//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// guarded is an exchange with a trunk for every number and nothing set about
// limits, but for the users few, brief and one.
type guarded struct {
	*harness.Offhook
	far *carrier
}

// TestTollFraudGuard shows what a user cannot do over a trunk, with no word about
// it in the configuration and with limits of his own.
func TestTollFraudGuard(t *testing.T) {
	t.Parallel()
	far := newCarrier(t, answers)
	users := "  users:\n    - {name: boss, role: admin, password: " + password("boss") + "}\n"
	for _, u := range []string{
		"few, limits: {minutes: 1}", "brief, limits: {longest: 2s}", "one, limits: {calls: 1}", "slow, limits: {calls_per_second: 1}",
		"ann", "ben", "cara", "dan",
	} {
		name, _, _ := strings.Cut(u, ",")
		users += fmt.Sprintf("    - {password: %s, name: %s}\n", password(name), u)
	}
	g := &guarded{harness.NewOffhook(t, fmt.Sprintf("resources:\n  trunks: [{name: far, uri: \"sip:%s\"}]\n%s", far.at, users)), far}
	t.Run("all", func(t *testing.T) {
		for _, tt := range []struct {
			name string
			run  func(*testing.T)
		}{
			{"MinutesAreUsedUp", g.minutes},
			{"LongestConversation", g.longest},
			{"DefaultCallsAtOnce", g.callsAtOnce},
			{"DefaultCallsPerSecond", g.callsPerSecond},
			{"DefaultPrefixes", g.prefixes},
			{"EmergencyInEveryForm", g.emergency},
			{"UsersOwnLimits", g.ownLimits},
		} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				tt.run(t)
			})
		}
	})
	t.Run("OnlyTheOwnCountry", g.country)
	g.AwaitMetric("offhook_legs", 0, soon)
	g.AwaitLegs(t, soon)
}

// calls places calls at the same time, each from a phone of its own.
func (g *guarded) calls(t *testing.T, user string, numbers ...string) (calls []*placed) {
	t.Helper()
	for _, number := range numbers {
		calls = append(calls, dial(t, anybody(t, g.Offhook, user), number, phone.DialOptions{}))
	}
	return calls
}

// wantGuarded wants calls to be refused with the announcement, and none of them
// at the trunk.
func (g *guarded) wantGuarded(t *testing.T, calls ...*placed) {
	t.Helper()
	for _, call := range calls {
		call.wantRefused(403, core.CauseNotAllowed, core.PromptNotAllowed)
		g.far.wantOnly(t, "the trunk", strings.TrimLeft(call.call.Peer().Number, "+0"), 0)
	}
}

// hangUp ends calls that are answered.
func hangUp(t *testing.T, calls ...*placed) {
	t.Helper()
	for _, call := range calls {
		call.call.HangUp()
		call.Await(phone.Ended, soon)
	}
}

// minutes has a user with one minute talk with six people: after ten seconds all
// six calls end, with the reason on both sides, and there is no seventh.
func (g *guarded) minutes(t *testing.T) {
	began := time.Now()
	var calls []*placed
	for i := range 6 {
		call := g.calls(t, "few", fmt.Sprintf("+1212555020%d", i))[0]
		call.Await(phone.Answered, soon)
		calls = append(calls, call)
	}
	for i, call := range calls {
		call.Await(phone.Ended, 30*time.Second)
		if d := time.Since(began); d < 9900*time.Millisecond || d > 20*time.Second {
			t.Errorf("call %d of six with one minute ended after %v", i, d)
		}
		g.wantCutOff(t, call, fmt.Sprintf("1212555020%d", i))
	}
	t.Logf("six calls with one minute ended after %v", time.Since(began).Round(100*time.Millisecond))
	g.wantGuarded(t, g.calls(t, "few", "+12125550207")...)
}

// longest has a conversation that may last two seconds.
func (g *guarded) longest(t *testing.T) {
	began := time.Now()
	call := g.calls(t, "brief", "+12125550300")[0]
	call.Await(phone.Answered, soon)
	call.Await(phone.Ended, soon)
	if d := time.Since(began); d < 2*time.Second {
		t.Errorf("it ended after %v", d)
	}
	g.wantCutOff(t, call, "12125550300")
}

// wantCutOff wants both sides of a call to have been told why it ended.
func (g *guarded) wantCutOff(t *testing.T, call *placed, to string) {
	t.Helper()
	const why = `Q.850;cause=57;text="Talk time used up"`
	if len(call.Wire().Find("< BYE ", "\r\nReason: "+why)) == 0 {
		t.Errorf("the caller got no BYE with Reason: %s", why)
	}
	r := g.far.await(t, to, 1, soon)
	r.awaitOver(t, soon)
	if len(r.reasons) != 1 || r.reasons[0].Cause != 57 {
		t.Errorf("the far end was told %v", r.reasons)
	}
}

// callsAtOnce has a user talk with ten people: the eleventh call is refused, and
// goes out when one of the ten is over.
func (g *guarded) callsAtOnce(t *testing.T) {
	var calls []*placed
	for i := range 10 {
		time.Sleep(510 * time.Millisecond) // two a second
		call := g.calls(t, "ann", fmt.Sprintf("+121255504%02d", i))[0]
		call.Await(phone.Answered, soon)
		calls = append(calls, call)
	}
	time.Sleep(510 * time.Millisecond)
	g.wantGuarded(t, g.calls(t, "ann", "+12125550410")...)
	hangUp(t, calls[0])
	again := g.calls(t, "ann", "+12125550411")[0]
	again.Await(phone.Answered, soon)
	hangUp(t, append(calls[1:], again)...)
}

// callsPerSecond has a user call three people at once.
func (g *guarded) callsPerSecond(t *testing.T) {
	calls := g.calls(t, "ben", "+12125550500", "+12125550501")
	for _, call := range calls {
		call.Await(phone.Answered, soon)
	}
	g.wantGuarded(t, g.calls(t, "ben", "+12125550502")...)
	hangUp(t, calls...)
}

// prefixes dials what fraud is paid by, and a number abroad, which is free to dial
// as long as nobody said where here is.
func (g *guarded) prefixes(t *testing.T) {
	refused := g.calls(t, "cara", "+19005550100", "+881612345678", "+18765550100", "+449001234567", "+43900123456")
	abroad := g.calls(t, "cara", "+442079460600")
	abroad[0].Await(phone.Answered, soon)
	hangUp(t, abroad...)
	g.wantGuarded(t, refused...)
}

// emergency dials for help in every form that reaches it somewhere.
func (g *guarded) emergency(t *testing.T) {
	calls := g.calls(t, "dan", "112", "911", "999", "110", "000", "1-1-2", "+112", "00112", "+911")
	for _, call := range calls {
		call.wantRefused(403, core.CauseNotAllowed, core.PromptNotAllowed)
	}
	for _, r := range g.far.got("") {
		if len(r.to) < 8 {
			t.Errorf("%s went out over the trunk", r.to)
		}
	}
}

// ownLimits has limits that are a user's own.
func (g *guarded) ownLimits(t *testing.T) {
	first := g.calls(t, "one", "+12125550700")
	first[0].Await(phone.Answered, soon)
	slow := g.calls(t, "slow", "+12125550710")
	slow[0].Await(phone.Answered, soon)
	g.wantGuarded(t, append(g.calls(t, "one", "+12125550701"), g.calls(t, "slow", "+12125550711")...)...)
	hangUp(t, first[0], slow[0])
}

// country says where here is: everything abroad is refused from then on, and
// emergency numbers also with the prefixes of the country.
func (g *guarded) country(t *testing.T) {
	newAdmin(t, g.Offhook).do(t, "PUT", "/dialling", map[string]string{"country": "de"})
	here := g.calls(t, "ben", "030123456")[0]
	here.Await(phone.Answered, soon)
	hangUp(t, here)
	g.far.wantOnly(t, "the trunk", "4930123456", 1)
	refused := g.calls(t, "ben", "+12125550800", "0044207946080", "0900123456", "0112", "+49112", "0049110")
	for _, call := range refused {
		call.wantRefused(403, core.CauseNotAllowed, core.PromptNotAllowed)
	}
	for _, r := range g.far.got("") {
		if len(r.to) < 8 || r.to == "12125550800" || r.to == "44207946080" || r.to == "49900123456" {
			t.Errorf("%s went out over the trunk", r.to)
		}
	}
}
