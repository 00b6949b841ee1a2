//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestStagedFaults lets a carrier's audio go wrong in a call: the log, the live call
// in the API and its record name the side and the reason. Who is on hold is not
// silent. That nothing comes at all is TestSilentLegs.
func TestStagedFaults(t *testing.T) {
	h := &house{Offhook: harness.NewOffhook(t, fmt.Sprintf("limits: {api_rate: 0}\nresources:\n%s  users:\n    - {name: operator, role: admin}\n    - {name: ben, password: %s}\n"+
		"  groups:\n    - {name: group0, endpoints: [{user: ben}]}\n  numbers:\n    - {number: %q, group: group0}\n", usualTrunk, password("ben"), number(0)))}
	api := h.API(t, "operator")
	ben := h.user(t, "ben", phone.Config{AutoAnswer: true, Say: says(deskHz)})
	for _, c := range []struct {
		name       string
		protection sdp.Protection
		payload    byte
		silence    string // "" is none
		diagnosis  string
	}{
		{"a payload type that was not agreed", sdp.ProtectNever, 3, "wrong_payload_type", "payload type 3"},
		{"another key than was said", sdp.ProtectRequired, 8, "srtp_failed", "authentication fails"},
		{"on hold", sdp.ProtectNever, 0, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			far := newRoughCarrier(t, h.SIP, c.protection)
			call := ring(ben)
			testkit.Receive(t, far.answered, soon, "the answer")
			stop := make(chan struct{})
			go func() {
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					case <-tick.C:
						if c.silence != "" {
							_, _ = far.rtp.WriteToUDPAddrPort(rtpPacket(n, c.payload), far.to) // the socket may close first
						}
					}
				}
			}()
			defer close(stop)
			if c.silence == "" {
				call.Hold()
				time.Sleep(7 * time.Second) // longer than anybody may be silent
				if got := silences(t, api); len(got) != 0 {
					t.Errorf("silent legs %v, want none: who is held need not speak", got)
				}
			} else {
				testkit.Eventually(t, soon, "the API names the carrier's leg", func() bool { return silences(t, api)["inbound"] == c.silence })
				if lines := h.Log().Lines("no audio from a leg", c.silence, c.diagnosis); len(lines) != 1 {
					t.Errorf("the log says %q", lines)
				}
			}
			call.HangUp()
			ben.Await(phone.Ended, soon)
			h.AwaitLegs(t, soon)
			if c.silence != "" && h.silent(c.silence) != 1 {
				t.Errorf("no record says %s: %+v", c.silence, h.Legs())
			}
		})
	}
}

// silences returns why legs of live calls are silent, by their direction.
func silences(t *testing.T, api *harness.API) map[string]string {
	t.Helper()
	found := map[string]string{}
	list, _ := api.Do(t, "GET", "/calls", "", 200)["items"].([]any)
	for _, c := range list {
		call, _ := c.(map[string]any)
		legs, _ := call["legs"].([]any)
		for _, l := range legs {
			leg, _ := l.(map[string]any)
			if why, ok := leg["silence"].(string); ok {
				found[fmt.Sprint(leg["direction"])] = why
			}
		}
	}
	return found
}
