package route

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/offhook/offhook/internal/core"
)

// announcements are the prompts in the binary.
func announcements() []string {
	return []string{
		core.PromptNoAnswer, core.PromptBusy, core.PromptDeclined, core.PromptUnreachable, core.PromptUnknownNumber,
		core.PromptNotAllowed, core.PromptFailed, core.PromptClosed, core.PromptConfirm,
	}
}

// parseWaiting reads what a caller hears while it rings: a country's ringback
// tone ("us"), "music", "file:NAME" in the folder of sounds, or a URL.
func parseWaiting(text string) (core.Sound, error) {
	switch {
	case text == "music":
		return core.Sound{Kind: core.SoundHold}, nil
	case isCountry(text):
		return core.Sound{Kind: core.SoundRingback, Name: text}, nil
	}
	name, err := soundFile(text)
	if err != nil {
		return core.Sound{}, fmt.Errorf("%q is neither a country code such as us, nor music, nor %w", text, err)
	}
	return core.Sound{Kind: core.SoundMusic, Name: name}, nil
}

// parseAnnouncement reads what is said once: the name of an announcement,
// "file:NAME" or a URL.
func parseAnnouncement(text string) (core.Sound, error) {
	if slices.Contains(announcements(), text) {
		return core.Sound{Kind: core.SoundPrompt, Name: text}, nil
	}
	name, err := soundFile(text)
	if err != nil {
		return core.Sound{}, fmt.Errorf("%q is none of %s, nor %w", text, strings.Join(announcements(), ", "), err)
	}
	return core.Sound{Kind: core.SoundFile, Name: name}, nil
}

// soundFile returns the name of a file in the folder of sounds, or a URL. A name
// has no way out of the folder.
func soundFile(text string) (string, error) {
	if name, ok := strings.CutPrefix(text, "file:"); ok {
		if isFileName(name) {
			return name, nil
		}
	} else if u, err := url.Parse(text); err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
		return text, nil
	}
	return "", fmt.Errorf("a sound such as file:name.wav or https://host/name.wav")
}

func isFileName(s string) bool {
	return s != "" && len(s) <= 64 && s[0] != '.' && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	})
}

// SoundFiles returns the files and URLs that r names, each once.
func (r Resources) SoundFiles() []string {
	var names []string
	add := func(sound core.Sound, err error) {
		outside := sound.Kind == core.SoundFile || sound.Kind == core.SoundMusic
		if err == nil && outside && !slices.Contains(names, sound.Name) {
			names = append(names, sound.Name)
		}
	}
	said := func(to *Destination) {
		if to != nil && to.Announce != "" {
			add(parseAnnouncement(to.Announce))
		}
	}
	for _, g := range r.Groups {
		if g.CallerHears != "" {
			add(parseWaiting(g.CallerHears))
		}
		if g.Confirm != nil && g.Confirm.Prompt != "" {
			add(parseAnnouncement(g.Confirm.Prompt))
		}
		for _, to := range []*Destination{g.NoAnswer, g.Busy, g.Unreachable, g.Failed} {
			said(to)
		}
	}
	for _, n := range r.Numbers {
		to := n.Destination()
		said(&to)
		said(n.Closed)
	}
	for _, c := range r.Callers {
		said(c.To)
	}
	return names
}
