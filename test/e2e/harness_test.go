//go:build e2e

// Package e2e shows the main job on real phones and a real browser.
package e2e

import (
	"testing"
	"time"

	"github.com/offhook/offhook/test/e2e/harness"
)

// TestHarnessBaresip shows that the harness itself can be trusted: two phones
// call each other directly and hear each other's tone.
func TestHarnessBaresip(t *testing.T) {
	for _, codec := range []string{"PCMU", "opus"} {
		t.Run(codec, func(t *testing.T) {
			bob := harness.NewBaresip(t, harness.BaresipConfig{User: "bob", Codec: codec, Tone: 600})
			alice := harness.NewBaresip(t, harness.BaresipConfig{User: "alice", Codec: codec, Tone: 1000})
			alice.Dial("sip:bob@" + bob.Addr())
			bob.Await("CALL_INCOMING", 5*time.Second)
			bob.Accept()
			alice.Await("CALL_ESTABLISHED", 5*time.Second)
			time.Sleep(3 * time.Second) //nolint:forbidigo // the length of the call
			alice.HangUp()
			bob.Await("CALL_CLOSED", 5*time.Second)
			rate, pcm := bob.Heard()
			harness.WantTone(t, "bob", pcm, rate, 1000)
			rate, pcm = alice.Heard()
			harness.WantTone(t, "alice", pcm, rate, 600)
			if harness.HasTone(pcm, rate, 1000, 250*time.Millisecond) {
				t.Error("alice hears herself: the test cannot tell directions apart")
			}
		})
	}
}
