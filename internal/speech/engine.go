package speech

import (
	"context"
	"errors"

	"github.com/offhook/offhook/internal/media/file"
)

// ErrNotInstalled is what becomes of a text where no engine is installed. Applications
// are told so in these words.
var ErrNotInstalled = errors.New("text to speech is not installed")

// Engine turns text into sound. It is safe for concurrent use.
type Engine interface {
	// Name tells engines apart, for logs and for what is kept on the disk.
	Name() string
	// Voice returns the name of the engine's voice that fits best.
	Voice(wanted Voice) string
	// Speak speaks an utterance. It ends with ctx.
	Speak(ctx context.Context, u Utterance) (file.PCM, error)
}

// Voice is what an application asks for.
type Voice struct {
	Language string // BCP 47, "" is en-US
	Style    int    // of the language's voices, from 0
	Name     string // legacy name, "" for none
}

// Utterance is text to be spoken by one voice.
type Utterance struct {
	Text     string
	Voice    string  // as Engine.Voice returned it
	Language string  // BCP 47
	Rate     float64 // 1 is usual, 0.25 to 4
	Pitch    float64 // likewise; an engine that cannot ignores it
}
