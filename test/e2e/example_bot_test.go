//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestBotHandsOverToBrowser: a caller talks with the bot of examples/voice-bot, which
// hears and repeats every word; then the bot asks by a text frame to be told when its
// goodbye was heard, the group rings, and a browser takes the call. It runs alone: how
// good the echo is would else be the machine's doing.
func TestBotHandsOverToBrowser(t *testing.T) {
	w := newProgramTown(t)
	w.start("voice-bot")
	o := &office{Offhook: w.Offhook, browser: harness.NewBrowser(t)}
	page := o.logIn("desk", password("desk"), salesHz)

	caller := w.dial(1, callerHz)
	caller.Await(phone.Answered, soon)
	awaitTone(t, "caller", caller.call, callerHz) // its own, by the bot
	words := announcements(t, "busy", "closed")
	good := false
	for try := 1; try <= 4 && !good; try++ { // four processes may meet a neighbour of the machine
		echo := echoOf(caller.call, words)
		t.Logf("echo through the bot: %+v, %d ms late", echo, 1000*echo.Delay/phone.Rate)
		good = echo.Corr >= 0.98 && echo.Lost <= 0.01 && echo.Sure >= 30
	}
	if !good {
		t.Error("the echo is not what was said: want corr >= 0.98 and nothing lost")
	}

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

// echoOf says words to a call after a pause and compares what comes back.
func echoOf(call *phone.Call, words []int16) meter.Comparison {
	call.Say(phone.Recording(nil, false))
	time.Sleep(2 * time.Second) // until the tone has died away
	begin := time.Now()
	call.Say(phone.Recording(words, false))
	time.Sleep(time.Duration(len(words))*time.Second/phone.Rate + 1500*time.Millisecond)
	return meter.Compare(words, call.Heard(time.Since(begin)), phone.Rate)
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
