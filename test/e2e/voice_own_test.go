//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestVoiceRingsItself: an application that rings its own number is asked about that
// call as about any other, comes to an end when it goes round, and voices come through.
func TestVoiceRingsItself(t *testing.T) {
	t.Parallel()
	app := newSoundApp(t, fmt.Sprintf(`[{"action":"connect","from":%[1]q,"endpoint":[{"type":"phone","number":%[1]q}]},
		{"action":"conversation","name":"after"}]`, voiceNumber))
	h := app.house(t)
	phones := map[float64]*placed{}
	for _, hz := range []float64{callerHz, deskHz} {
		call := dial(t, h.caller(t, says(hz)), voiceNumber, phone.DialOptions{From: phone.Party{Number: outNumber}})
		call.Await(phone.Answered, soon)
		phones[hz] = call
		time.Sleep(2 * time.Second) // of the application's three new legs a second
	}
	for hz, call := range phones {
		other := callerHz + deskHz - hz
		testkit.Eventually(t, soon, fmt.Sprintf("who says %v Hz hears %v Hz", hz, other), func() bool {
			return harness.HasTone(call.call.Heard(1250*time.Millisecond), phone.Rate, other, time.Second)
		})
	}
	app.mu.Lock()
	own := 0 // calls of the application to itself
	for _, event := range app.events {
		if event["status"] == "started" && event["direction"] == "inbound" && event["from"] == voiceNumber {
			own++
		}
	}
	app.mu.Unlock()
	if own < 2 || own > 6 {
		t.Errorf("%d calls to itself, want 1 to 3 for each caller", own)
	}
	for _, call := range phones {
		call.call.HangUp()
	}
	h.AwaitMetric("offhook_legs", 0, soon)
}
