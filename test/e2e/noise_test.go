//go:build e2e

package e2e

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestComfortNoiseOfAPhone lets a phone send comfort noise (RFC 3389) in place of
// silence: the other side hears noise of that level, made here or by itself, then the
// voice, clean; and nobody wonders where the packets are.
func TestComfortNoiseOfAPhone(t *testing.T) {
	kinds := []media.Codec{media.PCMU, media.PCMA, media.Opus}
	users := "resources:\n  users:\n"
	for i := range kinds {
		users += fmt.Sprintf("    - {name: ann%[1]d, password: %[2]s}\n    - {name: ben%[1]d, password: %[3]s}\n",
			i, password(fmt.Sprint("ann", i)), password(fmt.Sprint("ben", i)))
	}
	h := &house{Offhook: harness.NewOffhook(t, users)}
	for i, kind := range kinds {
		t.Run("to "+kind.String(), func(t *testing.T) {
			t.Parallel()
			ann := h.user(t, fmt.Sprint("ann", i), phone.Config{Codecs: []media.Codec{media.PCMU}, Noise: 45})
			ben := h.user(t, fmt.Sprint("ben", i), phone.Config{Codecs: []media.Codec{kind}})
			call := dial(t, ann, fmt.Sprint("ben", i), phone.DialOptions{})
			ears := ring(ben)
			ears.Answer()
			ann.Await(phone.Answered, soon)
			if f := call.call.Format(); f.SendNoise != 13 {
				t.Fatalf("agreed on %+v, want comfort noise", f)
			}
			call.call.Say(phone.Tone(callerHz))
			testkit.Eventually(t, soon, "the voice is heard", func() bool {
				return harness.HasTone(ears.Heard(time.Second), phone.Rate, callerHz, time.Second)
			})
			call.call.Say(nil)
			testkit.Eventually(t, soon, "noise of -45 dB is heard for a second", func() bool {
				level := meter.Level(ears.Heard(time.Second))
				return math.Abs(level+45) < 4 && meter.Purity(ears.Heard(time.Second), phone.Rate, callerHz) < harness.Absent
			})
			time.Sleep(6 * time.Second) // longer than anybody may be silent without a reason
			call.call.Say(phone.Tone(callerHz))
			testkit.Eventually(t, soon, "the voice is heard again", func() bool {
				return meter.Purity(ears.Heard(time.Second), phone.Rate, callerHz) > 0.99
			})
			call.call.HangUp()
			ben.Await(phone.Ended, soon)
		})
	}
	t.Cleanup(func() {
		for _, l := range h.AwaitLegs(t, soon) {
			if l.Direction == "inbound" && l.Silence != "" {
				t.Errorf("who sent comfort noise was taken for silent: %+v", l)
			}
		}
	})
}
