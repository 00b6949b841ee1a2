//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"strings"
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
	if d := spare.got("13165550101")[0].at.Sub(began); d > 7*time.Second {
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

// probedByAPI makes a trunk that is asked, and takes the question back: what
// /api/v1 says holds at once.
func (h *house) probedByAPI(t *testing.T) {
	far, api := newCarrier(t, nil), newAdmin(t, h.Offhook)
	trunk := map[string]any{"name": "late", "uri": "sip:" + far.at.String(), "prefixes": []string{"888"}, "probe": "5s"}
	api.do(t, "POST", "/trunks", trunk)
	asked := func() int {
		far.mu.Lock()
		defer far.mu.Unlock()
		return len(far.options)
	}
	testkit.Eventually(t, soon, "the trunk is asked", func() bool { return asked() > 0 })
	const up = `offhook_trunk_up{trunk="late"} 1`
	if page := h.page(t, "/metrics"); !strings.Contains(page, up) {
		t.Errorf("no %s in /metrics", up)
	}
	if read := api.do(t, "GET", "/trunks/late", nil); !strings.Contains(read, `"probe":"5s"`) {
		t.Errorf("the trunk reads %s", read)
	}
	delete(trunk, "probe")
	api.do(t, "PUT", "/trunks/late", trunk)
	if page := h.page(t, "/metrics"); strings.Contains(page, `trunk="late"`) {
		t.Error("a trunk that nobody asks any more is in /metrics")
	}
	api.do(t, "DELETE", "/trunks/late", nil)
}

// page returns a page of the exchange.
func (h *house) page(t *testing.T, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL(path), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
