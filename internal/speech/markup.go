package speech

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// MaxText is how many characters may be spoken, without the tags.
	MaxText = 1500
	// maxMarkup bounds a text with its tags, in bytes.
	maxMarkup = 16 << 10
	// maxDepth bounds how deep tags may lie in each other.
	maxDepth = 32
	// maxRuns bounds how many times an engine is asked for one text.
	maxRuns = 64
	// maxPause is the longest break, and maxPauses all of them together.
	maxPause, maxPauses = 10 * time.Second, time.Minute
)

// Errors of reading a text.
var (
	ErrTooLong = fmt.Errorf("longer than %d characters", MaxText)
	ErrMarkup  = errors.New("the SSML cannot be read")
	ErrEmpty   = errors.New("there is nothing to say")
)

// run is text that an engine speaks in one go and in one manner, and the silence
// behind it. Text may be empty.
type run struct {
	text string
	manner
	pause time.Duration
}

// manner is how a run is spoken, besides the voice.
type manner struct {
	rate  float64 // 1 is usual, 0.5 half as fast
	pitch float64 // 1 is usual, 2 an octave above
	gain  float64 // in dB; -90 and below is silent
}

// plain is the usual manner.
func plain() manner { return manner{rate: 1, pitch: 1} }

// parse reads a text: SSML if it is wrapped in <speak>, else as it stands.
func parse(text string) ([]run, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxMarkup || !utf8.ValidString(text) {
		return nil, fmt.Errorf("speech: %w", ErrTooLong)
	}
	r := reader{manners: []manner{plain()}}
	if isMarkup(text) {
		if err := r.markup(text); err != nil {
			return nil, err
		}
	} else {
		r.say(text)
	}
	return r.finish()
}

// isMarkup reports whether text is SSML.
func isMarkup(text string) bool {
	return strings.HasPrefix(text, "<speak") || strings.HasPrefix(text, "<?xml")
}

// reader makes runs of a text.
type reader struct {
	runs    []run
	manners []manner  // of the tags that are open, the usual one first
	open    []openTag // those tags
	text    strings.Builder
	length  int           // characters so far
	pauses  time.Duration // of all
}

// openTag is a tag whose end has not come.
type openTag struct {
	name  string
	said  string // of say-as: how its text is to be read
	mutes bool   // its text is replaced
	spoke bool   // it changed the manner
	pause time.Duration
}

// markup reads SSML. Tags that are unknown are ignored, their text is not. The
// decoder knows five entities; document types cannot give it more.
func (r *reader) markup(text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("speech: %w: %v", ErrMarkup, err) //nolint:errorlint // what a parser says is for people
		}
		switch token := token.(type) {
		case xml.StartElement:
			if len(r.open) >= maxDepth {
				return fmt.Errorf("speech: %w: more than %d tags in each other", ErrMarkup, maxDepth)
			}
			r.begin(token)
		case xml.EndElement:
			r.end()
		case xml.CharData:
			r.chars(string(token))
		}
		if r.length > MaxText {
			return fmt.Errorf("speech: %w", ErrTooLong)
		}
		if len(r.runs) > maxRuns {
			return fmt.Errorf("speech: %w: more than %d breaks and changes", ErrMarkup, maxRuns)
		}
	}
}

// begin opens a tag.
func (r *reader) begin(e xml.StartElement) {
	tag := openTag{name: strings.ToLower(e.Name.Local)}
	switch tag.name {
	case "break":
		r.pause(breakOf(attribute(e, "strength"), attribute(e, "time")))
	case "p", "paragraph":
		tag.pause = strong
	case "s", "sentence":
		tag.pause = medium
	case "sub":
		if alias := attribute(e, "alias"); alias != "" {
			r.say(" " + alias + " ")
			tag.mutes = true
		}
	case "say-as":
		tag.said = strings.ToLower(attribute(e, "interpret-as"))
	case "prosody":
		tag.spoke = true
		r.flush()
		r.manners = append(r.manners, r.manner().changed(attribute(e, "rate"), attribute(e, "pitch"), attribute(e, "volume")))
	}
	r.open = append(r.open, tag)
}

// end closes the innermost tag. The decoder has checked its name.
func (r *reader) end() {
	last := len(r.open) - 1
	if last < 0 {
		return
	}
	tag := r.open[last]
	r.open = r.open[:last]
	if tag.spoke {
		r.flush()
		r.manners = r.manners[:len(r.manners)-1]
	}
	if tag.pause > 0 {
		r.pause(tag.pause)
	}
}

// chars takes text between tags.
func (r *reader) chars(text string) {
	said := ""
	for _, tag := range r.open {
		if tag.mutes {
			return
		}
		if tag.said != "" {
			said = tag.said
		}
	}
	r.say(readAs(said, text))
}

func (r *reader) say(text string) {
	r.length += utf8.RuneCountInString(text)
	r.text.WriteString(text)
}

func (r *reader) manner() manner { return r.manners[len(r.manners)-1] }

// flush ends the run, if it has any text.
func (r *reader) flush() {
	text := strings.Join(strings.Fields(printable(r.text.String())), " ")
	r.text.Reset()
	if text != "" {
		r.runs = append(r.runs, run{text: text, manner: r.manner()})
	}
}

// pause adds silence behind what was said.
func (r *reader) pause(d time.Duration) {
	r.flush()
	d = min(d, maxPause, maxPauses-r.pauses)
	r.pauses += d
	if len(r.runs) == 0 {
		r.runs = append(r.runs, run{manner: r.manner()})
	}
	last := &r.runs[len(r.runs)-1]
	last.pause += d
}

func (r *reader) finish() ([]run, error) {
	r.flush()
	if r.length > MaxText {
		return nil, fmt.Errorf("speech: %w", ErrTooLong)
	}
	if len(r.runs) == 0 {
		return nil, fmt.Errorf("speech: %w", ErrEmpty)
	}
	return r.runs, nil
}

// printable replaces control characters, which engines may take for orders.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 {
			return ' '
		}
		return c
	}, text)
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if strings.EqualFold(a.Name.Local, name) {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}

// gainFactor turns dB into a factor of samples.
func gainFactor(db float64) float64 {
	if db <= -90 {
		return 0
	}
	return math.Pow(10, db/20)
}
