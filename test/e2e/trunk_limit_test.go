//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
)

// limitGoesOn fills a trunk: the third call takes the next one, and the first
// again once there is room.
func limitGoesOn(t *testing.T, o *trunkTest) {
	var calls []*placed
	for i := range 3 {
		call := dial(t, o.ann(t), fmt.Sprintf("1318555010%d", i), phone.DialOptions{})
		call.Await(phone.Answered, soon)
		calls = append(calls, call)
	}
	o.carriers[0].wantOnly(t, "the trunk for two calls", "", 2)
	o.carriers[1].wantOnly(t, "the next trunk", "13185550102", 1)
	calls[0].call.HangUp()
	o.carriers[0].await(t, "13185550100", 1, soon).awaitOver(t, soon)
	testkit.Eventually(t, soon, "the leg is gone", func() bool { return len(calls[0].Wire().Find("< SIP/2.0 200", " BYE\r\n")) == 1 })
	again := dial(t, o.ann(t), "13185550103", phone.DialOptions{})
	again.Await(phone.Answered, soon)
	o.carriers[0].wantOnly(t, "the trunk with room", "13185550103", 1)
	for _, call := range append(calls[1:], again) {
		call.call.HangUp()
		call.Await(phone.Ended, soon)
	}
}

// limitAlone fills the only trunk: the caller hears that there is no way now.
func limitAlone(t *testing.T, o *trunkTest) {
	first := dial(t, o.ann(t), "13195550100", phone.DialOptions{})
	first.Await(phone.Answered, soon)
	dial(t, o.ann(t), "13195550101", phone.DialOptions{}).wantRefused(503, core.CauseNoCircuit, core.PromptUnreachable)
	o.carriers[0].wantOnly(t, "the full trunk", "", 1)
	first.call.HangUp()
	first.Await(phone.Ended, soon)
}

// limitPerSecond wants a call that is too many for a trunk in this second to take
// the next one: unlike one that waits for the trunk's pace.
func limitPerSecond(t *testing.T, o *trunkTest) {
	calls := []*placed{
		dial(t, o.ann(t), "13205550100", phone.DialOptions{}), dial(t, o.ann(t), "13205550101", phone.DialOptions{}),
	}
	first, next := o.carriers[0].await(t, "", 1, soon), o.carriers[1].await(t, "", 1, soon)
	if d := next.at.Sub(first.at).Abs(); d > 800*time.Millisecond {
		t.Errorf("the second call left after %v", d)
	}
	for _, call := range calls {
		call.Await(phone.Answered, soon)
	}
	for _, call := range calls {
		call.call.HangUp()
	}
	o.carriers[0].wantOnly(t, "the trunk for one call a second", "", 1)
	first.awaitOver(t, soon)
	next.awaitOver(t, soon)
}

// limitLongest wants a conversation that is too long for a trunk to end.
func limitLongest(t *testing.T, o *trunkTest) {
	began := time.Now()
	call := dial(t, o.ann(t), "13215550100", phone.DialOptions{})
	call.Await(phone.Answered, soon)
	call.Await(phone.Ended, soon)
	if d := time.Since(began); d < 2*time.Second {
		t.Errorf("it ended after %v", d)
	}
	if len(call.Wire().Find("< BYE ", "\r\nReason: Q.850;cause=57;")) == 0 {
		t.Error("the caller was not told why")
	}
}
