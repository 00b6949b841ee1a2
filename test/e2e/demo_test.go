//go:build e2e

package e2e

import (
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// demoVisitorHz and demoSalesHz are the tones of the two pages' microphones.
const (
	demoVisitorHz = 700
	demoSalesHz   = 1700
)

// TestDemo is the first minute of a newcomer: `offhook demo`, a call from the
// simulated phone network, phones that ring, and a browser that answers.
func TestDemo(t *testing.T) {
	web, sip := free(t, "127.0.0.1"), free(t, "127.0.0.1")
	harness.Start(t, "offhook", exec.CommandContext(context.Background(), filepath.Join(harness.Root(t), "bin", "offhook"), "demo", //nolint:gosec // our own program
		"--listen", web, "--sip", sip, "--carrier", free(t, "127.0.0.2"), "--web-rtc", free(t, "127.0.0.1"))).WaitFor(15*time.Second, "http://localhost", "/demo")

	browser := harness.NewBrowser(t)
	page := browser.Open("demo", "http://"+web+"/demo", demoVisitorHz)
	for _, desk := range []string{"desk-1", "desk-2"} {
		page.WaitVisible(phoneIn(desk, "idle")) // registered
	}
	softphone := harness.Eval[string](page, `document.querySelector("[data-testid=softphone-sales]").href`)
	sales := browser.Open("sales", softphone, demoSalesHz)
	sales.WaitVisible("[data-testid=state][data-state=online]")

	page.Click("[data-testid='number-12995558888']")
	page.Click("[data-testid=dial-call]")
	for _, phone := range []string{"desk-1", "desk-2", "mobile-1"} {
		page.WaitVisible(phoneIn(phone, "ringing"))
	}
	sales.WaitVisible("[data-testid=incoming]")
	page.Screenshot("ringing")
	sales.Screenshot("ringing")
	if !demoRingback(page.Hear(7 * time.Second)) {
		t.Error("the visitor hears no ringback")
	}

	sales.Click("[data-testid=answer]")
	page.WaitVisible(phoneIn("visitor", "talking"))
	for _, phone := range []string{"desk-1", "desk-2", "mobile-1"} {
		page.WaitVisible(phoneIn(phone, "idle"))
	}
	page.WaitText("answered elsewhere", 5*time.Second)
	sales.WantTone(demoVisitorHz)
	page.WantTone(demoSalesHz)
	page.Screenshot("talking")
	sales.Screenshot("talking")

	page.Click("[data-testid=hangup]")
	sales.WaitVisible("[data-testid=dial-input]")
	page.WaitVisible(phoneIn("visitor", "idle"))
}

// demoRingback reports whether pcm holds the American ringback tone, 2 s of 440 and
// 480 Hz, somewhere.
func demoRingback(pcm []int16) bool {
	const window = harness.HearRate / 2
	for ; len(pcm) >= window; pcm = pcm[window/2:] {
		if meter.Purity(pcm[:window], harness.HearRate, 440)+meter.Purity(pcm[:window], harness.HearRate, 480) > harness.Present {
			return true
		}
	}
	return false
}

// phoneIn selects a phone of the demo's page in a state.
func phoneIn(id, state string) string {
	return "[data-testid='phone-" + id + "'][data-state=" + state + "]"
}

// free returns a free address of an IP address.
func free(t *testing.T, ip string) string {
	t.Helper()
	return net.JoinHostPort(ip, strconv.Itoa(int(testkit.FreePort(t, ip))))
}
