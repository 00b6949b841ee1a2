package speech

import (
	"context"
	"errors"

	"github.com/offhook/offhook/internal/core"
)

// NoRecogniser is what applications are told where nothing recognises speech.
const NoRecogniser = "Speech recognition is not installed"

// errNoText is a server that answers without a text in it.
var errNoText = errors.New("the recogniser's answer has no text")

// HearRate is the rate that a Recogniser gets, in Hz.
const HearRate = 16000

// Recogniser turns what somebody says into text. It is safe for concurrent use.
type Recogniser interface {
	// Open begins to listen. It ends with ctx.
	Open(ctx context.Context, h Hints) (Hearing, error)
}

// Hints help a Recogniser.
type Hints struct {
	Language string   // BCP 47
	Words    []string // to expect
}

// Hearing is one listening to one party. One goroutine uses it.
type Hearing interface {
	// Write takes what is said at HearRate. It may wait for the network.
	Write(pcm []int16) error
	// Finish says that this was all and returns what it was, the best reading first;
	// none if nothing was understood.
	Finish() ([]core.SpeechText, error)
	// Close ends it in any case.
	Close()
}

// Sentence is a piece of what is said in a recording; times are in seconds.
type Sentence struct {
	Text       string
	Begin, End float64
	Words      []SpokenWord
}

// SpokenWord is a word of a Sentence. Confidence is 0 to 1.
type SpokenWord struct {
	Text       string
	Begin, End float64
	Confidence float64
}
