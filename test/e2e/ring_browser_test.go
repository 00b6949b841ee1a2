//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/offhook/offhook/test/e2e/harness"
)

// TestRingBrowser puts the page into a group that asks for a key: who clicks
// Answer hears the announcement, a tone here, and presses the key on the page.
func TestRingBrowser(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "press.wav"), wavOf(t, 48000, saidHz, 20*time.Second), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OFFHOOK_MEDIA_SOUNDS", folder)
	tellStories(t, nil, []story{
		{
			"confirm by the keypad of the page",
			[]string{"ann", "ben"},
			[]string{"name: page, confirm: {key: \"5\", timeout: 60s, prompt: \"file:press.wav\"}, endpoints: [{user: ann}, {user: ben}]"},
			(*scene).confirmsOnPage,
		},
	})
}

func (s *scene) confirmsOnPage() {
	o := &office{Offhook: s.Offhook, browser: harness.NewBrowser(s)}
	page := o.logIn("ann", password("ann"), salesHz)
	ben := s.user("ben", deskHz)
	caller := s.dial()
	page.AwaitRing(s.T, outsider)
	s.ring(ben)
	page.Answer()
	page.AwaitTone(s.T, saidHz)
	s.wantUnanswered(caller)
	page.Click("[data-testid=keypad-toggle]")
	page.Click("[data-testid=keypad-5]")
	s.cancelled(ben, 1, whyElsewhere)
	awaitTone(s.T, "caller", caller.call, salesHz)
	page.AwaitTone(s.T, callerHz)
	caller.call.HangUp()
	page.AwaitEnd(s.T)
}
