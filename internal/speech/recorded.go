package speech

import (
	"fmt"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/file"
)

// recorded speaks without any engine what is recorded: digits, with * and #, and
// the texts of the announcements.
func recorded(runs []run) (*file.PCM, error) {
	var all joined
	for _, r := range runs {
		if name, ok := announcements()[plainText(r.text)]; ok {
			all.prompt(name, r)
		} else {
			for _, c := range r.text {
				switch {
				case c >= '0' && c <= '9':
					all.prompt(string(c), r)
				case c == '*':
					all.prompt("star", r)
				case c == '#':
					all.prompt("pound", r)
				case strings.ContainsRune(",.;:-", c):
					all.silence(medium)
				case c != ' ':
					return nil, ErrNotInstalled
				}
			}
		}
		all.silence(r.pause)
	}
	return all.pcm()
}

// prompt appends a recording.
func (j *joined) prompt(name string, r run) {
	pcm, ok := Prompt(name)
	if !ok {
		j.err = fmt.Errorf("no recording %q: %w", name, ErrNotInstalled)
		return
	}
	j.add(pcm, gainFactor(r.gain))
	j.silence(50 * time.Millisecond)
}

// plainText is a text without what is not heard.
func plainText(text string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(".,!", c) {
			return -1
		}
		return c
	}, strings.ToLower(text))
}

// announcements are the texts of scripts/prompts, as plainText.
func announcements() map[string]string {
	return map[string]string{
		"nobody is answering right now please try again later":               core.PromptNoAnswer,
		"all of our lines are busy please try again later goodbye":           core.PromptBusy,
		"your call cannot be taken right now goodbye":                        core.PromptDeclined,
		"the person you are calling cannot be reached at the moment":         core.PromptUnreachable,
		"the number you have dialed is not in service":                       core.PromptUnknownNumber,
		"you are not allowed to call this number":                            core.PromptNotAllowed,
		"your call could not be completed please try again later":            core.PromptFailed,
		"your call has been answered elsewhere":                              "answered-elsewhere",
		"you are calling outside our business hours please call again later": core.PromptClosed,
		"goodbye": "goodbye",
	}
}
