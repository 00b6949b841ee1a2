//go:build e2e

package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestExamples starts each program of examples/ and calls it.
func TestExamples(t *testing.T) {
	for name, show := range map[string]func(*programTown){
		"early-media":  showEarlyMedia,
		"ring-group":   showRingGroup,
		"ivr":          showIVR,
		"conference":   showConference,
		"coach":        showCoach,
		"recording":    showRecording,
		"voice-bot":    showVoiceBot,
		"realtime-bot": showRealtimeBot,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newProgramTown(t)
			show(w)
			w.wantIdle()
		})
	}
}

// showEarlyMedia: the caller hears music and is not answered before a phone is.
func showEarlyMedia(w *programTown) {
	desk, mobile := w.phone("desk", deskHz, phone.Config{}), w.phone("mobile", mobileHz, phone.Config{})
	w.start("early-media")
	caller := w.dial(1, callerHz)
	caller.Await(phone.Early, soon)
	ringing := desk.Call(desk.Await(phone.Incoming, soon).Call)
	mobile.Await(phone.Incoming, soon)
	testkit.Eventually(w.t, soon, "the caller hears the chord", func() bool {
		return harness.HasTones(caller.call.Heard(2*time.Second), phone.Rate, time.Second, 330, 415, 495)
	})
	if len(caller.Wire().Find("< SIP/2.0 200", " INVITE\r\n")) > 0 {
		w.t.Error("the caller was answered before anybody took the call")
	}
	ringing.Answer()
	caller.Await(phone.Answered, soon)
	awaitTone(w.t, "caller", caller.call, deskHz)
	awaitTone(w.t, "desk", ringing, callerHz)
	mobile.Await(phone.Ended, soon)
	caller.call.HangUp()
	desk.Await(phone.Ended, soon)
}

// showRingGroup: both phones ring, one answers, the other is told so.
func showRingGroup(w *programTown) {
	desk, mobile := w.phone("desk", deskHz, phone.Config{}), w.phone("mobile", mobileHz, phone.Config{})
	w.start("ring-group")
	caller := w.dial(1, callerHz)
	desk.Await(phone.Incoming, soon)
	ringing := mobile.Call(mobile.Await(phone.Incoming, soon).Call)
	ringing.Answer()
	caller.Await(phone.Answered, soon)
	awaitTone(w.t, "caller", caller.call, mobileHz)
	awaitTone(w.t, "mobile", ringing, callerHz)
	if ended := desk.Await(phone.Ended, soon); ended.Reason != "answered elsewhere" {
		w.t.Errorf("desk was told %q", ended.Reason)
	}
	caller.call.HangUp()
	mobile.Await(phone.Ended, soon)
}

// showIVR: key 2 rings the group of support.
func showIVR(w *programTown) {
	support := w.phone("support", supportHz, phone.Config{AutoAnswer: true})
	w.start("ivr")
	caller := w.dial(1, callerHz)
	caller.Await(phone.Answered, soon)
	caller.call.Digits("2")
	answered := support.Call(support.Await(phone.Answered, soon).Call)
	awaitTone(w.t, "caller", caller.call, supportHz)
	awaitTone(w.t, "support", answered, callerHz)
	answered.HangUp()
	caller.Await(phone.Ended, soon)
}

// showConference: who keys the PIN is in; who keys another is asked again.
func showConference(w *programTown) {
	w.start("conference")
	first, second := w.dial(1, callerHz), w.dial(2, deskHz)
	for _, caller := range []*placed{first, second} {
		caller.Await(phone.Answered, soon)
	}
	first.call.Digits("1234")
	second.call.Digits("9999")
	time.Sleep(2 * time.Second) // it is asked again
	second.call.Digits("1234")
	awaitTone(w.t, "first", first.call, deskHz)
	awaitTone(w.t, "second", second.call, callerHz)
	first.call.HangUp()
	second.call.HangUp()
}

// showCoach: the coach hears both, the agent hears the coach, the customer does not.
func showCoach(w *programTown) {
	agent, coach := w.phone("desk", deskHz, phone.Config{AutoAnswer: true}), w.phone("coach", mobileHz, phone.Config{AutoAnswer: true})
	w.start("coach", "AGENT=12995551111")
	customer := w.dial(1, callerHz)
	customer.Await(phone.Answered, soon)
	agents := agent.Call(agent.Await(phone.Answered, soon).Call)
	awaitTone(w.t, "customer", customer.call, deskHz)
	w.tell("/coach?number=12995559999")
	coachs := coach.Call(coach.Await(phone.Answered, soon).Call)
	for who, hears := range map[string]struct {
		call  *phone.Call
		tones []float64
	}{
		"coach":    {coachs, []float64{callerHz, deskHz}},
		"agent":    {agents, []float64{callerHz, mobileHz}},
		"customer": {customer.call, []float64{deskHz}},
	} {
		testkit.Eventually(w.t, soon, who+" hears who it should", func() bool {
			return harness.HasTones(hears.call.Heard(time.Second), phone.Rate, 500*time.Millisecond, hears.tones...)
		})
	}
	customer.call.HangUp()
	agent.Await(phone.Ended, soon)
	coach.Await(phone.Ended, soon)
}

// showRecording: the file that the program fetched holds the message.
func showRecording(w *programTown) {
	w.start("recording")
	caller := w.dial(1, callerHz)
	caller.Await(phone.Answered, soon)
	time.Sleep(4 * time.Second) // beep and message
	caller.call.Digits("#")
	var recorded []string
	testkit.Eventually(w.t, soon, "the recording is there", func() bool {
		recorded, _ = filepath.Glob(filepath.Join(w.folder, "*.wav"))
		return len(recorded) == 1
	})
	var pcm file.PCM
	testkit.Eventually(w.t, soon, "the recording is whole", func() bool {
		body, err := os.ReadFile(recorded[0])
		if err != nil {
			return false
		}
		pcm, err = file.Decode(bytes.NewReader(body))
		return err == nil && len(pcm.Samples) > pcm.Rate
	})
	harness.WantTone(w.t, "the recording", pcm.Samples, pcm.Rate, callerHz)
	caller.Await(phone.Ended, soon)
}

// showVoiceBot: the bot repeats what the caller says, and hands over to a group.
func showVoiceBot(w *programTown) {
	desk := w.phone("desk", deskHz, phone.Config{AutoAnswer: true})
	w.start("voice-bot")
	caller := w.dial(1, callerHz)
	caller.Await(phone.Answered, soon)
	awaitTone(w.t, "caller", caller.call, callerHz)
	caller.call.Digits("0")
	answered := desk.Call(desk.Await(phone.Answered, soon).Call)
	awaitTone(w.t, "caller", caller.call, deskHz)
	awaitTone(w.t, "desk", answered, callerHz)
	caller.call.HangUp()
	desk.Await(phone.Ended, soon)
}

// showRealtimeBot: the caller hears the model, the model the caller, and it hands
// over by its tool.
func showRealtimeBot(w *programTown) {
	const modelHz = 800
	model := newFakeModel(w.t, modelHz)
	desk := w.phone("desk", deskHz, phone.Config{AutoAnswer: true})
	w.start("realtime-bot", "REALTIME_URL=ws"+strings.TrimPrefix(model.URL, "http")+"/v1/realtime?model=test", "REALTIME_KEY=sesame")
	caller := w.dial(1, callerHz)
	caller.Await(phone.Answered, soon)
	awaitTone(w.t, "caller", caller.call, modelHz)
	answered := desk.Call(desk.Await(phone.Answered, soon).Call)
	awaitTone(w.t, "caller", caller.call, deskHz)
	awaitTone(w.t, "desk", answered, callerHz)
	caller.call.HangUp()
	desk.Await(phone.Ended, soon)
}

// newFakeModel is a realtime server whose model says a tone for two seconds, listens
// for two more, and hands over if that was the caller.
func newFakeModel(t *testing.T, hz float64) *httptest.Server {
	t.Helper()
	const rate = 24000
	model := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sesame" {
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		conn, err := websocket.Accept(rw, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		say := func(event map[string]string) {
			text, _ := json.Marshal(event)
			_ = conn.Write(r.Context(), websocket.MessageText, text) // the bot may be gone
		}
		var heard []int16
		for {
			_, message, err := conn.Read(r.Context())
			if err != nil {
				return
			}
			var event struct{ Type, Audio string }
			if err := json.Unmarshal(message, &event); err != nil {
				t.Errorf("the bot says %q", message)
			}
			switch event.Type {
			case "response.create":
				say(map[string]string{"type": "response.output_audio.delta", "delta": base64.StdEncoding.EncodeToString(littleEndian(harness.Sine(rate, hz, 2*time.Second)))})
			case "input_audio_buffer.append":
				pcm, err := base64.StdEncoding.DecodeString(event.Audio)
				if err != nil {
					t.Errorf("the bot sends %q", event.Audio)
				}
				for ; len(pcm) > 1; pcm = pcm[2:] {
					heard = append(heard, int16(binary.LittleEndian.Uint16(pcm))) //nolint:gosec // samples
				}
				if len(heard) > 4*rate {
					harness.WantTone(t, "model", heard, rate, callerHz)
					say(map[string]string{"type": "response.function_call_arguments.done", "name": "hand_over"})
					heard = nil
				}
			}
		}
	}))
	t.Cleanup(model.Close)
	return model
}

func littleEndian(pcm []int16) []byte {
	var out []byte
	for _, s := range pcm {
		out = binary.LittleEndian.AppendUint16(out, uint16(s)) //nolint:gosec // samples
	}
	return out
}
