package speech

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/media/file"
)

// Espeak speaks with the program espeak-ng, which knows more than a hundred
// languages.
type Espeak struct {
	program   string
	languages map[string]bool // in lower case
	voices    Voices
}

// NewEspeak finds the program and asks it for its languages.
func NewEspeak(ctx context.Context, voices Voices) (*Espeak, error) {
	path, err := exec.LookPath("espeak-ng")
	if err != nil {
		return nil, fmt.Errorf("speech: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	list, err := runProgram(ctx, "", path, "--voices")
	if err != nil {
		return nil, err
	}
	e := &Espeak{program: path, languages: make(map[string]bool), voices: voices}
	for lines := bufio.NewScanner(bytes.NewReader(list)); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 {
			e.languages[strings.ToLower(fields[1])] = true
		}
	}
	return e, nil
}

// Name implements Engine.
func (e *Espeak) Name() string { return "espeak-ng" }

// Voice implements Engine: the language, or one that is near, with a variant for
// each style. What is unknown is English.
func (e *Espeak) Voice(wanted Voice) string {
	if voice, ok := e.voices.find(wanted); ok {
		return voice
	}
	variants := [...]string{"", "+f2", "+m3", "+f3", "+m1", "+f4", "+m7", "+f5"}
	return e.language(wanted.Language) + variants[max(0, wanted.Style)%len(variants)]
}

// language returns the program's name of a language.
func (e *Espeak) language(tag string) string {
	tag = strings.ToLower(strings.ReplaceAll(tag, "_", "-"))
	if tag == "" {
		tag = strings.ToLower(defaultLanguage)
	}
	primary, _, _ := strings.Cut(tag, "-")
	// The program's names are not all those of BCP 47.
	names := map[string]string{"en": "en-us", "en-au": "en-gb", "en-nz": "en-gb", "en-ie": "en-gb", "en-in": "en-gb", "en-za": "en-gb", "fr": "fr-fr", "no": "nb", "zh": "cmn", "zh-hk": "yue", "es-mx": "es-419", "es-us": "es-419"}
	for _, name := range []string{names[tag], tag, names[primary], primary} {
		if name != "" && e.languages[name] {
			return name
		}
	}
	return "en-us"
}

// Words a minute and pitch of the program where nothing else is asked.
const (
	espeakRate  = 165
	espeakPitch = 50
)

// Speak implements Engine.
func (e *Espeak) Speak(ctx context.Context, u Utterance) (file.PCM, error) {
	rate := limit(espeakRate*u.Rate, 80, 450)
	pitch := limit(espeakPitch+40*math.Log2(u.Pitch), 0, 99)
	wav, err := runProgram(ctx, u.Text, e.program, "-b", "1", "-z", "--stdin", "--stdout",
		"-v", u.Voice, "-s", strconv.Itoa(int(rate)), "-p", strconv.Itoa(int(pitch)))
	if err != nil {
		return file.PCM{}, err
	}
	return file.Decode(bytes.NewReader(wav))
}
