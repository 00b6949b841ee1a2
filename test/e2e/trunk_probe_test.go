//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
)

// deadByOptions silences a trunk that is asked every five seconds: it is taken
// out, so that calls go over the next one at once, and comes back by itself.
func deadByOptions(t *testing.T, o *trunkTest) {
	const up = `offhook_trunk_up{trunk="deadbyoptions-0"}`
	first, spare := o.carriers[0], o.carriers[1]
	o.takes(t, first, "13165550100")

	first.mute.Store(true)
	silent := time.Now()
	testkit.Eventually(t, 30*time.Second, up+" is 0", func() bool { return o.Metric(up) == 0 })
	t.Logf("out after %v", time.Since(silent).Round(100*time.Millisecond))
	began := time.Now()
	o.takes(t, spare, "13165550101")
	if d := spare.got("13165550101")[0].at.Sub(began); d > 4*time.Second {
		t.Errorf("the next trunk was tried after %v: the dead one was asked first", d)
	}

	first.mute.Store(false)
	loud := time.Now()
	testkit.Eventually(t, 30*time.Second, up+" is 1", func() bool { return o.Metric(up) == 1 })
	t.Logf("back after %v", time.Since(loud).Round(100*time.Millisecond))
	o.takes(t, first, "13165550102")
	for _, words := range []string{"level=WARN msg=\"trunk does not answer OPTIONS\" trunk=deadbyoptions-0", "level=INFO msg=\"trunk answers again\" trunk=deadbyoptions-0"} {
		if lines := o.Log().Lines(words); len(lines) != 1 {
			t.Errorf("%d lines with %s", len(lines), words)
		}
	}
	spare.mu.Lock()
	defer spare.mu.Unlock()
	if len(spare.options) > 0 {
		t.Error("a trunk was asked that shall not be")
	}
}

// takes wants a call of ann's answered by one carrier, and by no other.
func (o *trunkTest) takes(t *testing.T, by *carrier, to string) {
	t.Helper()
	call := dial(t, o.ann(t), to, phone.DialOptions{})
	call.Await(phone.Answered, soon)
	for i, c := range o.carriers {
		want := 0
		if c == by {
			want = 1
		}
		if n := len(c.got(to)); n != want {
			t.Errorf("trunk %d got %d INVITEs to %s, want %d", i, n, to, want)
		}
	}
	call.call.HangUp()
	call.Await(phone.Ended, soon)
}
