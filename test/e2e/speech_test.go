//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestSpeechBetweenCodecs lets one phone say something and compares it with what
// the other hears: nothing is lost, and the level stays. How late it comes, and what
// trouble does to it, is measured in virtual time (TestQuality of internal/media).
func TestSpeechBetweenCodecs(t *testing.T) {
	pairs := []struct {
		from, to media.Codec
		corr     float64 // likeness of the spectra, of 1
	}{
		{media.PCMU, media.PCMU, 0.998},
		{media.PCMA, media.PCMU, 0.995},
		{media.G722, media.PCMU, 0.995},
		{media.PCMA, media.G722, 0.995},
		{media.Opus, media.PCMU, 0.98},
		{media.PCMA, media.Opus, 0.98},
	}
	var users strings.Builder
	for i := range pairs {
		for _, name := range []string{"ann", "ben"} {
			fmt.Fprintf(&users, "    - {name: %[1]s%[2]d, password: %[3]s}\n", name, i, password(fmt.Sprint(name, i)))
		}
	}
	h := &house{Offhook: harness.NewOffhook(t, "resources:\n  users:\n"+users.String())}
	said := announcements(t, "busy", "closed")
	for i, pair := range pairs {
		t.Run(fmt.Sprintf("%v to %v", pair.from, pair.to), func(t *testing.T) {
			t.Parallel()
			ann := h.user(t, fmt.Sprint("ann", i), phone.Config{Codecs: []media.Codec{pair.from}})
			ben := h.user(t, fmt.Sprint("ben", i), phone.Config{Codecs: []media.Codec{pair.to}})
			call := dial(t, ann, fmt.Sprint("ben", i), phone.DialOptions{})
			ears := ring(ben)
			ears.Answer()
			ann.Await(phone.Answered, soon)
			harness.AwaitSpeech(t, call.call, ears, said, harness.Bar{Corr: pair.corr, Lost: 0.005, Gain: 0.4}, 2*time.Minute)
			call.call.HangUp()
			ben.Await(phone.Ended, soon)
		})
	}
}

// announcements returns some of our own, one after the other.
func announcements(t *testing.T, names ...string) (pcm []int16) {
	t.Helper()
	for _, name := range names {
		f, err := os.Open(filepath.Join(harness.Root(t), "internal/speech/prompts", name+".wav"))
		if err != nil {
			t.Fatal(err)
		}
		words, err := phone.ReadWAV(f)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		pcm = append(pcm, words...)
	}
	return pcm
}
