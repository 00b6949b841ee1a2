//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestBotHandsOverToBrowser: a caller talks with the bot of examples/voice-bot, which
// hears and repeats every word; then the bot asks by a text frame to be told when its
// goodbye was heard, the group rings, and a browser takes the call. It runs alone: the
// echo passes four processes, each of which the machine may keep waiting.
func TestBotHandsOverToBrowser(t *testing.T) {
	w := newProgramTown(t)
	w.start("voice-bot")
	o := &office{Offhook: w.Offhook, browser: harness.NewBrowser(t)}
	page := o.logIn("desk", password("desk"), salesHz)

	caller := w.dial(1, callerHz)
	caller.Await(phone.Answered, soon)
	awaitTone(t, "caller", caller.call, callerHz) // its own, by the bot
	words := announcements(t, "busy", "closed")
	caller.call.Say(phone.Recording(nil, false))
	testkit.Eventually(t, soon, "the tone dies away", func() bool { return meter.Level(caller.call.Heard(time.Second)) < -60 })
	harness.AwaitSpeech(t, caller.call, caller.call, words, harness.Bar{Corr: 0.98, Lost: 0.01}, 2*time.Minute)

	caller.call.Say(phone.Tone(callerHz))
	caller.call.Digits("0")
	page.WaitVisible("[data-testid=answer]")
	page.Answer()
	page.AwaitTone(t, callerHz)
	awaitTone(t, "caller", caller.call, salesHz)
	caller.call.HangUp()
	page.AwaitEnd(t)
	w.wantIdle()
}

// TestBotHearsWideband: what a G.722 phone says reaches the bot and comes back.
func TestBotHearsWideband(t *testing.T) {
	t.Parallel()
	w := newProgramTown(t)
	w.start("voice-bot")
	caller := harness.NewUser(t, w.Offhook, "mobile", password("mobile"), phone.Config{Codecs: []media.Codec{media.G722}, Say: says(callerHz)})
	call := dial(t, caller, programNumber, phone.DialOptions{})
	call.Await(phone.Answered, soon)
	awaitTone(t, "caller", call.call, callerHz)
	call.call.HangUp()
	call.Await(phone.Ended, soon)
	w.wantIdle()
}
